"""The line of tabs where the window has room for one pane only."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from pgconsole.widgets.line import Line


class PaneTab(Line):
    """One tab; a click goes there."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, pane: str) -> None:
        super().__init__(id=f"tab-{pane}", classes="pane-tab")
        self._pane = pane

    def on_click(self, event: events.Click) -> None:
        """Go there."""
        event.stop()
        self.post_message(self.Chosen(self._pane))


class PaneTabs(Horizontal):
    """One tab for each pane."""

    def __init__(self, panes: tuple[str, ...]) -> None:
        super().__init__(id="tabs")
        self._panes = panes

    def compose(self) -> ComposeResult:
        """The tabs."""
        for pane in self._panes:
            yield PaneTab(pane)

    def beside(self, active: str, by: int) -> str:
        """The tab that is so many further on than the active one; round and round."""
        return self._panes[(self._panes.index(active) + by) % len(self._panes)]

    def show(self, texts: dict[str, str], active: str) -> None:
        """Write the tabs; brackets mark the active one even without colours."""
        for pane, text in texts.items():
            tab = self.query_one(f"#tab-{pane}", PaneTab)
            tab.set_class(pane == active, "-active")
            tab.show(f"[{text}]" if pane == active else f" {text} ")
