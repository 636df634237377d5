"""Whether a backup is in the bucket too, as far as it is known."""

from __future__ import annotations

from datetime import datetime

from pgconsole.backups.evidence import Proof
from pgconsole.jobs import JobStatus
from pgconsole.status.facts import Answered, Facts, Holdings
from pgconsole.status.past_jobs import active_backup, last_ended
from pgconsole.status.verdict import State
from pgconsole.status.words import ago, clean
from pgconsole.storage.base import StoredBackup


def in_s3(facts: Facts, holdings: Holdings, now: datetime) -> tuple[State, str]:
    """Where the newest backup lies, and what that means. The backup directory holds some.

    What a running job has just published is compared when the job has ended: its copy in S3 comes
    a moment later.
    """
    if not facts.s3_enabled:
        return State.FRESH, "local only (S3 is not set up)"
    if facts.s3 is None:
        return State.FRESH, "local (S3 was not asked)"
    if facts.s3.value is None:
        return State.UNKNOWN, f"local; S3 {silence(facts.s3)}"
    problem, read_at = facts.s3.problem, facts.s3.read_at
    as_of = f" as of {ago(read_at, now)}" if problem and read_at else ""
    state, place = _compared(facts, _settled(facts, holdings), facts.s3.value)
    if state is State.FRESH and as_of:
        state = State.UNKNOWN
    return state, f"{place}{as_of}"


def silence(s3: Answered[Holdings]) -> str:
    """Why nothing is known of the bucket."""
    return f"unknown: {clean(s3.problem.problem)}" if s3.problem else "has not answered yet"


def _compared(facts: Facts, backup: StoredBackup, there: Holdings) -> tuple[State, str]:
    copy = next((found for found in there.backups if found.name == backup.name), None)
    if copy is None:
        return State.FAILED, f"local, but not in S3{_why_not_there(facts)}"
    if copy.size != backup.size:
        return State.FAILED, "local, but the copy in S3 has another size"
    proof = there.proof(copy)
    if proof is Proof.DAMAGED:
        return State.FAILED, "local, but the copy in S3 is damaged"
    return State.FRESH, "local + S3 (listed only)" if proof is Proof.LISTED else "local + S3"


def _settled(facts: Facts, holdings: Holdings) -> StoredBackup:
    """The newest backup that no running job may still be copying."""
    active = active_backup(facts)
    for backup in holdings.backups:
        if active is None or backup.modified < active.created_at:
            return backup
    return holdings.backups[0]


def _why_not_there(facts: Facts) -> str:
    last = last_ended(facts)
    if last is None or last.status is not JobStatus.PARTLY_FAILED:
        return ""
    return f": {clean(last.cause or last.problem)}"
