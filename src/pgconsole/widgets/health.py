"""Are my backups good? A pure judgement from what is known, and never more than that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pgconsole.backups.standing import Standing, standing
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job, JobStatus
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.known import Known
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import ago, clean

_GRACE = timedelta(hours=1)  # a run that is due may take a while before it is called missing
_FAILED = (JobStatus.FAILED, JobStatus.INTERRUPTED)
_ENDED = (*_FAILED, JobStatus.DONE, JobStatus.PARTLY_FAILED)


class Level(StrEnum):
    """How an operator should feel about it."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, in words.

    Attributes:
        level: The answer in a word.
        text: The answer in a sentence.
        job: Id of the failed job whose cause the sentence tells.
        lost_since: A restore now would lose what changed after this moment; None if unknown.
    """

    level: Level
    text: str
    lost_since: datetime | None = None
    job: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the judgement rests on.

    Attributes:
        database: The configured database; other databases' backups do not count.
        local: What is known of the backup directory.
        s3: What is known of the bucket; None if S3 is not set up.
        jobs: The jobs, the newest first, as far as they are known.
        jobs_known: Whether they were read; before that a failure may still turn up.
        jobs_problem: Why they can't be read now; empty if they can.
    """

    database: str
    local: Known[Shelf]
    s3: Known[Shelf] | None
    jobs: tuple[Job, ...]
    jobs_known: bool = True
    jobs_problem: str = ""


def judge(evidence: Evidence, now: datetime) -> Verdict:
    """Judge the backups of the configured database."""
    verdict = _judge(evidence, now)
    if verdict.level is not Level.GOOD:
        return verdict
    if evidence.jobs_problem:
        text = f"{verdict.text}. Whether a later one failed is unknown: {evidence.jobs_problem}"
        return replace(verdict, level=Level.UNKNOWN, text=text)
    if not evidence.jobs_known:
        return replace(verdict, level=Level.UNKNOWN, text="Looking for failed jobs …")
    return verdict


def _judge(evidence: Evidence, now: datetime) -> Verdict:
    local = evidence.local
    if local.value is None:
        problem = local.problem
        text = f"Unknown: {clean(problem.problem)}" if problem else "Looking for backups …"
        return Verdict(Level.UNKNOWN, text)
    newest = local.value.newest(evidence.database)
    good = local.value.newest(evidence.database, complete=True)
    since = good.name.taken_at if good else None
    if local.problem is not None:
        return Verdict(Level.UNKNOWN, _not_readable(local, local.problem, newest, now), since)
    failure = _failure(evidence, newest)
    if failure is not None:
        return Verdict(Level.BAD, _failed(failure, good, now), since, failure.id)
    if newest is not good and newest is not None:
        return Verdict(Level.UNKNOWN, _unchecked(newest, good, now), since)
    if newest is None:
        return _none_here(evidence, now)
    return _judge_good(evidence, local.value, newest, now)


def _not_readable(
    local: Known[Shelf], problem: PgconsoleError, newest: StoredBackup | None, now: datetime
) -> str:
    """The directory could be read once and can't be now."""
    before = f"the last backup was {ago(newest.name.taken_at, now)}" if newest else "no backup"
    seen = f"Seen {ago(local.read_at, now)}: " if local.read_at is not None else "Before: "
    return f"Unknown: {clean(problem.problem)}. {seen}{before}"


def _judge_good(evidence: Evidence, shelf: Shelf, newest: StoredBackup, now: datetime) -> Verdict:
    """The newest backup is complete: is it intact, in S3 too, and fresh?"""
    taken = newest.name.taken_at
    manifest = shelf.manifest
    if shelf.manifest_problem:
        text = f"Unknown: backup of {ago(taken, now)}: {clean(shelf.manifest_problem)}"
        return Verdict(Level.UNKNOWN, text)
    if (
        manifest is not None
        and manifest.taken_at == taken
        and manifest.compressed_bytes != newest.size
    ):
        text = f"Last backup {ago(taken, now)} is damaged: its size is not what its manifest says"
        return Verdict(Level.BAD, text)
    level, place = _in_s3(evidence, newest, now)
    text = f"Last backup {ago(taken, now)}: complete (verified when taken), {place}"
    if _overdue(evidence, shelf, now):
        assert shelf.due is not None
        level = Level.WARNING if level is Level.GOOD else level
        text = (
            f"Overdue: the run due {ago(shelf.due, now)} made no backup. "
            f"Last one {ago(taken, now)}: complete, {place}"
        )
    return Verdict(level, text, taken)


