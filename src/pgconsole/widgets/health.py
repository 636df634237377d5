"""Are my backups good? A pure judgement from what is known, and never more than that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pgconsole.backups.evidence import Proof
from pgconsole.backups.standing import Standing, standing
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job, JobStatus
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import ago, clean, counted, short_ago

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
class Facts:
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


def judge(facts: Facts, now: datetime) -> Verdict:
    """Judge the backups of the configured database."""
    verdict = _judge(facts, now)
    if verdict.level is not Level.GOOD:
        return verdict
    if facts.jobs_problem:
        text = f"{verdict.text}. Whether a later one failed is unknown: {facts.jobs_problem}"
        return replace(verdict, level=Level.UNKNOWN, text=text)
    if not facts.jobs_known:
        return replace(verdict, level=Level.UNKNOWN, text="Looking for failed jobs …")
    return verdict


def _judge(facts: Facts, now: datetime) -> Verdict:
    local = facts.local
    if local.value is None:
        problem = local.problem
        text = f"Unknown: {clean(problem.problem)}" if problem else "Looking for backups …"
        return Verdict(Level.UNKNOWN, text)
    newest = local.value.newest(facts.database)
    good = local.value.good
    since = good.name.taken_at if good else None
    if local.problem is not None:
        return Verdict(Level.UNKNOWN, _not_readable(local, local.problem, newest, now), since)
    failure = _failure(facts, newest)
    if failure is not None:
        return Verdict(Level.BAD, _failed(failure, good, now), since, failure.id)
    if newest is None:
        return _none_here(facts, local.value.marks, now)
    known = standing(newest, {}, local.value.marks.proof(newest))
    if not known.is_good:
        level, text = _not_good(local.value, newest, known, now)
        return Verdict(level, text, since)
    return _judge_good(facts, local.value, newest, now)


def _not_readable(
    local: Known[Shelf], problem: PgconsoleError, newest: StoredBackup | None, now: datetime
) -> str:
    """The directory could be read once and can't be now."""
    before = f"the last backup was {ago(newest.name.taken_at, now)}" if newest else "no backup"
    seen = f"Seen {ago(local.read_at, now)}: " if local.read_at is not None else "Before: "
    return f"Unknown: {clean(problem.problem)}. {seen}{before}"


def _judge_good(facts: Facts, shelf: Shelf, newest: StoredBackup, now: datetime) -> Verdict:
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
    level, place = _in_s3(facts, shelf.marks, newest, now)
    what = _proven(shelf.marks, newest, now)
    text = f"Last backup {ago(taken, now)}: {what}, {place}"
    if _overdue(facts, shelf, now):
        assert shelf.due is not None
        level = Level.WARNING if level is Level.GOOD else level
        text = (
            f"Overdue: the run due {ago(shelf.due, now)} made no backup. "
            f"Last one {ago(taken, now)}: {what}, {place}"
        )
    return Verdict(level, text, taken)


def _proven(marks: Marks, backup: StoredBackup, now: datetime) -> str:
    proof = marks.proof(backup)
    assert proof is not None
    how = "tried out" if proof.proof is Proof.RESTORED else "verified"
    return f"{proof.proof} ({how} {short_ago(proof.at, now)})"


def _overdue(facts: Facts, shelf: Shelf, now: datetime) -> bool:
    if any(_concerns(job, facts.database) and is_active(job) for job in facts.jobs):
        return False
    return shelf.due is not None and shelf.due + _GRACE < now


def _in_s3(facts: Facts, marks: Marks, newest: StoredBackup, now: datetime) -> tuple[Level, str]:
    """Whether the newest backup is in the bucket, as far as it is known."""
    s3 = facts.s3
    if s3 is None:
        return Level.GOOD, "local only (S3 is not set up)"
    if s3.value is None:
        if s3.problem is None:
            return Level.UNKNOWN, f"local; S3 {_waiting(s3)}"
        return Level.WARNING, f"local; S3 unknown: {clean(s3.problem.problem)}"
    as_of = f" as of {ago(s3.read_at, now)}" if s3.problem and s3.read_at else ""
    size = s3.value.sizes.get(newest.name.relative_path)
    if size is None:
        last = _last_ended(facts)
        why = ""
        if last is not None and last.status is JobStatus.PARTLY_FAILED:
            why = f": {clean(last.cause or last.problem or '')}"
        return Level.WARNING, f"local, but not in S3{as_of}{why}"
    if size != newest.size:
        return Level.WARNING, f"local, but the copy in S3 has another size{as_of}"
    return _copy_in_s3(_standing_in_s3(s3.value, marks, newest), as_of)


