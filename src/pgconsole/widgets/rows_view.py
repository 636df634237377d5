"""The rows of a table of any length: only those in view are asked for, and few are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pgconsole.dumps.copytext import Cell, Row
from pgconsole.widgets.cells import fitted, visible

PAGE = 100  # rows that are asked for at once
_KEPT = 50  # pages
_HEADER_ROWS = 1
_GAP = 2
_WIDEST = 40  # cells of a column, as long as there is no room to spare
_MOST = 400  # cells of a cell that can ever be in view
_MARKER = "▌"
NULL = "∅"
EMPTY = '""'  # the empty text, which is not NULL


class RowsView(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows with their numbers; columns get wider as wider values come.

    Args:
        columns: Their names.
        total: How many rows there are.
    """

    class Wanted(Message):
        """A page is in view and not known."""

        def __init__(self, start: int) -> None:
            super().__init__()
            self.start = start

    class Moved(Message):
        """Other rows are in view."""

    class Opened(Message):
        """A row was clicked twice."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--cursor", "table--cursor-blurred", "table--dim",
    }  # fmt: skip

    def __init__(self, columns: Sequence[str], total: int) -> None:
        super().__init__(id="rows")
        self._names = [visible(name) for name in columns]
        self._widths = [min(_MOST, cell_len(name)) for name in self._names]
        self._total = total
        self._pages: OrderedDict[int, tuple[Row, ...]] = OrderedDict()
        self._cursor = 0
        self._left = 0  # cells that are scrolled out of view
        self._number_width = len(f"{max(1, total):,}")

    @property
    def cursor(self) -> int:
        """The selected row, from 0."""
        return self._cursor

    @property
    def selected(self) -> Row | None:
        """The row under the cursor, if it is known."""
        return self._row(self._cursor)

    @property
    def in_view(self) -> tuple[int, int]:
        """The first row in view, and the one behind the last."""
        first = round(self.scroll_y)
        return first, min(self._total, first + max(0, self.size.height - _HEADER_ROWS))

    def on_mount(self) -> None:
        """As high as there are rows."""
        self.virtual_size = Size(0, self._total + _HEADER_ROWS)

    def on_resize(self) -> None:
        """Other rows are in view now; the selected one stays."""
        self._show_cursor()
        self.want()
        self.post_message(self.Moved())

    def add(self, start: int, rows: tuple[Row, ...]) -> None:
        """Take in a page."""
        self._pages[start] = rows
        self._pages.move_to_end(start)
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)
        for row in rows:
            for at, cell in enumerate(row):
                if at < len(self._widths) and self._widths[at] < _MOST:
                    width = cell_len(_text(cell)[0])
                    self._widths[at] = min(_MOST, max(self._widths[at], width))
        self.refresh()

    def want(self) -> None:
        """Ask for the first page in view that is not known."""
        first, last = self.in_view
        for start in range(first - first % PAGE, last, PAGE):
            if start in self._pages:
                self._pages.move_to_end(start)
            else:
                self.post_message(self.Wanted(start))
                return

    def move(self, where: str) -> None:
        """Move the cursor up or down, by pages, to the ends; or the columns left or right."""
        if where in ("left", "right"):
            self._shift(1 if where == "right" else -1)
            return
        page = max(1, self.size.height - _HEADER_ROWS - 1)
        last = self._total - 1
        step = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        target = {"top": 0, "bottom": last}.get(where, self._cursor + step.get(where, 0))
        self._move_to(max(0, min(target, last)))

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked; a second click opens it."""
        row = event.y - _HEADER_ROWS + round(self.scroll_y)
        if event.y >= _HEADER_ROWS and row < self._total:
            self._move_to(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Other rows are in view."""
        super().watch_scroll_y(old, new)
        self.want()
        self.post_message(self.Moved())

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor looks different where keys go."""
        super().watch_has_focus(focused)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the view: the names of the columns, a row, or nothing."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        dim = base + self.get_component_rich_style("table--dim", partial=True)
        head = self._number_width + 1 + _GAP
        if y < _HEADER_ROWS:
            style = base + self.get_component_rich_style("table--header", partial=True)
            parts = [(name, style) for name in self._names]
            return self._joined(Segment(" " * head, style), parts, style, width)
        number = y - _HEADER_ROWS + round(self.scroll_y)
        if number >= self._total:
            return Strip.blank(width, base)
        chosen = number == self._cursor
        if chosen:
            name = "table--cursor" if self.has_focus else "table--cursor-blurred"
            base = dim = base + self.get_component_rich_style(name, partial=True)
        mark = _MARKER if chosen else " "
        label = Segment(f"{mark}{number + 1:>{self._number_width},}" + " " * _GAP, dim)
        row = self._row(number)
        if row is None:
            return Strip([label, Segment("…", dim)]).adjust_cell_length(width, base)
        parts = [(text, dim if faint else base) for text, faint in map(_text, row)]
        return self._joined(label, parts, base, width)

    def _joined(
        self, label: Segment, parts: list[tuple[str, Style]], base: Style, width: int
    ) -> Strip:
        segments = []
        for (text, style), room in zip(parts, self._shown_widths(), strict=False):
            segments += [Segment(fitted(text, room), style), Segment(" " * _GAP, base)]
        rest = Strip(segments)
        room = max(0, width - label.cell_length)
        view = rest.crop(min(self._left, rest.cell_length), self._left + room)
        return Strip([label, *view]).adjust_cell_length(width, base)

    def _row(self, number: int) -> Row | None:
        page = self._pages.get(number - number % PAGE)
        at = number % PAGE
        return page[at] if page is not None and at < len(page) else None

    @property
    def _room(self) -> int:
        """Cells beside the numbers."""
        return max(0, self.scrollable_content_region.width - self._number_width - 1 - _GAP)

    def _shown_widths(self) -> list[int]:
        """Long columns are cut, as far as there is no room for them."""
        widths = [min(width, _WIDEST) for width in self._widths]
        spare = self._room - sum(widths) - _GAP * len(widths)
        for at, width in enumerate(self._widths):
            more = max(0, min(spare, width - widths[at]))
            widths[at] += more
            spare -= more
        return widths

    def _shift(self, by: int) -> None:
        """Bring the next column, or the one before, to the left."""
        edges = [0]
        for width in self._shown_widths():
            edges.append(edges[-1] + width + _GAP)
        most = max(0, edges[-1] - self._room)
        if by > 0:
            target = next((edge for edge in edges if edge > self._left), self._left)
        else:
            target = next((edge for edge in reversed(edges) if edge < self._left), 0)
        self._left = min(target, most) if by > 0 else target
        self.refresh()

    def _move_to(self, row: int) -> None:
        if row == self._cursor or row < 0:
            return
        self._cursor = row
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        region = Region(0, self._cursor, 1, 1 + _HEADER_ROWS)
        self.scroll_to_region(region, animate=False, force=True, immediate=True, x_axis=False)


def _text(cell: Cell | None) -> tuple[str, bool]:
    """What is shown of a cell, and whether it stands for something else than itself."""
    if cell is None:
        return NULL, True
    if not cell.text and not cell.rest:
        return EMPTY, True
    text = visible(cell.text[:_MOST])
    return (f"{text}…" if len(cell.text) > _MOST or cell.rest else text), False