def _overdue(evidence: Evidence, shelf: Shelf, now: datetime) -> bool:
    if any(_concerns(job, evidence.database) and is_active(job) for job in evidence.jobs):
        return False
    return shelf.due is not None and shelf.due + _GRACE < now


def _in_s3(evidence: Evidence, newest: StoredBackup, now: datetime) -> tuple[Level, str]:
    """Whether the newest backup is in the bucket, as far as it is known."""
    s3 = evidence.s3
    if s3 is None:
        return Level.GOOD, "local only (S3 is not set up)"
    if s3.value is None:
        if s3.problem is None:
            return Level.UNKNOWN, "local; S3 has not answered yet"
        return Level.WARNING, f"local; S3 unknown: {clean(s3.problem.problem)}"
    as_of = f" as of {ago(s3.read_at, now)}" if s3.problem and s3.read_at else ""
    there = s3.value.sizes.get(newest.name.relative_path)
    if there is None:
        last = _last_ended(evidence)
        why = ""
        if last is not None and last.status is JobStatus.PARTLY_FAILED:
            why = f": {clean(last.cause or last.problem or '')}"
        return Level.WARNING, f"local, but not in S3{as_of}{why}"
    if there != newest.size:
        return Level.WARNING, f"local, but the copy in S3 has another size{as_of}"
    return (Level.WARNING if as_of else Level.GOOD), f"local + S3{as_of}"


def _none_here(evidence: Evidence, now: datetime) -> Verdict:
    """No backup in the backup directory."""
    s3 = evidence.s3
    if s3 is None:
        return Verdict(Level.WARNING, "No backup yet: nothing could be restored. Press b")
    if s3.value is None:
        why = clean(s3.problem.problem) if s3.problem else "it has not answered yet"
        return Verdict(Level.UNKNOWN, f"No local backup; S3 unknown: {why}")
    there = s3.value.newest(evidence.database)
    if there is None:
        return Verdict(Level.WARNING, "No backup yet: nothing could be restored. Press b")
    text = f"No local backup; the newest in S3 was taken {ago(there.name.taken_at, now)}"
    complete = standing(there, {}) is Standing.COMPLETE
    return Verdict(Level.WARNING, text, there.name.taken_at if complete else None)


def _unchecked(newest: StoredBackup, good: StoredBackup | None, now: datetime) -> str:
    taken = ago(newest.name.taken_at, now)
    what = "is empty" if newest.size == 0 else "was never checked (it has no manifest)"
    rest = f"last complete one {ago(good.name.taken_at, now)}" if good else "no complete one exists"
    return f"Unknown: the backup of {taken} {what}; {rest}"


def _failed(job: Job, good: StoredBackup | None, now: datetime) -> str:
    word = "was interrupted" if job.status is JobStatus.INTERRUPTED else "failed"
    reason = clean(job.cause or job.problem or "")
    rest = f"last good one {ago(good.name.taken_at, now)}" if good else "there is no good one"
    return f"Last backup {word} {ago(ended(job), now)}{': ' if reason else ''}{reason}; {rest}"


def _failure(evidence: Evidence, newest: StoredBackup | None) -> Job | None:
    """The last backup job if it failed and no backup came after it, by whatever way."""
    last = _last_ended(evidence)
    if last is None or last.status not in _FAILED:
        return None
    later = newest is not None and newest.name.taken_at > ended(last)
    return None if later else last


def _last_ended(evidence: Evidence) -> Job | None:
    for job in evidence.jobs:
        if _concerns(job, evidence.database) and job.status in _ENDED:
            return job
    return None


def _concerns(job: Job, database: str) -> bool:
    return job.kind == "backup" and job.request.get("database", database) == database


def is_active(job: Job) -> bool:
    """Whether the job has not ended."""
    return job.status in (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLING)


def ended(job: Job) -> datetime:
    """When the job ended; for an interrupted one the last that is known of it."""
    return job.finished_at or job.started_at or job.created_at
