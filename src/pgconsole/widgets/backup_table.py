"""A table of any number of backups: only the rows in view are ever rendered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pgconsole.backups.standing import standing
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.copy_text import PINNED, SIGNS
from pgconsole.widgets.marks import NO_MARKS, Marks
from pgconsole.widgets.shelf import EMPTY_SHELF, Shelf
from pgconsole.widgets.words import clean, clipped, short_span, size, stamp, zone_name

_HEADER_ROWS = 1
_MARKER = "▌"  # the selected row can be told without any colour


class _Column(NamedTuple):
    name: str
    width: int
    right: bool = False


class BackupTable(ScrollView, can_focus=True, inherit_bindings=False):
    """The backups of one place, the newest first.

    Args:
        zone: The time zone times are shown in.
        elsewhere: What the other place is called in its column's header.
    """

    class Selected(Message):
        """Another backup is under the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--row", "table--cursor", "table--cursor-blurred",
        "table--good", "table--dim", "table--warning", "table--bad",
    }  # fmt: skip

    def __init__(self, zone: ZoneInfo, elsewhere: str, *, id: str) -> None:
        super().__init__(id=id)
        self._zone = zone
        self._elsewhere_name = elsewhere
        self._shelf = EMPTY_SHELF
        self._marks = NO_MARKS
        self._elsewhere: Mapping[str, int] | None = None
        self._now: datetime | None = None
        self._cursor = 0
        self._ages: list[str] = []

    @property
    def selected(self) -> StoredBackup | None:
        """The backup under the cursor."""
        backups = self._shelf.backups
        return backups[self._cursor] if self._cursor < len(backups) else None

    @property
    def cursor(self) -> int:
        """The selected row, from 0."""
        return self._cursor

    @property
    def elsewhere(self) -> Mapping[str, int]:
        """Sizes of the copies in the other place, as far as they are known."""
        return self._elsewhere or {}

    def fill(
        self, shelf: Shelf, elsewhere: Mapping[str, int] | None, marks: Marks, now: datetime
    ) -> None:
        """Show these backups; the cursor stays on its backup.

        Args:
            shelf: What lies here.
            elsewhere: Sizes of the copies in the other place; None if they are not known.
            marks: What is proven of them, and which are pinned.
            now: The time.
        """
        self._now = now
        if shelf.backups is not self._shelf.backups:  # equal ones would be the same: see readers
            selected = self.selected
            self._shelf = shelf
            self._cursor = self._place_of(selected)
            self.virtual_size = Size(0, len(shelf.backups) + _HEADER_ROWS)
            self._show_cursor()
        elif elsewhere is self._elsewhere and marks is self._marks:
            return
        self._shelf, self._elsewhere, self._marks = shelf, elsewhere, marks
        self.refresh()

    def tick(self, now: datetime) -> None:
        """Let the ages grow; paints only if one in view reads differently now."""
        self._now = now
        first = round(self.scroll_y)
        rows = self._shelf.backups[first : first + self.size.height]
        ages = [self._age(backup) + self._state(backup)[0] for backup in rows]
        if ages != self._ages:
            self._ages = ages
            self.refresh()

    def move(self, where: str) -> None:
        """Move the cursor: up, down, page_up, page_down, top or bottom."""
        page = max(1, self.size.height - _HEADER_ROWS - 1)
        last = len(self._shelf.backups) - 1
        target = {
            "up": self._cursor - 1,
            "down": self._cursor + 1,
            "page_up": self._cursor - page,
            "page_down": self._cursor + page,
            "top": 0,
            "bottom": last,
        }[where]
        self._move_to(max(0, min(target, last)))

    def on_click(self, event: events.Click) -> None:
        """Select the row that was clicked."""
        row = event.y - _HEADER_ROWS + round(self.scroll_y)
        if event.y >= _HEADER_ROWS and row < len(self._shelf.backups):
            self._move_to(row)

    def watch_has_focus(self, focused: bool) -> None:
        """The cursor looks different where keys go."""
        super().watch_has_focus(focused)
        self.refresh()

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

    def _place_of(self, selected: StoredBackup | None) -> int:
        """Where the selected backup is now; where it was if it is gone."""
        backups = self._shelf.backups
        # On the newest: stay there, so that a new backup is seen at once.
        if selected is not None and self._cursor > 0:
            for row, backup in enumerate(backups):
                if backup.location == selected.location:
                    return row
        return max(0, min(self._cursor, len(backups) - 1))

    def _age(self, backup: StoredBackup) -> str:
        return short_span(self._now - backup.name.taken_at) if self._now else ""

    def render_line(self, y: int) -> Strip:
        """One line of the view: the header, a backup, or nothing."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        columns = self._columns(width)
        if y < _HEADER_ROWS:
            style = base + self.get_component_rich_style("table--header", partial=True)
            text = "  " + "  ".join(_pad(c.name, c) for c in columns)
            return Strip([Segment(text, style)]).adjust_cell_length(width, style)
        row = y - _HEADER_ROWS + round(self.scroll_y)
        if row >= len(self._shelf.backups):
            return Strip.blank(width, base)
        return self._render_row(row, columns, width, base)

    def _render_row(self, row: int, columns: list[_Column], width: int, base: Style) -> Strip:
        backup = self._shelf.backups[row]
        chosen = row == self._cursor
        if chosen:
            name = "table--cursor" if self.has_focus else "table--cursor-blurred"
            base += self.get_component_rich_style(name, partial=True)
        pinned = self._marks.pin(backup) is not None
        mark = (_MARKER if chosen else " ") + (PINNED if pinned else " ")
        segments = [Segment(mark, base)]
        for column, (text, css) in zip(columns, self._cells(backup, columns), strict=True):
            style = base
            if css and not (chosen and self.has_focus):
                style += self.get_component_rich_style(css, partial=True)
            segments += [Segment(_pad(text, column), style), Segment("  ", base)]
        return Strip(segments).adjust_cell_length(width, base)

    def _columns(self, width: int) -> list[_Column]:
        zone = zone_name(self._zone, self._now) if self._now else ""
        columns = [
            _Column(f"TAKEN {clipped(zone, 8)} ▼", 16),
            _Column("AGE", 6, right=True),
            _Column("CLASS", 7),
            _Column("SIZE", 10, right=True),
            _Column("STATE, PROVEN", 17),
        ]
        if self._elsewhere is not None:
            columns.append(_Column(self._elsewhere_name, 5))
        if len(self._shelf.by_database) > 1:
            # Whose backup it is matters more than what can be seen otherwise.
            while (rest := width - _taken_by(columns)) < 12 and len(columns) > 3:
                columns.remove(_least_needed(columns, self._elsewhere_name))
            columns.insert(1, _Column("DATABASE", max(8, min(rest - 2, 32))))
        return columns

    def _cells(self, backup: StoredBackup, columns: list[_Column]) -> list[tuple[str, str]]:
        """Text and component class of each cell."""
        there = backup.name.relative_path in self.elsewhere
        state, css = self._state(backup)
        cells = {
            "AGE": (self._age(backup), ""),
            "CLASS": (str(backup.name.backup_class), "table--dim"),
            "SIZE": (size(backup.size), ""),
            "STATE, PROVEN": (state, css),
            "DATABASE": (clean(backup.name.database), ""),
            self._elsewhere_name: ("yes", "table--dim") if there else ("no", "table--warning"),
        }
        taken = (stamp(backup.name.taken_at, self._zone), "")
        found = [taken, *(cells[column.name] for column in columns[1:])]
        return [
            (clipped(text, c.width), css) for (text, css), c in zip(found, columns, strict=True)
        ]

    def _state(self, backup: StoredBackup) -> tuple[str, str]:
        """The word for what is known of a copy, how old that knowledge is, and its class."""
        proof = self._marks.proof(backup)
        known = standing(backup, self.elsewhere, proof)
        sign, kind = SIGNS[known]
        age = f" {short_span(self._now - proof.at)}" if proof is not None and self._now else ""
        return f"{sign} {known}{age}", "" if kind == "plain" else f"table--{kind}"


def _taken_by(columns: list[_Column]) -> int:
    return 2 + sum(column.width + 2 for column in columns)


def _least_needed(columns: list[_Column], elsewhere: str) -> _Column:
    for name in (elsewhere, "AGE", "SIZE"):
        for column in columns:
            if column.name == name:
                return column
    return columns[-1]


def _pad(text: str, column: _Column) -> str:
    text = set_cell_size(text, column.width) if cell_len(text) > column.width else text
    space = " " * (column.width - cell_len(text))
    return space + text if column.right else text + space
