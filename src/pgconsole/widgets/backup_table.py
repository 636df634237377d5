"""A table of any number of backups: only the rows in view are ever rendered."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pgconsole.widgets.arrangement import EVERYTHING, Arranged
from pgconsole.widgets.backup_columns import Column, Scope, columns
from pgconsole.widgets.backup_rows import BackupRow, View
from pgconsole.widgets.cells import fitted
from pgconsole.widgets.copy_text import PINNED
from pgconsole.widgets.words import clipped

_HEADER_ROWS = 1
_MARKER = "▌"  # the selected row can be told without any colour
_MARKED = "+"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class BackupTable(ScrollView, can_focus=True, inherit_bindings=False):
    """The backups of a list.

    Args:
        zone: The time zone times are shown in.
        view: Which list.
    """

    class Selected(Message):
        """Another backup is under the cursor, or there are others."""

    class Opened(Message):
        """A backup was clicked twice."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--row", "table--cursor", "table--cursor-blurred",
        "table--good", "table--dim", "table--warning", "table--bad",
    }  # fmt: skip

    def __init__(self, zone: ZoneInfo, view: View, *, id: str) -> None:
        super().__init__(id=id)
        self._zone = zone
        self._view = view
        self._arranged = Arranged()
        self._rows: tuple[BackupRow, ...] = ()
        self._marked: AbstractSet[str] = frozenset()
        self._several = False
        self._now = _NEVER
        self._cursor = 0
        self._shown: list[object] = []

    @property
    def selected(self) -> BackupRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def cursor(self) -> int:
        """The selected row, from 0."""
        return self._cursor

    @property
    def rows(self) -> tuple[BackupRow, ...]:
        """All rows of the list, those out of view too."""
        return self._rows

    @property
    def arranged(self) -> Arranged:
        """What the list shows a part of."""
        return self._arranged

    def fill(self, arranged: Arranged, now: datetime) -> None:
        """Show these backups; the cursor stays on its backup.

        Args:
            arranged: All lists.
            now: The time.
        """
        self._now = now
        before, selected = self._arranged, self.selected
        self._arranged = arranged
        rows = arranged.rows.get(self._view, ())
        if rows != self._rows:
            self._rows = rows
            self._several = _several_databases(rows)
            self._cursor = self._place_of(selected, before)
            self.virtual_size = Size(0, len(rows) + _HEADER_ROWS)
            self._show_cursor()
        self.refresh()
        self.post_message(self.Selected())

    def mark(self, marked: AbstractSet[str]) -> None:
        """Show which rows, by their paths, are marked."""
        self._marked = marked
        self.refresh()

    def tick(self, now: datetime) -> None:
        """Let the ages grow; paints only if one in view reads differently now."""
        self._now = now
        first = round(self.scroll_y)
        scope = self._scope
        fitting = self._columns(self.scrollable_content_region.width)
        shown: list[object] = [
            column.cell(row, scope)
            for row in self._rows[first : first + self.size.height]
            for column in fitting
        ]
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def move(self, where: str) -> None:
        """Move the cursor: up, down, page_up, page_down, top or bottom."""
        page = max(1, self.size.height - _HEADER_ROWS - 1)
        last = len(self._rows) - 1
        step = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        target = {"top": 0, "bottom": last}.get(where, self._cursor + step.get(where, 0))
        self._move_to(max(0, min(target, last)))

    def on_resize(self) -> None:
        """The selected row stays in view."""
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked; a second click opens it."""
        row = event.y - _HEADER_ROWS + round(self.scroll_y)
        if event.y >= _HEADER_ROWS and row < len(self._rows):
            self._move_to(row)
            if event.chain == 2:
                self.post_message(self.Opened())

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor looks different where keys go."""
        super().watch_has_focus(focused)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the view: the header, a backup, or nothing."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        fitting = self._columns(width)
        if not self._rows:
            return Strip.blank(width, base)
        if y < _HEADER_ROWS:
            style = base + self.get_component_rich_style("table--header", partial=True)
            titles = [fitted(self._title(column), column.width, column.right) for column in fitting]
            text = "   " + "  ".join(titles)
            return Strip([Segment(text, style)]).adjust_cell_length(width, style)
        row = y - _HEADER_ROWS + round(self.scroll_y)
        if row >= len(self._rows):
            return Strip.blank(width, base)
        return self._render_row(row, fitting, width, base)

    @property
    def _scope(self) -> Scope:
        return Scope(self._view, self._arranged.known, self._zone, self._now)

    def _columns(self, width: int) -> list[Column]:
        return columns(self._scope, width, several_databases=self._several)

    def _title(self, column: Column) -> str:
        """With an arrow if the list is sorted by it."""
        wanted = self._arranged.wanted
        if column.sort is None or column.sort is not wanted.sort:
            return column.name
        arrow = "▼" if wanted.reverse else "▲"
        return f"{clipped(column.name, max(1, column.width - 2))} {arrow}"

    def _render_row(self, number: int, fitting: list[Column], width: int, base: Style) -> Strip:
        row = self._rows[number]
        chosen = number == self._cursor
        strong = chosen and self.has_focus
        if chosen:
            name = "table--cursor" if self.has_focus else "table--cursor-blurred"
            base += self.get_component_rich_style(name, partial=True)
        scope = self._scope
        marker = _MARKER if chosen else " "
        mark = _MARKED if row.path in self._marked else " "
        pin = PINNED if scope.known.pin(row) is not None else " "
        segments = [Segment(f"{marker}{mark}{pin}", base)]
        for column in fitting:
            text, css = column.cell(row, scope)
            style = base
            if css and not strong:
                style += self.get_component_rich_style(css, partial=True)
            text = fitted(clipped(text, column.width), column.width, column.right)
            segments += [Segment(text, style), Segment("  ", base)]
        return Strip(segments).adjust_cell_length(width, base)

    def _move_to(self, row: int) -> None:
        if row != self._cursor:
            self._cursor = row
            self._show_cursor()
            self.refresh()
            self.post_message(self.Selected())

    def _show_cursor(self) -> None:
        # The header covers the first line of the view, so rows end one line earlier.
        region = Region(0, self._cursor, 1, 1 + _HEADER_ROWS)
        self.scroll_to_region(region, animate=False, force=True, immediate=True, x_axis=False)

    def _place_of(self, selected: BackupRow | None, before: Arranged) -> int:
        """Where the selected backup is now; where it was if it is gone."""
        # On the newest: stay there, so that a new backup is seen at once.
        newest_first = before.wanted == self._arranged.wanted == EVERYTHING
        if selected is not None and (self._cursor > 0 or not newest_first):
            for number, row in enumerate(self._rows):
                if row.path == selected.path:
                    return number
        return max(0, min(self._cursor, len(self._rows) - 1))


def _several_databases(rows: tuple[BackupRow, ...]) -> bool:
    first = rows[0].name.database if rows else ""
    return any(row.name.database != first for row in rows)
