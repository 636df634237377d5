"""A backup opened: what is known of it, its tables, what has changed, what was proven, its SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import ContentSwitcher

from pgconsole.actions import Where, actions_of
from pgconsole.backups.opened import TableFacts, tables_of
from pgconsole.dumps.objects import SqlObject
from pgconsole.screens import inside_feeds as news
from pgconsole.screens.base import screen_for
from pgconsole.screens.inside import Inside, read_sql
from pgconsole.screens.inside_screen import InsideScreen
from pgconsole.screens.rows import RowsScreen
from pgconsole.screens.sources import Sources
from pgconsole.screens.sql import SqlScreen
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets import backup_items as items
from pgconsole.widgets.backup_facts import facts, where
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.clipboard import copy
from pgconsole.widgets.console import memory_of
from pgconsole.widgets.filter_line import FilterLine
from pgconsole.widgets.grid import Grid
from pgconsole.widgets.inside_text import State, notice
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.pane_tabs import PaneTab, PaneTabs
from pgconsole.widgets.remembered import recall, remember
from pgconsole.widgets.words import clean

_TABS = {"tables": "Tables", "changes": "Changes", "evidence": "Evidence", "objects": "Objects"}


class BackupScreen(InsideScreen, inherit_bindings=False):
    """One copy of a backup.

    Args:
        settings: What the operator configured.
        backup: The copy.
        sources: Where the news about jobs comes from.
        now: The clock.
        inside: Where all else comes from.
        marks: What was proven when it was opened, for the dialog before verifying.
    """

    WHERE = Where.BACKUP
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.BACKUP))

    def __init__(
        self,
        settings: Settings,
        backup: StoredBackup,
        sources: Sources,
        now: Callable[[], datetime],
        *,
        inside: Inside,
        marks: Marks,
    ) -> None:
        super().__init__(settings, backup, sources, now)
        self._inside = inside
        self._marks = marks
        self._feeds = news.InsideFeeds(settings, inside, self.post_message, now)
        self._state = State(Known(), Known(), Known(), Known())
        self._tables: dict[object, TableFacts] = {}  # by their place in the dump
        self._objects: dict[object, SqlObject] = {}
        self._active = "tables"
        self._facts = Line(classes="inside-facts")
        self._tab_line = PaneTabs(tuple(_TABS))
        self._grids = {
            "tables": Grid(items.TABLES, id="tables"),
            "changes": Grid(items.CHANGES, id="changes", sort=1),
            "evidence": Grid(items.EVIDENCE, id="evidence", sort=0),
            "objects": Grid(items.OBJECTS, id="objects"),
        }
        self._filter = FilterLine(lambda: self.grid)
        self._filters = dict.fromkeys(_TABS, "")

    def compose(self) -> ComposeResult:
        """Name, facts, job, tabs, the table of one of them, filter, footer."""
        yield self.title_line
        yield self._facts
        yield self.job_line.strip
        yield self._tab_line
        yield self.notice
        with ContentSwitcher(initial="tables"):
            yield from self._grids.values()
        yield self._filter
        yield KeyFooter()

    @property
    def grid(self) -> Grid:
        """The table of the active tab."""
        return self._grids[self._active]

    def start(self) -> None:
        """Begin to read."""
        super().start()
        self._recall()
        self.grid.focus()
        self._feeds.open()

    def stop(self) -> None:
        """See `InsideScreen`."""
        super().stop()
        self._feeds.stop()

    def tick(self) -> None:
        """Let ages grow."""
        super().tick()
        now = self.now()
        place = "in S3" if self.backup.place == "s3" else "here"
        self.title_line.show(
            (f" {clean(self.backup.name.filename)} ", "bold"), (f" {place}", "$muted")
        )
        opened = self._state.opened.value
        self._facts.show(*facts(self.settings, self.backup, opened, now, self.size.width))
        parts = notice(self._active, self._state, self.settings, self.backup, now)
        self.notice.show(*parts)
        self.notice.display = bool(parts)
        self._show_tabs()

    def ended(self) -> None:
        """A job may have proven something, or written a manifest."""
        self.action_reload()

    # What the feeds bring

    @on(news.OpenedKnown)
    def _opened_known(self, message: news.OpenedKnown) -> None:
        self._state.opened = message.known
        opened = message.known.value
        if opened is not None:
            self.backup = opened.backup
            proofs = items.evidence_items(opened.evidence, opened.backup, self.now())
            self._grids["evidence"].fill(proofs)
            self._fill_tables()
        self._read_on()

    @on(news.FrontKnown)
    def _front_known(self, message: news.FrontKnown) -> None:
        self._state.front = message.known
        self._fill_tables()
        self._read_on()

    @on(news.ChangesKnown)
    def _changes_known(self, message: news.ChangesKnown) -> None:
        self._state.changes = message.known
        if message.known.value is not None:
            self._grids["changes"].fill(items.change_items(message.known.value.tables))
        self.tick()

    @on(news.ObjectsKnown)
    def _objects_known(self, message: news.ObjectsKnown) -> None:
        before, self._state.objects = self._state.objects, message.known
        found = message.known.value or message.known.so_far
        if found is not None and found is not (before.value or before.so_far):
            self._objects = {(one.place, one.start): one for one in found}
            self._grids["objects"].fill(items.object_items(found))
        self.tick()

    def _fill_tables(self) -> None:
        manifest = self._state.manifest
        tables = tables_of(manifest) if manifest is not None else ()
        self._tables = {table.place: table for table in tables}
        self._grids["tables"].fill(items.table_items(tables))

    def _read_on(self) -> None:
        """Read what the active tab shows, when that can be read by now."""
        state = self._state
        opened = state.opened.value
        if opened is not None and self._active == "changes":
            self._feeds.compare(opened)
        manifest = state.manifest
        if manifest is not None and self._active == "objects" and state.is_cut:
            self._feeds.objects(manifest)
        self.refresh_bindings()
        self.tick()

    # Tabs

    def _show_tabs(self) -> None:
        texts = {}
        for number, (tab, title) in enumerate(_TABS.items(), start=1):
            shown, of = self._grids[tab].count
            count = f" · {shown:,}/{of:,}" if shown != of else f" · {of:,}" if of else ""
            texts[tab] = f"{number} {title}{count}"
        self._tab_line.show(texts, self._active)

    @on(PaneTab.Chosen)
    def _tab_chosen(self, message: PaneTab.Chosen) -> None:
        self.action_tab(message.pane)

    def action_tab(self, name: str) -> None:
        """Go to a tab."""
        self._active = name
        self.query_one(ContentSwitcher).current = name
        self._filter.show(self._filters[name])
        self.grid.focus()
        self._read_on()

    def action_next_tab(self) -> None:
        """Go to the next tab."""
        self.action_tab(self._tab_line.beside(self._active, 1))

    def action_previous_tab(self) -> None:
        """Go to the tab before."""
        self.action_tab(self._tab_line.beside(self._active, -1))

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._show_tabs()
        self.refresh_bindings()

    def action_move(self, where: str) -> None:
        """Move in the table."""
        self.grid.move(where)

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.grid.sort()
        self._remember()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.grid.reverse()
        self._remember()

    def action_filter(self) -> None:
        """Type a filter."""
        self._filter.open()

    @on(FilterLine.Changed)
    def _filter_changed(self, message: FilterLine.Changed) -> None:
        if self._filter.narrow(self.grid, message.text):
            self._filters[self._active] = message.text
            self._remember()

    def _recall(self) -> None:
        memory = memory_of(self)
        for tab, grid in self._grids.items():
            self._filters[tab] = recall(memory, f"backup.{tab}", grid, of=self.settings)
        self._filter.show(self._filters[self._active])

    def _remember(self) -> None:
        tab = self._active
        text = self._filters[tab]
        remember(memory_of(self), f"backup.{tab}", self.grid, text, of=self.settings)

    # Work

    def is_possible(self, action: str) -> bool:
        """See `ConsoleScreen`."""
        if action == "open":
            return bool(self._table() or self._object())
        if action == "export":
            return self._table() is not None
        if action == "front":
            return self._can_read_front()
        return super().is_possible(action)

    @on(Grid.Opened)
    def action_open(self) -> None:
        """The rows of the table, or the SQL of the object."""
        manifest = self._state.manifest
        if manifest is None:
            return
        if (table := self._table()) is not None:
            screen = screen_for(RowsScreen, self.settings)(
                self.settings, self.backup, self.sources, self.now,
                inside=self._inside, manifest=manifest, table=table,
            )  # fmt: skip
            self.app.push_screen(screen)
        elif (found := self._object()) is not None:
            read = partial(self._read_sql, found)
            self.app.push_screen(SqlScreen(self.settings, found, read, self.now))

    def action_export(self) -> None:
        """Write the selected table to a file."""
        if (table := self._table()) is not None:
            self.export(table)

    def action_copy_location(self) -> None:
        """Send its path or URL to the terminal's clipboard."""
        copy(self.app, where(self.settings, self.backup))

    def action_verify(self) -> None:
        """Ask, then verify this copy."""
        self.errands.verify([self.backup], self._marks)

    def action_front(self) -> None:
        """Read what can be had only from the front."""
        if self._state.is_whole and self._state.manifest is not None:
            self._feeds.objects(self._state.manifest)
        else:
            self._feeds.front()

    def action_reload(self) -> None:
        """Read all anew; what is shown stays until then."""
        self._feeds.stop()
        self._state.changes = Known()
        self._state.objects = Known()
        self._feeds.open()

    def action_back(self) -> None:
        """Clear the filter, or go back."""
        if self._filters[self._active]:
            self._filter.action_clear()
        else:
            self.dismiss()

    def _can_read_front(self) -> bool:
        state = self._state
        if state.opened.value is None or state.is_cut:
            return False
        return not state.is_whole or (self._active == "objects" and state.objects.value is None)

    def _table(self) -> TableFacts | None:
        """The selected table, if it is in this dump."""
        if self._active not in ("tables", "changes"):
            return None
        return self._tables.get(self.grid.selected)

    def _object(self) -> SqlObject | None:
        return self._objects.get(self.grid.selected) if self._active == "objects" else None

    def _read_sql(self, found: SqlObject) -> tuple[str, bool]:
        manifest = self._state.manifest
        assert manifest is not None
        return read_sql(self._inside.look(manifest), found)
