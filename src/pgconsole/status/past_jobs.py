"""What the jobs say about the backups of one database."""

from __future__ import annotations

from datetime import datetime

from pgconsole.jobs import Job, JobStatus
from pgconsole.status.facts import Facts

FAILED = (JobStatus.FAILED, JobStatus.INTERRUPTED)
_ENDED = (*FAILED, JobStatus.DONE, JobStatus.PARTLY_FAILED)


def last_failure(facts: Facts) -> Job | None:
    """The last job of any kind that failed, was interrupted, or left a copy missing."""
    bad = (*FAILED, JobStatus.PARTLY_FAILED)
    return next((job for job in facts.jobs.value or () if job.status in bad), None)


def active_backup(facts: Facts) -> Job | None:
    """The backup of this database that runs now."""
    for job in facts.jobs.value or ():
        if not job.status.ended and concerns(job, facts.database):
            return job
    return None


def last_ended(facts: Facts) -> Job | None:
    """The last backup of this database that came to an end by itself, good or bad."""
    for job in facts.jobs.value or ():
        if concerns(job, facts.database) and job.status in _ENDED:
            return job
    return None


def concerns(job: Job, database: str) -> bool:
    """Whether it is a backup of this database."""
    return job.kind == "backup" and job.request.get("database", database) == database


def is_active(job: Job) -> bool:
    """Whether the job has not ended."""
    return not job.status.ended


def ended(job: Job) -> datetime:
    """When the job ended; for an interrupted one the last that is known of it."""
    return job.finished_at or job.started_at or job.created_at
