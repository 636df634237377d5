"""The three lists of backups: all, local ones, those in S3. One filter and one order for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message

from pgconsole.actions import Where as Part
from pgconsole.actions import actions_of
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.arrangement import EVERYTHING, Arranged, SortBy, Wanted, compiled
from pgconsole.widgets.backup_facts import where
from pgconsole.widgets.backup_pane import BackupPane
from pgconsole.widgets.backup_rows import BackupRow, View
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.console import memory_of
from pgconsole.widgets.filter_line import FilterLine
from pgconsole.widgets.known import Known
from pgconsole.widgets.shelf import Shelf


class Backups(Container, inherit_bindings=False):
    """The lists; side by side where there is room, and the list of all alone."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Part.BACKUPS))

    class Asked(Message):
        """Other rows, or another order, are wanted."""

        def __init__(self, wanted: Wanted) -> None:
            super().__init__()
            self.wanted = wanted

    class Copied(Message):
        """Paths or keys are wanted outside of the console."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, settings: Settings) -> None:
        super().__init__(id="backups")
        self._settings = settings
        self.panes = {view: BackupPane(settings, view, number) for number, view in enumerate(View)}
        self.wanted = EVERYTHING
        self._view = View.ALL if settings.s3_enabled else View.LOCAL
        self._marked: set[str] = set()
        self._filter = FilterLine(lambda: self.active.table)

    def compose(self) -> ComposeResult:
        """The lists, and the line in which a filter is typed."""
        with Container(id="backup-lists"):
            yield from self.panes.values()
        yield self._filter

    def on_mount(self) -> None:
        """Filter and order as the last time; a filter is in its line, for all to see."""
        self.activate(self._view)
        memory, of = memory_of(self), self._settings
        text, sort = memory.get("main.filter", "", of=of), memory.get("main.sort", "taken", of=of)
        # Somebody may have written anything into the file.
        with suppress(re.error, ValueError):
            compiled(text)
            reverse = memory.get("main.descending", True, of=of)
            self.wanted = Wanted(filter=text, sort=SortBy(sort), reverse=reverse)
            self._filter.show(text)

    @property
    def active(self) -> BackupPane:
        """The list that keys act on."""
        return self.panes[self._view]

    @property
    def selected(self) -> BackupRow | None:
        """The row under its cursor."""
        return self.active.table.selected

    @property
    def copy(self) -> StoredBackup | None:
        """The copy under its cursor."""
        row = self.selected
        return row.copy(self._view) if row is not None else None

    @property
    def chosen(self) -> tuple[BackupRow, ...]:
        """The marked rows of the list, else the one under its cursor."""
        table = self.active.table
        marked = tuple(row for row in table.rows if row.path in self._marked)
        return marked or tuple(filter(None, (table.selected,)))

    @property
    def chosen_copies(self) -> tuple[StoredBackup, ...]:
        """The copies of these rows that the list is about."""
        return tuple(row.copy(self._view) for row in self.chosen)

    def activate(self, view: View) -> None:
        """Let keys act on another list."""
        self._view = view
        self.set_class(view is View.ALL, "-together")

    def show_known(self, local: Known[Shelf], s3: Known[Shelf], now: datetime) -> None:
        """What is known of the places."""
        for pane in self.panes.values():
            pane.show_known(local, s3, now)

    def show_rows(self, arranged: Arranged, now: datetime) -> None:
        """Draw the lists."""
        for pane in self.panes.values():
            pane.show_rows(arranged, now)
        if self._marked:
            there = {row.path for row in self.panes[View.ALL].table.rows}
            if not self._marked <= there and not arranged.wanted.hides:
                self._mark(self._marked & there)
        shown, total = len(self.active.table.rows), arranged.totals.get(self._view, 0)
        self._filter.say(f"{shown:,} of {total:,}" if arranged.wanted.filter else "")

    def tick(self, now: datetime) -> None:
        """Let ages grow."""
        for pane in self.panes.values():
            pane.tick(now)

    def unmark(self) -> None:
        """Take off all marks: what they were for was begun."""
        self._mark(())

    def action_filter(self) -> None:
        """Type a filter."""
        self._filter.open()

    @on(FilterLine.Changed)
    def _filter_changed(self, message: FilterLine.Changed) -> None:
        try:
            compiled(message.text)
        except re.error as error:
            self._filter.say(f"! {error}")
            return
        self._want(replace(self.wanted, filter=message.text))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._want(self.wanted.sorted_by_next())

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._want(replace(self.wanted, reverse=not self.wanted.reverse))

    def action_wrong(self) -> None:
        """Show only what is wrong, or all again."""
        self._want(replace(self.wanted, wrong_only=not self.wanted.wrong_only))

    def action_show_all(self) -> None:
        """Take off filter and marks; the order stays."""
        self._filter.show("")
        self._mark(())
        self._want(replace(self.wanted, filter="", wrong_only=False))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark off; then go on to the next."""
        row = self.selected
        if row is not None:
            self._mark(self._marked ^ {row.path})
            self.active.table.move("down")

    def action_mark_all(self) -> None:
        """Mark all rows of the list, or none."""
        rows = {row.path for row in self.active.table.rows}
        self._mark(() if rows <= self._marked else self._marked | rows)

    def action_copy_location(self) -> None:
        """Have the paths or URLs of what is chosen copied."""
        if copies := self.chosen_copies:
            places = [where(self._settings, copy) for copy in copies]
            self.post_message(self.Copied("\n".join(places)))

    def _want(self, wanted: Wanted) -> None:
        if wanted != self.wanted:
            self.wanted = wanted
            memory, of = memory_of(self), self._settings
            memory.set("main.filter", wanted.filter, of=of)
            memory.set("main.sort", str(wanted.sort), of=of)
            memory.set("main.descending", wanted.reverse, of=of)
            self.post_message(self.Asked(wanted))

    def _mark(self, marked: Iterable[str]) -> None:
        self._marked = set(marked)
        for pane in self.panes.values():
            pane.mark(self._marked)
