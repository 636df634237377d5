"""A window with text to read: it scrolls, and any of the usual keys leaves it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget

from pgconsole.widgets.console import key_map_of
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.words import clean


class ReadingScreen(ModalScreen[None]):
    """Shows text until it is left.

    Args:
        title: Of the window.
        keys: What its own keys do, for the line at the bottom.
        parts: The text, if it does not come from `content`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("q", "app.quit", "Quit", id="quit"),
        Binding("ctrl+q", "app.quit", "Quit", show=False),
        Binding("j,down", "scroll('down')", "Down", id="move.down"),
        Binding("k,up", "scroll('up')", "Up", id="move.up"),
        Binding("g,home", "scroll('home')", "Top", id="move.top"),
        Binding("G,end", "scroll('end')", "End", id="move.bottom"),
        Binding("pagedown,space", "scroll('page_down')", "Page down", id="move.page_down"),
        Binding("pageup", "scroll('page_up')", "Page up", id="move.page_up"),
    ]

    def __init__(self, title: str, keys: str = "", parts: Iterable[Part] = ()) -> None:
        super().__init__()
        self._title = title
        self._keys = keys
        self._parts = tuple(parts)

    def compose(self) -> ComposeResult:
        """The window."""
        with VerticalGroup(classes="reading") as box:
            # A border's titles are markup, and what they name may have brackets.
            box.border_title = clean(self._title).replace("[", "\\[")
            down, up, leave = map(key_map_of(self).key, ("move.down", "move.up", "quit"))
            keys = f"Esc closes · {self._keys}{down} {up} scroll · {leave} quits"
            box.border_subtitle = keys.replace("[", "\\[")
            with VerticalScroll(classes="reading-text", can_focus=False):
                yield from self.content()

    def content(self) -> Iterable[Widget]:
        """What is in the window."""
        text = Line()
        text.show(*self._parts)
        yield text

    def action_scroll(self, where: str) -> None:
        """Scroll the text."""
        text = self.query_one(".reading-text", VerticalScroll)
        getattr(text, f"scroll_{where}")(animate=False)