def _copy_in_s3(known: Standing, as_of: str) -> tuple[Level, str]:
    if known is Standing.DAMAGED:
        return Level.WARNING, f"local, but the copy in S3 is damaged{as_of}"
    listed = " (listed only)" if known is Standing.LISTED else ""
    return (Level.WARNING if as_of else Level.GOOD), f"local + S3{listed}{as_of}"


def _standing_in_s3(shelf: Shelf, marks: Marks, backup: StoredBackup) -> Standing:
    for copy in shelf.backups:
        if copy.name == backup.name:
            return standing(copy, {}, marks.proof(copy))
    return Standing.LISTED


def _waiting(s3: Known[Shelf]) -> str:
    if s3.so_far is None:
        return "has not answered yet"
    return f"is still being read ({counted(len(s3.so_far.backups), 'backup')} so far)"


def _none_here(facts: Facts, marks: Marks, now: datetime) -> Verdict:
    """No backup in the backup directory."""
    s3 = facts.s3
    if s3 is None:
        return Verdict(Level.WARNING, "No backup yet: nothing could be restored. Press b")
    if s3.value is None:
        if s3.problem is None:
            return Verdict(Level.UNKNOWN, f"No local backup; S3 {_waiting(s3)}")
        text = f"No local backup; S3 unknown: {clean(s3.problem.problem)}"
        return Verdict(Level.UNKNOWN, text)
    there = s3.value.newest(facts.database)
    if there is None:
        return Verdict(Level.WARNING, "No backup yet: nothing could be restored. Press b")
    known = standing(there, {}, marks.proof(there))
    text = f"No local backup; the newest in S3 was taken {ago(there.name.taken_at, now)}: {known}"
    return Verdict(Level.WARNING, text, there.name.taken_at if known.is_good else None)


_WHY_NOT = {
    Standing.EMPTY: "is empty",
    Standing.LISTED: "was never verified (v does it)",
    Standing.INTACT: "is intact, but what is in it was never looked at (v does it)",
}


def _not_good(
    shelf: Shelf, newest: StoredBackup, known: Standing, now: datetime
) -> tuple[Level, str]:
    """The newest backup is not proven complete."""
    taken = ago(newest.name.taken_at, now)
    good = shelf.good
    rest = f"last complete one {ago(good.name.taken_at, now)}" if good else "no complete one exists"
    if known is Standing.DAMAGED:
        proof = shelf.marks.proof(newest)
        why = clean(proof.problem) if proof is not None else ""
        return Level.BAD, f"The backup of {taken} is damaged{': ' if why else ''}{why}; {rest}"
    if shelf.marks.problem:
        return Level.UNKNOWN, f"Unknown: {clean(shelf.marks.problem)}"
    return Level.UNKNOWN, f"Unknown: the backup of {taken} {_WHY_NOT[known]}; {rest}"


def _failed(job: Job, good: StoredBackup | None, now: datetime) -> str:
    word = "was interrupted" if job.status is JobStatus.INTERRUPTED else "failed"
    reason = clean(job.cause or job.problem or "")
    rest = f"last good one {ago(good.name.taken_at, now)}" if good else "there is no good one"
    return f"Last backup {word} {ago(ended(job), now)}{': ' if reason else ''}{reason}; {rest}"


def _failure(facts: Facts, newest: StoredBackup | None) -> Job | None:
    """The last backup job if it failed and no backup came after it, by whatever way."""
    last = _last_ended(facts)
    if last is None or last.status not in _FAILED:
        return None
    later = newest is not None and newest.name.taken_at > ended(last)
    return None if later else last


def _last_ended(facts: Facts) -> Job | None:
    for job in facts.jobs:
        if _concerns(job, facts.database) and job.status in _ENDED:
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
