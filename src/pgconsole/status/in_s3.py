"""Whether a backup is in the bucket too, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgconsole.backups.evidence import Proof
from pgconsole.jobs import JobStatus
from pgconsole.status.facts import Answered, Facts, Holdings
from pgconsole.status.past_jobs import active_backup, last_ended
from pgconsole.status.verdict import State
from pgconsole.status.words import brief, clean, counted
from pgconsole.storage.base import StoredBackup


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the newest backup lies, and what that means.

    Attributes:
        state: Fresh if it is where it should be.
        place: In a few words.
        problem: What is wrong or unknown, as a clause; empty if nothing is.
        detail: More of it, as a sentence; may be empty.
    """

    state: State
    place: str
    problem: str = ""
    detail: str = ""


def in_s3(facts: Facts, holdings: Holdings, now: datetime) -> Whereabouts:
    """Where the newest backup lies. The backup directory holds some.

    What a running job has just published is compared when the job has ended: its copy in S3 comes
    a moment later.
    """
    s3 = facts.s3
    if not facts.s3_enabled:
        return Whereabouts(State.FRESH, "local only", detail="S3 is not set up.")
    if s3 is None:
        return Whereabouts(State.FRESH, "local, S3 not asked")
    if s3.value is None:
        return Whereabouts(State.UNKNOWN, "local", silence(s3, now), reason(s3))
    backup = _settled(facts, holdings)
    return _as_of(s3, backup, _compared(facts, backup, s3.value), now)


def _as_of(
    s3: Answered[Holdings], backup: StoredBackup, found: Whereabouts, now: datetime
) -> Whereabouts:
    """What was found in a list of the bucket that may be an old one."""
    if found.state is State.FAILED and s3.read_at is not None and s3.read_at <= backup.modified:
        # A list that is older than the backup can't have it.
        problem = silence(s3, now) if s3.problem else "S3 was not read since it was made"
        return Whereabouts(State.UNKNOWN, "local", problem, reason(s3))
    if s3.problem is None:
        return found
    age = f"{brief(now - s3.read_at)} ago" if s3.read_at is not None else "before"
    if found.state is State.FRESH:
        place = f"{found.place} {age}"
        return Whereabouts(State.UNKNOWN, place, silence(s3, now), reason(s3))
    problem = f"{found.problem}, as of {age}; {silence(s3, now)}"
    return Whereabouts(found.state, found.place, problem, reason(s3))


def silence(s3: Answered[Holdings], now: datetime) -> str:
    """Why nothing is known of the bucket now."""
    if s3.problem is not None:
        since = s3.failing_since
        return f"S3 not reachable for {brief(now - since)}" if since else "S3 not reachable"
    if s3.so_far is not None:
        return f"S3 is still being read ({counted(len(s3.so_far.backups), 'backup')} so far)"
    return "S3 has not answered yet"


def reason(s3: Answered[Holdings]) -> str:
    """What the bucket said, or whoever was on the way to it; empty if nothing."""
    if s3.problem is None:
        return ""
    cause = f": {clean(s3.problem.cause)}" if s3.problem.cause else ""
    return f"{clean(s3.problem.problem)}{cause}."


def _compared(facts: Facts, backup: StoredBackup, there: Holdings) -> Whereabouts:
    copy = next((found for found in there.backups if found.name == backup.name), None)
    if copy is None:
        return Whereabouts(State.FAILED, "local", f"it is not in S3{_why_not_there(facts)}")
    if copy.size != backup.size:
        return Whereabouts(State.FAILED, "local", "its copy in S3 has another size")
    proof = there.proof(copy)
    if proof.is_bad:
        return Whereabouts(State.FAILED, "local", f"its copy in S3 is {proof}")
    listed = " listed only" if proof is Proof.LISTED else ""
    return Whereabouts(State.FRESH, f"local + S3{listed}")


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
