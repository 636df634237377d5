"""The rows of one table of a backup, page by page, straight from its file or object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from pgconsole.actions import Where, actions_of
from pgconsole.backups.looking import Look, Page
from pgconsole.backups.opened import TableFacts
from pgconsole.dumps.manifest import Manifest
from pgconsole.screens.feed import Feed
from pgconsole.screens.inside import Inside
from pgconsole.screens.inside_screen import InsideScreen
from pgconsole.screens.reading import ReadingScreen
from pgconsole.screens.sources import Sources
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.cells import visible
from pgconsole.widgets.inside_text import AGAIN
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Part
from pgconsole.widgets.pane import age_text
from pgconsole.widgets.problem import problem_text
from pgconsole.widgets.rows_view import PAGE, RowsView
from pgconsole.widgets.words import clean, counted, size

_ONCE = 1e9  # seconds


@dataclass(frozen=True, slots=True)
class Came:
    """A page, and what had been read for all so far."""

    page: Page
    bytes_read: int
    size: int


@dataclass
class PageKnown(Message):
    """What is known of the page that was asked for last."""

    known: Known[Came]


class RowsScreen(InsideScreen, inherit_bindings=False):
    """Rows of a table.

    Args:
        settings: What the operator configured.
        backup: The copy.
        sources: Where the news about jobs comes from.
        now: The clock.
        inside: Where the rows come from.
        manifest: What is in the copy.
        table: Which table.
    """

    WHERE = Where.ROWS
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.ROWS))

    def __init__(
        self,
        settings: Settings,
        backup: StoredBackup,
        sources: Sources,
        now: Callable[[], datetime],
        *,
        inside: Inside,
        manifest: Manifest,
        table: TableFacts,
    ) -> None:
        super().__init__(settings, backup, sources, now)
        self._inside = inside
        self._manifest = manifest
        self._table = table
        self._look: Look | None = None
        self._wanted = 0
        self._known: Known[Came] = Known()
        self._came: Came | None = None
        self.view = RowsView(table.section.columns, table.rows)

        def deliver(known: Known[Came]) -> None:
            self.post_message(PageKnown(known))

        self._feed: Feed[Came] = Feed(
            "The rows", lambda _: self._read(), deliver, every=_ONCE, now=now,
            redact=settings.redactor,
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """The table's name, the rows, what was read for them, the footer."""
        yield self.title_line
        yield self.job_line.strip
        yield self.notice
        yield self.view
        yield self.info
        yield KeyFooter()

    def start(self) -> None:
        """Begin to read."""
        super().start()
        self.view.focus()
        if self._table.rows:
            self._feed.start()

    def stop(self) -> None:
        """See `InsideScreen`."""
        super().stop()
        self._feed.stop()

    def tick(self) -> None:
        """Let ages grow, and say where we are."""
        super().tick()
        table = self._table
        columns = len(table.section.columns)
        self.title_line.show(
            (f" {visible(table.name)} ", "bold"),
            (f" {counted(table.rows, 'row')} · {counted(columns, 'column')}"
             f" · {clean(self.backup.name.filename)}", "$muted"),
        )  # fmt: skip
        known = self._known
        parts: list[Part] = []
        if known.problem is not None:
            parts = [*problem_text(known.problem), *AGAIN]
        elif not table.rows:
            parts = [("The table is empty", "$muted")]
        elif self._came is None:
            parts = [("Reading …", "$muted")]
        self.notice.show(*parts)
        self.notice.display = bool(parts)
        self._show_info()

    @on(PageKnown)
    def _page_known(self, message: PageKnown) -> None:
        self._known = known = message.known
        if known.value is not None and known.asked_at is None and known.problem is None:
            self._came = known.value
            self.view.add(known.value.page.start, known.value.page.rows)
            self.view.want()
        self.tick()

    @on(RowsView.Wanted)
    def _page_wanted(self, message: RowsView.Wanted) -> None:
        if self._wanted != message.start or self._known.problem is None:
            self._wanted = message.start
            self._feed.refresh()

    def _read(self) -> Came:
        """In the feed's thread, which alone has the look."""
        if self._look is None:
            self._look = self._inside.look(self._manifest)
        page = self._look.page(self._table.section, self._wanted, PAGE)
        source = self._look.source
        return Came(page, source.bytes_read, source.size)

    @on(RowsView.Moved)
    def _show_info(self) -> None:
        first, last = self.view.in_view
        parts = [f"rows {first + 1:,}–{last:,} of {self._table.rows:,}"] if last else []
        if self._came is not None:
            read = self._look.source.bytes_read if self._look else self._came.bytes_read
            parts.append(f"read {size(read)} of {size(self._came.size)}")
        if waiting := age_text(Known(asked_at=self._known.asked_at), self.now()):
            parts.append(waiting)
        parts.append("∅ NULL")
        self.info.show(" · ".join(parts))

    def action_move(self, where: str) -> None:
        """Move in the rows."""
        self.view.move(where)

    def action_reload(self) -> None:
        """Read again, from a new connection."""
        self._known = Known()
        self._feed.refresh()

    def action_export(self) -> None:
        """Ask where to, then write them there."""
        self.export(self._table)

    @on(RowsView.Opened)
    def action_open(self) -> None:
        """The selected row, one column a line."""
        row = self.view.selected
        if row is None:
            return
        parts: list[Part] = []
        for name, cell in zip(self._table.section.columns, row, strict=False):
            parts.append((f"{visible(name)}\n", "bold $text-primary"))
            if cell is None:
                parts.append(("  NULL\n", "$muted italic"))
            elif not cell.text and not cell.rest:
                parts.append(("  the empty text\n", "$muted italic"))
            else:
                parts.append(f"  {visible(cell.text)}\n")
            if cell is not None and cell.rest:
                rest = f"  … {size(cell.rest)} more; x exports all of it\n"
                parts.append((rest, "$muted italic"))
        title = f"Row {self.view.cursor + 1:,} of {visible(self._table.name)}"
        self.app.push_screen(ReadingScreen(title, parts=parts))
