"""A sortable table that is filtered by an expression; only the rows in view are rendered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pgconsole.logs.query import expression
from pgconsole.widgets.cells import fitted

_HEADER_ROWS = 1
_MARKER = "▌"  # the selected row can be told without any colour
_GAP = 2
_LEAST_FLEX = 20  # cells
_MOST_WIDE = 40
_MEASURED = 5000  # rows that decide how wide columns are


class Column(NamedTuple):
    """One column.

    Attributes:
        name: Its header.
        right: Numbers stand at the right.
        flex: It takes the room that is left; one column does.
        spare: Left out first where there is hardly room.
        descending: The order in which it is sorted first.
    """

    name: str
    right: bool = False
    flex: bool = False
    spare: bool = False
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One row.

    Attributes:
        value: What the row is about; equal ones are the same row after a change.
        texts: The text of each cell, free of anything a terminal obeys.
        keys: What each column is sorted by.
        css: The component class of each cell, or empty.
        searched: The cells in small letters, one a line: what an expression is looked for in.
    """

    value: object
    texts: tuple[str, ...]
    keys: tuple[object, ...]
    css: tuple[str, ...]
    searched: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "searched", "\n".join(self.texts).lower())


class Grid(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of one kind.

    Args:
        columns: Its columns; exactly one is flexible.
        id: Its id.
        sort: The column that it is sorted by; None: the order in which rows come.
        least_flex: Cells of the flexible column; with less, columns that are spare give way.
    """

    class Opened(Message):
        """A row was clicked twice."""

    class Moved(Message):
        """Another row is under the cursor, or there are others."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--row", "table--cursor", "table--cursor-blurred",
        "table--good", "table--dim", "table--warning", "table--bad", "table--live",
    }  # fmt: skip

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str,
        sort: int | None = None,
        least_flex: int = _LEAST_FLEX,
    ) -> None:
        super().__init__(id=id)
        self._least_flex = least_flex
        self._columns = tuple(columns)
        self._sort = sort
        self._reverse = sort is not None and self._columns[sort].descending
        self._pattern: re.Pattern[str] | None = None
        self._inverse = False
        self._all: Sequence[Item] = ()
        self._items: list[Item] = []
        self._renewed: Mapping[object, Item] = {}
        self._widths: list[int] = []
        self._cursor = 0

    @property
    def selected(self) -> object | None:
        """What the row under the cursor is about."""
        return self._items[self._cursor].value if self._items else None

    @property
    def count(self) -> tuple[int, int]:
        """How many rows are shown, and how many there are."""
        return len(self._items), len(self._all)

    def is_near_end(self, rows: int) -> bool:
        """Whether there are fewer rows than these below the cursor."""
        return self._cursor + rows >= len(self._items)

    def fill(self, items: Sequence[Item]) -> None:
        """Show these rows; the cursor stays on its row."""
        self._all = items
        self._renewed = {}
        measured = items[:_MEASURED]
        self._widths = [
            max([cell_len(column.name) + 2, *(cell_len(item.texts[at]) for item in measured)])
            for at, column in enumerate(self._columns)
        ]
        self._arrange()

    def renew(self, items: Mapping[object, Item]) -> None:
        """Show some rows as they are now, by what they are about; they stay where they are."""
        if items != self._renewed:
            self._renewed = items
            self.refresh()

    @property
    def order(self) -> tuple[str, bool]:
        """The column that it is sorted by, if it is, and whether its largest come first."""
        return ("" if self._sort is None else self._columns[self._sort].name), self._reverse

    def order_by(self, column: str, descending: bool) -> None:
        """Sort as `order` said once; a column that there is no more changes nothing."""
        for at, each in enumerate(self._columns):
            if each.name == column:
                self._sort, self._reverse = at, descending
                self._arrange()

    def sort(self) -> None:
        """Sort by the next column."""
        self._sort = 0 if self._sort is None else (self._sort + 1) % len(self._columns)
        self._reverse = self._columns[self._sort].descending
        self._arrange()

    def reverse(self) -> None:
        """Turn the order round."""
        self._reverse = not self._reverse
        self._arrange()

    def filter(self, text: str) -> None:
        """Show the rows in which a regular expression is found; with `!`, the others.

        Raises:
            re.error: It is none; all stays as it was.
        """
        inverse = text.startswith("!")
        wanted = text.removeprefix("!")
        # Ignoring case is slow; an expression in small letters needs none of it.
        flags = re.MULTILINE | (re.IGNORECASE if wanted != wanted.lower() else 0)
        self._pattern = expression(wanted, flags) if wanted else None
        self._inverse = inverse
        self._arrange()

    def move(self, where: str) -> None:
        """Move the cursor: up, down, page_up, page_down, top or bottom."""
        page = max(1, self.size.height - _HEADER_ROWS - 1)
        last = len(self._items) - 1
        step = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        target = {"top": 0, "bottom": last}.get(where, self._cursor + step.get(where, 0))
        self._move_to(max(0, min(target, last)))

    def on_resize(self) -> None:
        """The selected row stays in view."""
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked; a second click opens it."""
        row = event.y - _HEADER_ROWS + round(self.scroll_y)
        if event.y >= _HEADER_ROWS and row < len(self._items):
            self._move_to(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        """One line of the view: the header, a row, or nothing."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        shown = self._shown(width)
        if y < _HEADER_ROWS:
            style = base + self.get_component_rich_style("table--header", partial=True)
            texts = [fitted(self._title(at), room, self._columns[at].right) for at, room in shown]
            line = "  " + (" " * _GAP).join(texts)
            return Strip([Segment(line, style)]).adjust_cell_length(width, style)
        row = y - _HEADER_ROWS + round(self.scroll_y)
        if row >= len(self._items):
            return Strip.blank(width, base)
        return self._render_row(row, shown, width, base)

    def _render_row(self, row: int, shown: list[tuple[int, int]], width: int, base: Style) -> Strip:
        chosen = row == self._cursor
        strong = chosen and self.has_focus
        if chosen:
            name = "table--cursor" if self.has_focus else "table--cursor-blurred"
            base += self.get_component_rich_style(name, partial=True)
        segments = [Segment(_MARKER + " " if chosen else "  ", base)]
        item = self._items[row]
        item = self._renewed.get(item.value, item)
        for at, room in shown:
            style = base
            if item.css[at] and not strong:
                style += self.get_component_rich_style(item.css[at], partial=True)
            text = fitted(item.texts[at], room, self._columns[at].right)
            segments += [Segment(text, style), Segment(" " * _GAP, base)]
        return Strip(segments).adjust_cell_length(width, base)

    def _title(self, at: int) -> str:
        name = self._columns[at].name
        return name if at != self._sort else f"{name} {'▼' if self._reverse else '▲'}"

    def _shown(self, width: int) -> list[tuple[int, int]]:
        """The columns that there is room for, each with its width."""
        chosen = list(range(len(self._columns)))
        spare = [at for at in reversed(chosen) if self._columns[at].spare]
        while True:
            fixed = sum(
                min(self._width(at), _MOST_WIDE) + _GAP
                for at in chosen if not self._columns[at].flex
            )  # fmt: skip
            flex = width - 2 - fixed
            if flex >= self._least_flex or not spare:
                break
            chosen.remove(spare.pop(0))
        # Numbers stand close to what they are about.
        flex = min(
            flex, max(_LEAST_FLEX, *(self._width(at) for at in chosen if self._columns[at].flex))
        )
        return [
            (at, max(1, flex) if self._columns[at].flex else min(self._width(at), _MOST_WIDE))
            for at in chosen
        ]

    def _width(self, at: int) -> int:
        return self._widths[at] if self._widths else cell_len(self._columns[at].name) + 2

    def _arrange(self) -> None:
        """Filter and sort anew."""
        selected = self.selected
        renewed = self._renewed
        items = [renewed.get(one.value, one) for one in self._all] if renewed else [*self._all]
        if self._pattern is not None:
            found, inverse = self._pattern.search, self._inverse
            items = [one for one in items if (found(one.searched) is None) is inverse]
        at = self._sort
        if at is not None:
            items.sort(key=lambda one: one.keys[at], reverse=self._reverse)  # type: ignore[arg-type,return-value]
        self._items = items
        self._cursor = next(
            (row for row, one in enumerate(items) if one.value == selected),
            max(0, min(self._cursor, len(items) - 1)),
        )
        self.virtual_size = Size(0, len(items) + _HEADER_ROWS)
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def _move_to(self, row: int) -> None:
        if row != self._cursor:
            self._cursor = row
            self._show_cursor()
            self.refresh()
            self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        # The header covers the first line of the view, so rows end one line earlier.
        region = Region(0, self._cursor, 1, 1 + _HEADER_ROWS)
        self.scroll_to_region(region, animate=False, force=True, immediate=True, x_axis=False)

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor looks different where keys go."""
        super().watch_has_focus(focused)
        self.refresh()
