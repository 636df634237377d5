"""Where the main screen's data comes from. Every function here runs in a feed's thread.

What costs time to import (boto3, croniter) is imported there too, after the first paint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pgconsole.jobs import Job, JournalEntry, Tail, list_jobs, read_job
from pgconsole.jobs.pages import JobPages, News
from pgconsole.logs.files import places_of
from pgconsole.logs.segment import Place
from pgconsole.screens.local_reader import LocalReader
from pgconsole.screens.s3_reader import S3Reader
from pgconsole.screens.timetable import read_timetable
from pgconsole.settings import Settings
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf

_JOBS = 50
_LOGS = 200  # jobs whose logs are read


LogPlaces = Callable[[str], Sequence[Place]]
"""Where the logs are: of the job of this id, or of all if it is empty."""


class Journal(Protocol):
    """What `jobs.Tail` does."""

    def read(self) -> list[JournalEntry]:
        """The entries since the last call."""
        ...


class Pages(Protocol):
    """What `JobPages` does."""

    @property
    def active(self) -> Mapping[str, Job]:
        """Those that have not ended, by id."""
        ...

    @property
    def unread(self) -> int:
        """How many older ones were not read."""
        ...

    def renew(self) -> News:
        """Look again."""
        ...

    def read_on(self, count: int) -> Sequence[Job]:
        """Read so many older ones."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """One function for each thing that the main screen and the screens of jobs show."""

    local: Callable[[], Shelf]
    s3: Callable[[Callable[[Shelf], None]], Shelf]
    jobs: Callable[[], tuple[Job, ...]]
    journal: Callable[[Job], Journal]
    schedule: Callable[[], Timetable]
    pages: Callable[[], Pages]
    job: Callable[[str], Job]
    logs: LogPlaces = lambda _job: ()


def sources_of(settings: Settings, now: Callable[[], datetime]) -> Sources:
    """The real ones."""
    return Sources(
        local=LocalReader(settings, now).read,
        s3=S3Reader(settings).read,
        jobs=lambda: tuple(list_jobs(settings, _JOBS)),
        journal=lambda job: Tail(job.directory),
        schedule=lambda: read_timetable(settings, now()),
        pages=lambda: JobPages(settings),
        job=lambda job_id: read_job(settings, job_id),
        logs=lambda job: places_of(settings, _LOGS, job),
    )
