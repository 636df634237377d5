"""All feeds of the main screen. Their threads only post messages; widgets are none of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual.message import Message

from pgconsole.jobs import Job, JournalEntry
from pgconsole.screens.feed import Feed
from pgconsole.screens.pace import paced
from pgconsole.screens.sources import Journal, Sources
from pgconsole.settings import Settings
from pgconsole.widgets.known import Known
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf

# Seconds. What lies in the backup directory is seen by every console within two of them.
_LOCAL_EVERY, _S3_EVERY, _JOBS_EVERY, _JOURNAL_EVERY, _SCHEDULE_EVERY = 1.0, 60.0, 0.5, 0.3, 1.5


@dataclass
class LocalKnown(Message):
    """What is known of the backup directory."""

    known: Known[Shelf]


@dataclass
class S3Known(Message):
    """What is known of the bucket."""

    known: Known[Shelf]


@dataclass
class JobsKnown(Message):
    """What is known of the jobs."""

    known: Known[tuple[Job, ...]]


@dataclass
class ScheduleKnown(Message):
    """What is known of the schedule."""

    known: Known[Timetable]


@dataclass(frozen=True, slots=True)
class Growth:
    """New entries of a journal; `first` if they are its first, so that others go."""

    job_id: str
    entries: list[JournalEntry]
    first: bool


@dataclass
class JournalKnown(Message):
    """What is known of the followed journal."""

    known: Known[Growth | None]


class Feeds:
    """Starts, refreshes and stops the feeds.

    Args:
        settings: Says whether S3 is set up.
        sources: Where the data comes from.
        post: Takes messages from any thread.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        post: Callable[[Message], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._sources = sources
        self._followed: Job | None = None
        self._reading: tuple[str, Journal] | None = None

        def feed(
            name: str,
            load: Callable[[], Any],
            message: Callable[[Known[Any]], Message],
            every: float,
        ) -> Feed[Any]:
            return growing(name, lambda _: load(), message, every)

        def growing(
            name: str,
            load: Callable[[Callable[[Any], None]], Any],
            message: Callable[[Known[Any]], Message],
            every: float,
        ) -> Feed[Any]:
            def deliver(known: Known[Any]) -> None:
                post(message(known))

            return Feed(name, load, deliver, every=every, now=now, redact=settings.redactor)

        self._local = feed("The backup directory", sources.local, LocalKnown, _LOCAL_EVERY)
        self._s3 = growing("The bucket", sources.s3, S3Known, _S3_EVERY)
        self._jobs = feed("The list of jobs", sources.jobs, JobsKnown, paced(_JOBS_EVERY, settings))
        self._schedule = feed("The schedule", sources.schedule, ScheduleKnown, _SCHEDULE_EVERY)
        self._journal = feed(
            "The log", self._read_journal, JournalKnown, paced(_JOURNAL_EVERY, settings)
        )
        self._all = [self._jobs, self._local, self._journal, self._schedule]
        if settings.s3_enabled:
            self._all.append(self._s3)

    def start(self) -> None:
        """Begin to read."""
        for feed in self._all:
            feed.start()

    def stop(self) -> None:
        """Deliver nothing any more; waits for nobody."""
        for feed in self._all:
            feed.stop()

    def reload(self) -> None:
        """Read both lists of backups, the jobs and the schedule again now."""
        for feed in (self._local, self._s3, self._jobs, self._schedule):
            feed.refresh()

    def reload_local(self) -> None:
        """Read the backup directory, and what was noted there, again now."""
        self._local.refresh()

    def reload_schedule(self) -> None:
        """Read the schedule again now."""
        self._schedule.refresh()

    def reload_jobs(self) -> None:
        """Read the jobs again now."""
        self._jobs.refresh()

    def follow(self, job: Job | None) -> None:
        """Read this job's journal from now on."""
        self._followed = job
        self._journal.refresh()

    def _read_journal(self) -> Growth | None:
        job = self._followed
        if job is None:
            return None
        first = self._reading is None or self._reading[0] != job.id
        if self._reading is None or first:
            self._reading = (job.id, self._sources.journal(job))
        entries = self._reading[1].read()
        return Growth(job.id, entries, first) if entries or first else None
