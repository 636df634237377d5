"""What the list of jobs shows: one row for each. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pgconsole.jobs import Job
from pgconsole.widgets.copy_text import duration
from pgconsole.widgets.grid import Column, Item
from pgconsole.widgets.health import Level
from pgconsole.widgets.job_words import reason, status, subject, took
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import clean, size, stamp

JOBS = (
    Column("WHEN", descending=True),
    Column("KIND"),
    Column("STATUS"),
    Column("TOOK", right=True, descending=True),
    Column("BYTES", right=True, spare=True, descending=True),
    Column("WHO", spare=True),
    Column("SUBJECT", spare=True),
    Column("REASON", flex=True),
)
_CSS = {Level.GOOD: "table--good", Level.WARNING: "table--warning", Level.BAD: "table--bad"}
_LONGEST = 300  # characters of a reason: a line in the list, of which the job itself shows all
_RESULTS = ("compressed_bytes", "bytes", "raw_bytes", "bytes_freed")


def job_item(job: Job, progress: Progress, zone: ZoneInfo, now: datetime) -> Item:
    """One row."""
    sign, word, level = status(job, progress, now)
    length = took(job, now)
    count = bytes_of(job, progress)
    why = reason(job, progress, now)[:_LONGEST]
    about = subject(job.kind, job.request)
    css = _CSS[level] if level is not None else "table--live"
    return Item(
        job.id,
        (
            stamp(job.created_at, zone), clean(job.kind), f"{sign} {word}",
            "–" if length is None else duration(length.total_seconds()),
            "–" if count is None else size(count),
            clean(job.actor), about, why,
        ),
        (
            job.created_at, job.kind, word, length.total_seconds() if length is not None else -1,
            -1 if count is None else count, job.actor, about, why,
        ),
        ("", "", css, "", "", "table--dim", "table--dim", css if level is not Level.GOOD else ""),
    )  # fmt: skip


def bytes_of(job: Job, progress: Progress) -> int | None:
    """How much passed, or what came of it: of a backup the size of its file."""
    for name in _RESULTS if job.result is not None else ():
        count = (job.result or {}).get(name)
        if isinstance(count, int):
            return count
    return progress.done


def is_wrong(job: Job, progress: Progress, now: datetime) -> bool:
    """Whether it is not, or was not, as it should be."""
    return status(job, progress, now)[2] in (Level.WARNING, Level.BAD)
