"""Text of any length, moved in with the same keys as a table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from pgconsole.widgets.line import Line, Part

_SCROLLS = {"top": "home", "bottom": "end"}


class TextView(VerticalScroll, can_focus=True, inherit_bindings=False):
    """One text that scrolls.

    Args:
        id: Its id.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="text-view")
        self._line = Line()

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._line

    def show(self, *parts: Part) -> None:
        """Show these parts."""
        self._line.show(*parts)

    def move(self, where: str) -> None:
        """Scroll: up, down, page_up, page_down, top or bottom."""
        getattr(self, f"scroll_{_SCROLLS.get(where, where)}")(animate=False)
