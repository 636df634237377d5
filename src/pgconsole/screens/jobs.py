"""All jobs, running and past: how long, how much, how they ended and why."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from pgconsole.actions import Where, actions_of
from pgconsole.jobs import Job
from pgconsole.screens.base import screen_for
from pgconsole.screens.feed import Feed
from pgconsole.screens.job import JobScreen
from pgconsole.screens.job_list import PAGE, JobListReader, JobRows
from pgconsole.screens.job_work import JobWorkScreen
from pgconsole.screens.jobs_text import notice
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Accepted
from pgconsole.settings import Settings
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.console import memory_of
from pgconsole.widgets.filter_line import FilterLine
from pgconsole.widgets.grid import Grid, Item
from pgconsole.widgets.job_items import JOBS
from pgconsole.widgets.job_text import detail_text
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.remembered import recall, remember
from pgconsole.widgets.words import counted, zone_name

_EVERY = 1.0  # seconds: a job that somebody else starts appears within two
_LEAST_REASON = 10  # cells: the line below the list tells all of it
_NO_ROWS = JobRows()


@dataclass
class RowsKnown(Message):
    """What is known of the jobs."""

    known: Known[JobRows]


class JobsScreen(JobWorkScreen, inherit_bindings=False):
    """The list of jobs.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from.
        now: The clock.
    """

    WHERE = Where.JOBS
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.JOBS))

    def __init__(self, settings: Settings, sources: Sources, now: Callable[[], datetime]) -> None:
        super().__init__(settings, sources, now)
        self._reader = JobListReader(sources, settings.backup_timezone, now)
        self._known: Known[JobRows] = Known()
        self._shown: tuple[Item, ...] = ()
        self._only_wrong = False
        self._filtered = ""  # by which expression
        self._to_the_end = False
        self._grid = Grid(JOBS, id="jobs", least_flex=_LEAST_REASON)
        self._detail = Line(classes="jobs-detail")
        self._filter = FilterLine(lambda: self._grid)

        def deliver(known: Known[JobRows]) -> None:
            self.post_message(RowsKnown(known))

        self._feed: Feed[JobRows] = Feed(
            "The list of jobs", self._reader.read, deliver, every=_EVERY, now=now,
            redact=settings.redactor,
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Title, state, the table, its selected row in words, filter, footer."""
        yield self.title_line
        yield self.notice
        yield self._grid
        yield self._detail
        yield self._filter
        yield KeyFooter()

    @property
    def job(self) -> Job | None:
        """See `JobWorkScreen`."""
        return self._rows.job(self._grid.selected)

    @property
    def _rows(self) -> JobRows:
        return self._known.so_far or self._known.value or _NO_ROWS

    def start(self) -> None:
        """Begin to read, sorted and filtered as the last time."""
        self._filtered = recall(memory_of(self), "jobs", self._grid, of=self.settings)
        self._filter.show(self._filtered)
        self._grid.focus()
        self._feed.start()

    def stop(self) -> None:
        """Deliver nothing any more, and leave the disk alone."""
        self._feed.stop()
        self._reader.stop()

    def tick(self) -> None:
        """Let ages grow."""
        now = self.now()
        self._show_title(now)
        parts = notice(self._known, len(self._shown), now, only_wrong=self._only_wrong)
        self.notice.show(*parts)
        self.notice.display = bool(parts)
        self._show_detail(now)

    @on(RowsKnown)
    def _rows_known(self, message: RowsKnown) -> None:
        self._known = message.known
        self._fill()
        self.tick()
        self.show_keys()
        self._read_ahead()

    @on(Accepted)
    def _accepted(self) -> None:
        self._feed.refresh()

    def _fill(self) -> None:
        """Show other rows only if they are others: twenty thousand take a while."""
        rows = self._rows
        items = rows.items
        if self._only_wrong:
            items = tuple(item for item in items if item.value in rows.wrong)
        if items is not self._shown and items != self._shown:
            self._shown = items
            self._grid.fill(items)
            if self._filtered and self._filtered == self._filter.text:
                self._filter.count(self._grid)
            if self._to_the_end:
                self._grid.move("bottom")
        self._grid.renew({job_id: one.item for job_id, one in rows.live.items()})

    # In words

    def _show_title(self, now: datetime) -> None:
        rows = self._rows
        running = f"{len(rows.live)} running, " if rows.live else ""
        count = counted(len(rows.items) + rows.unread, "job")
        zone = zone_name(self.settings.backup_timezone, now)
        self.title_line.show(
            (" Jobs ", "bold"),
            (" only what went wrong ", "reverse bold") if self._only_wrong else "",
            (f" {running}{count}, times in {zone}" if rows.items else "", "$muted"),
        )

    def _show_detail(self, now: datetime) -> None:
        job = self.job
        self._detail.display = job is not None
        if job is not None:
            running = self._rows.live.get(job.id)
            progress = running.progress if running is not None else Progress()
            self._detail.show(*detail_text(job, progress, self.settings.backup_timezone, now))

    # Moving

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._show_detail(self.now())
        self.show_keys()
        self._read_ahead()

    def _read_ahead(self) -> None:
        """Read on before the cursor comes to the end, but nothing while that is being done."""
        if self._known.so_far is not None:
            return
        if self._filtered or self._grid.order[0]:
            self._want(math.inf)
        elif self._grid.is_near_end(PAGE // 2):
            self._want(len(self._rows.ended) + PAGE)

    def _remember(self) -> None:
        remember(memory_of(self), "jobs", self._grid, self._filtered, of=self.settings)

    def _want(self, count: float) -> None:
        if self._rows.unread and self._reader.want(count):
            self._feed.refresh()

    def action_move(self, where: str) -> None:
        """Move in the list; its end is known when all were read."""
        self._to_the_end = where == "bottom"
        if self._to_the_end:
            self._want(math.inf)
        self._grid.move(where)

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._want(math.inf)
        self._grid.sort()
        self._remember()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._want(math.inf)
        self._grid.reverse()
        self._remember()

    def action_wrong(self) -> None:
        """Show only what went wrong, or all again."""
        self._only_wrong = not self._only_wrong
        self._want(math.inf)
        self._fill()
        self.tick()

    def action_filter(self) -> None:
        """Type a filter."""
        self._filter.open()

    @on(FilterLine.Changed)
    def _filter_changed(self, message: FilterLine.Changed) -> None:
        if self._filter.narrow(self._grid, message.text):
            self._filtered = message.text
            self._want(math.inf)
            self._remember()

    # Work

    def is_possible(self, action: str) -> bool:
        """See `ConsoleScreen`."""
        return self.job is not None if action == "open" else super().is_possible(action)

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the selected job."""
        if (job := self.job) is not None:
            screen = screen_for(JobScreen, self.settings)
            self.app.push_screen(screen(self.settings, job.id, self.sources, self.now))

    def action_reload(self) -> None:
        """Read again now."""
        self._feed.refresh()

    def action_back(self) -> None:
        """Show all again, or go back."""
        if self._filter.text:
            self._filter.action_clear()
        elif self._only_wrong:
            self.action_wrong()
        else:
            self.dismiss()
