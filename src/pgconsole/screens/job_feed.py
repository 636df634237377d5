"""Reads one job and its journal as they grow, in a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from textual.message import Message

from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.store import OUTPUT
from pgconsole.screens.feed import Feed
from pgconsole.screens.sources import Journal, Sources
from pgconsole.settings import Settings
from pgconsole.widgets.job_course import Course, CourseReader
from pgconsole.widgets.known import Known
from pgconsole.widgets.words import clean

_EVERY = 0.5  # seconds
_PRINTED = 4096  # bytes of the end of what its process printed
_BAD_ENDS = (JobStatus.FAILED, JobStatus.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it is now.

    Attributes:
        job: The job.
        course: What it has gone through.
        printed: The last that its process printed, if it ended badly.
        log_problem: Why its journal can't be read; None if it can.
    """

    job: Job
    course: Course = field(default_factory=Course)
    printed: str = ""
    log_problem: PgconsoleError | None = None


@dataclass
class JobKnown(Message):
    """What is known of the job."""

    known: Known[JobView]


class JobFeed:
    """Starts and stops reading.

    Args:
        settings: For the redactor.
        sources: Where the data comes from.
        job_id: Which job.
        post: Takes messages from any thread.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        job_id: str,
        post: Callable[[Message], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._sources = sources
        self._job_id = job_id
        self._journal: Journal | None = None
        self._course = CourseReader()
        self._stopped = False

        def deliver(known: Known[JobView]) -> None:
            post(JobKnown(known))

        self._feed: Feed[JobView] = Feed(
            "The job", self._read, deliver, every=_EVERY, now=now, redact=settings.redactor
        )

    def start(self) -> None:
        """Begin to read."""
        self._feed.start()

    def refresh(self) -> None:
        """Read again now."""
        self._feed.refresh()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._stopped = True
        self._feed.stop()

    def _read(self, so_far: Callable[[JobView], None]) -> JobView:
        # The job before its journal: what was written before its end is then read after it.
        job = self._sources.job(self._job_id)
        if self._journal is None:
            so_far(JobView(job))  # its journal may be long
            self._journal = self._sources.journal(job)
        problem: PgconsoleError | None = None
        try:
            self._read_journal(self._journal, lambda: so_far(JobView(job, self._course.course)))
        except OSError as error:
            problem = StorageError(
                "The log of this job can't be read",
                cause=str(error),
                fix="run pgconsole as the user that owns the backup directory",
            )
        return JobView(job, self._course.course, _printed(job), problem)

    def _read_journal(self, journal: Journal, tell: Callable[[], None]) -> None:
        while not self._stopped and (entries := journal.read()):
            for entry in entries:
                self._course.feed(entry)
            tell()


def _printed(job: Job) -> str:
    """The end of the output of a job that ended badly, line by line."""
    if job.status not in _BAD_ENDS:
        return ""
    with suppress(OSError), (job.directory / OUTPUT).open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - _PRINTED)
        file.seek(start)
        lines = file.read(_PRINTED).decode(errors="replace").splitlines()
        return "\n".join(clean(line) for line in lines[1 if start else 0 :])
    return ""
