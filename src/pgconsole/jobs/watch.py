"""Watch a job until it ends, whoever started it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pgconsole.jobs.journal import JournalEntry
from pgconsole.jobs.store import Job, read_job
from pgconsole.jobs.tail import Tail
from pgconsole.settings import Settings


def follow(settings: Settings, job_id: str, poll: float = 0.2) -> Iterator[JournalEntry]:
    """The job's journal from its start, entry by entry, until the job ended and all was read.

    Args:
        settings: Where the job is.
        job_id: Which job.
        poll: Seconds between two looks.

    Raises:
        PgconsoleError: There is no such job.
    """
    tail = Tail(read_job(settings, job_id).directory)
    while True:
        # Looked at before reading: what was written before the end is then read after it.
        ended = read_job(settings, job_id).status.ended
        while entries := tail.read():
            yield from entries
        if ended:
            return
        time.sleep(poll)


def wait(settings: Settings, job_id: str, poll: float = 0.1) -> Job:
    """Wait until the job ended.

    Args:
        settings: Where the job is.
        job_id: Which job.
        poll: Seconds between two looks.

    Raises:
        PgconsoleError: There is no such job.
    """
    while not (job := read_job(settings, job_id)).status.ended:
        time.sleep(poll)
    return job
