"""Labels with a few sentences each, which come and go, in a part of the screen that scrolls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from pgconsole.widgets.line import Line, Part


class FactRows(VerticalScroll):
    """Rows of a label and a text.

    Args:
        labels: All that may be shown, in their order.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(classes="fact-rows")
        self._texts = {label: Line(classes="fact-text") for label in labels}
        self._rows: dict[str, Horizontal] = {}

    def compose(self) -> ComposeResult:
        """The rows, none of them shown."""
        for label, text in self._texts.items():
            heading = Line(classes="fact-label")
            heading.show(label)
            self._rows[label] = Horizontal(heading, text, classes="fact-row")
            self._rows[label].display = False
            yield self._rows[label]

    def show(self, texts: Mapping[str, Sequence[Part]]) -> None:
        """Show these, and no others."""
        for label, row in self._rows.items():
            row.display = label in texts
            if label in texts:
                self._texts[label].show(*texts[label])

    def reveal(self, label: str) -> None:
        """Bring a row into view."""
        self._rows[label].scroll_visible(animate=False)

    def move(self, where: str) -> None:
        """Scroll: up, down, page_up, page_down, top or bottom."""
        name = {"top": "scroll_home", "bottom": "scroll_end"}.get(where)
        if name is None:
            name = f"scroll_{where}"
        getattr(self, name)(animate=False)
