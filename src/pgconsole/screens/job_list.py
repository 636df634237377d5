"""Reads the list of jobs in a feed's thread: the newest first, older ones when they are wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pgconsole.jobs import Job, JobStatus, Tail
from pgconsole.jobs.journal import END
from pgconsole.screens.sources import Journal, Sources
from pgconsole.widgets.grid import Item
from pgconsole.widgets.job_items import is_wrong, job_item
from pgconsole.widgets.progress import Progress, ProgressMeter

PAGE = 150  # jobs; more than any window shows
_BATCH = 10  # jobs that are read between two looks at the clock
_FIRST, _EVERY = 0.1, 0.5  # seconds until the first half list, and between two
_TAIL = 4096  # bytes of a journal's end
_NO_PROGRESS = Progress()


class Running(NamedTuple):
    """A job that runs, with its row, as it is now."""

    job: Job
    item: Item
    progress: Progress


@dataclass(frozen=True, slots=True)
class JobRows:
    """The list as far as it was read.

    Attributes:
        items: A row for each, what runs on top, then the newest first. The same tuple again as
            long as nothing came, went or ended.
        live: Those that run.
        ended: The others, as `kept` keeps them. Grows while older ones are read.
        wrong: The ids of those that are not as they should be.
        unread: How many older ones were not read.
    """

    items: tuple[Item, ...] = ()
    live: Mapping[str, Running] = field(default_factory=dict)
    ended: Mapping[str, Job] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()
    unread: int = 0

    def job(self, job_id: object) -> Job | None:
        """The job of a row, as it is now."""
        running = self.live.get(str(job_id))
        return running.job if running is not None else self.ended.get(str(job_id))


class JobListReader:
    """Makes the rows of the list; those of jobs that have ended only once.

    Args:
        sources: Where jobs and journals come from.
        zone: The time zone that times are shown in.
        now: The clock.
    """

    def __init__(self, sources: Sources, zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        self._pages = sources.pages()
        self._journal = sources.journal
        self._zone = zone
        self._now = now
        self._wanted: float = PAGE
        self._items: dict[str, Item] = {}  # of those that have ended
        self._ended: dict[str, Job] = {}
        self._wrong: set[str] = set()
        self._reading: dict[str, tuple[Journal, ProgressMeter]] = {}
        self._rows = JobRows()

    def want(self, count: float) -> bool:
        """Read so many at least, from the next round on; from any thread.

        Returns:
            Whether that is more than was wanted so far.
        """
        more = count > self._wanted
        self._wanted = max(self._wanted, count)
        return more

    def stop(self) -> None:
        """Read nothing more than what is being read; from any thread."""
        self._wanted = 0

    def read(self, so_far: Callable[[JobRows], None]) -> JobRows:
        """The rows as they are now; half lists while older jobs are read.

        Raises:
            StorageError: The jobs can't be listed.
        """
        if self._renew():
            self._arrange()
        while self._pages.unread > 0 and len(self._ended) < self._wanted:
            so_far(self._rows)
            self._read_older()
            self._renew()
            self._arrange()
            so_far(self._rows)  # before journals are read, which may be long
            so_far(self._with_live())
        return self._with_live()

    def _renew(self) -> bool:
        """See what has come, ended or gone; whether anything has."""
        ended, began, gone = self._pages.renew()
        for job in ended:
            self._add(job)
        for job_id in gone & self._ended.keys():
            del self._ended[job_id], self._items[job_id]
            self._wrong.discard(job_id)
        return bool(ended or began or gone)

    def _read_older(self) -> None:
        """Read for half a second, or longer where arranging takes long too."""
        length = max(_EVERY, len(self._ended) / 20_000) if self._ended else _FIRST
        due = time.monotonic() + length
        while len(self._ended) < self._wanted and time.monotonic() < due:
            batch = self._pages.read_on(_BATCH)
            for job in batch:
                if job.status.ended:
                    self._add(job)
            if not batch:
                break

    def _add(self, job: Job) -> None:
        """Make the row of a job that has ended."""
        now, progress = self._now(), _last_progress(job)
        self._items[job.id] = job_item(job, progress, self._zone, now)
        self._ended[job.id] = kept(job)
        if is_wrong(job, progress, now):
            self._wrong.add(job.id)

    def _arrange(self) -> None:
        """Put all rows in order anew."""
        live = self._live()
        running = (one.item for one in live.values())
        ended = (self._items[job_id] for job_id in sorted(self._items, reverse=True))
        self._rows = JobRows(
            (*running, *ended), live, self._ended, frozenset(self._wrong), self._pages.unread
        )

    def _with_live(self) -> JobRows:
        """The same rows, and those of the jobs that run as they are now."""
        for job_id in self._reading.keys() - self._rows.live.keys():
            del self._reading[job_id]
        for one in self._rows.live.values():
            self._read_journal(one.job)
        live, now = self._live(), self._now()
        stalled = {job_id for job_id, one in live.items() if is_wrong(one.job, one.progress, now)}
        self._rows = replace(self._rows, live=live, wrong=frozenset(self._wrong | stalled))
        return self._rows

    def _read_journal(self, job: Job) -> None:
        if job.id not in self._reading:
            self._reading[job.id] = (self._journal(job), ProgressMeter())
        journal, meter = self._reading[job.id]
        with suppress(OSError):  # the opened job says what is wrong with its log
            while entries := journal.read():
                for entry in entries:
                    meter.feed(entry)

    def _live(self) -> dict[str, Running]:
        now = self._now()
        running = {}
        for job in sorted(self._pages.active.values(), key=lambda job: job.id, reverse=True):
            reading = self._reading.get(job.id)
            progress = reading[1].progress if reading is not None else _NO_PROGRESS
            item = job_item(job, progress, self._zone, now)
            running[job.id] = Running(job, item, progress)
        return running


def kept(job: Job) -> Job:
    """A job as the list keeps it: results of tens of thousands would fill the memory.

    What a restore checked, and what an incomplete backup has made, is needed.
    """
    if job.status is not JobStatus.DONE or job.kind == "restore":
        return job
    return replace(job, result=None)


def _last_progress(job: Job) -> Progress:
    """How far a job came that has no size of its own: the last that its journal says of it."""
    if job.status is JobStatus.DONE and job.kind != "verify":
        return _NO_PROGRESS
    meter = ProgressMeter()
    with suppress(OSError):
        for entry in Tail(job.directory, last_bytes=_TAIL).read():
            if entry.phase != END:
                meter.feed(entry)
    return meter.progress
