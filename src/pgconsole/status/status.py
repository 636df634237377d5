"""Are the backups good? A pure judgement from what is known, and never more than that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pgconsole.backups.evidence import Proof
from pgconsole.dumps.naming import BackupClass
from pgconsole.jobs import Job, JobStatus
from pgconsole.schedule import next_runs
from pgconsole.status.facts import Answered, Facts, Holdings
from pgconsole.status.in_s3 import in_s3, silence
from pgconsole.status.past_jobs import FAILED, active_backup, concerns, ended, last_ended
from pgconsole.status.promises import GRACE, first_due
from pgconsole.status.verdict import State, Verdict
from pgconsole.status.words import ago, clean
from pgconsole.storage.base import StoredBackup

_CLOCK_SLACK = timedelta(minutes=5)  # between two hosts' clocks
_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ClassStatus:
    """One class of backups against what the schedule promises.

    Attributes:
        backup_class: Which.
        last_good: The newest one that is proven complete.
        due: When the schedule wanted the one after it; None: that lies ahead.
        overdue: Whether it should have been there by now.
    """

    backup_class: BackupClass
    last_good: StoredBackup | None
    due: datetime | None
    overdue: bool


def judge(facts: Facts, now: datetime) -> Verdict:
    """Judge the backups of the configured database."""
    verdict = _judge(facts, now)
    jobs = facts.jobs
    if verdict.state is State.FRESH and (jobs.value is None or jobs.problem is not None):
        why = clean(jobs.problem.problem) if jobs.problem else "the jobs were not read yet"
        text = f"{verdict.text}. Whether a later one failed is unknown: {why}"
        return replace(verdict, state=State.UNKNOWN, text=text)
    return verdict


def class_statuses(facts: Facts, now: datetime) -> tuple[ClassStatus, ...]:
    """Each class by itself; empty if the backup directory can't be read.

    A class that has no good backup is measured from the first sign of pgconsole here: a 1st that
    never came since then was never missed.
    """
    holdings = facts.local.value
    if holdings is None:
        return ()
    statuses = []
    for backup_class in BackupClass:
        # Every backup is a daily one; of an old one only its weekly name may be left.
        wanted = None if backup_class is BackupClass.DAILY else backup_class
        last = holdings.good(wanted)
        since = last.name.taken_at if last else _first_sign(facts, holdings)
        due = since and first_due(facts.schedule, facts.timezone, backup_class, since, now)
        overdue = due is not None and due + GRACE < now and not _is_coming(facts, now)
        statuses.append(ClassStatus(backup_class, last, due, overdue))
    return tuple(statuses)


def _judge(facts: Facts, now: datetime) -> Verdict:
    holdings = facts.local.value
    if holdings is None:
        problem = facts.local.problem
        why = clean(problem.problem) if problem else "the backup directory was not read yet"
        return Verdict(State.UNKNOWN, f"Unknown: {why}")
    if facts.local.problem is not None:
        text = _no_longer_readable(facts.local, holdings.newest(), now)
        return Verdict(State.UNKNOWN, text)
    if holdings.proofs_problem:
        text = f"Unknown: what was proven can't be read: {clean(holdings.proofs_problem)}"
        return Verdict(State.UNKNOWN, text)
    good = holdings.good()
    since = good.name.taken_at if good else None
    verdict = _judge_readable(facts, holdings, good, now)
    return replace(verdict, lost_since=verdict.lost_since or since)


def _judge_readable(
    facts: Facts, holdings: Holdings, good: StoredBackup | None, now: datetime
) -> Verdict:
    newest = _newest(facts, holdings)
    failure = _failure(facts, newest)
    if failure is not None:
        return Verdict(State.FAILED, _failed(failure, good, now), job=failure.id)
    if newest is None:
        return _none_here(facts, now)
    if newest.name.taken_at > now + _CLOCK_SLACK:
        text = f"the newest backup is {ago(newest.name.taken_at, now)}: one of them is wrong"
        return Verdict(State.UNKNOWN, f"Unknown: {text}")
    if not holdings.is_good(newest):
        return _not_good(holdings, newest, good, now)
    return _judge_good(facts, holdings, newest, now)


def _newest(facts: Facts, holdings: Holdings) -> StoredBackup | None:
    """The newest backup, but for one that a running job has published and not yet attested."""
    active = active_backup(facts)
    for backup in holdings.backups:
        on_its_way = active is not None and backup.modified >= active.created_at
        if not on_its_way or backup.location in holdings.proofs:
            return backup
    return None


def _judge_good(facts: Facts, holdings: Holdings, newest: StoredBackup, now: datetime) -> Verdict:
    """The newest backup is complete: is it in S3 too, and is it what the schedule promised?"""
    taken = newest.name.taken_at
    state, place = in_s3(facts, holdings, now)
    proof = holdings.proofs[newest.location]
    how = "tried out" if proof.proof is Proof.RESTORED else "verified"
    what = f"{proof.proof} ({how} {ago(proof.at, now)}), {place}"
    overdue = next((found for found in class_statuses(facts, now) if found.overdue), None)
    if overdue is None:
        return Verdict(state, f"Last backup {ago(taken, now)}: {what}")
    state = State.FAILED if state is State.FAILED else State.STALE
    text = f"{_overdue(facts, overdue, now)} Last one {ago(taken, now)}: {what}"
    return Verdict(state, text)


def _overdue(facts: Facts, status: ClassStatus, now: datetime) -> str:
    assert status.due is not None
    missed = ago(status.due, now)
    why = ""
    scheduler = facts.scheduler.value
    active = active_backup(facts)
    if active is not None:
        why = f" (a backup has been running since {active.created_at:%Y-%m-%d %H:%M} UTC)"
    elif scheduler is not None and scheduler.pause is not None:
        why = f" (the schedule is {clean(scheduler.pause.in_words())})"
    if status.backup_class is BackupClass.DAILY:
        return f"Overdue: the run due {missed} made no good backup{why}."
    return f"Overdue: the run due {missed} made no good {status.backup_class} backup{why}."


def _none_here(facts: Facts, now: datetime) -> Verdict:
    """No backup in the backup directory."""
    active = active_backup(facts)
    if active is not None and _is_coming(facts, now):
        began = ago(active.created_at, now)
        text = f"No good backup yet; the first one is running (began {began})"
        return Verdict(State.UNKNOWN, text)
    s3 = facts.s3
    if s3 is None or (s3.value is not None and not s3.value.backups):
        asked = " here (S3 was not asked)" if s3 is None and facts.s3_enabled else ""
        return Verdict(State.STALE, f"No backup yet{asked}: nothing could be restored")
    if s3.value is None:
        return Verdict(State.UNKNOWN, f"No local backup; S3 {silence(s3)}")
    there = s3.value.backups[0]
    text = f"No local backup; the newest in S3 was taken {ago(there.name.taken_at, now)}"
    good = s3.value.is_good(there)
    proof = s3.value.proof(there)
    return Verdict(State.STALE, f"{text}: {proof}", there.name.taken_at if good else None)


def _not_good(
    holdings: Holdings, newest: StoredBackup, good: StoredBackup | None, now: datetime
) -> Verdict:
    """The newest backup is not proven complete."""
    taken = ago(newest.name.taken_at, now)
    rest = f"last complete one {ago(good.name.taken_at, now)}" if good else "no complete one exists"
    proof = holdings.proofs.get(newest.location)
    if newest.size == 0:
        return Verdict(State.FAILED, f"The backup of {taken} is empty; {rest}")
    if proof is not None and proof.proof is Proof.DAMAGED:
        why = f": {clean(proof.problem)}" if proof.problem else ""
        return Verdict(State.FAILED, f"The backup of {taken} is damaged{why}; {rest}")
    what = "was never verified"
    if proof is not None and proof.proof is Proof.INTACT:
        what = "is intact, but what is in it was never looked at"
    return Verdict(State.UNKNOWN, f"Unknown: the backup of {taken} {what}; {rest}")


def _no_longer_readable(
    local: Answered[Holdings], newest: StoredBackup | None, now: datetime
) -> str:
    """The directory could be read once and can't be now."""
    assert local.problem is not None
    before = f"the last backup was {ago(newest.name.taken_at, now)}" if newest else "no backup"
    seen = f"Seen {ago(local.read_at, now)}: " if local.read_at is not None else "Before: "
    return f"Unknown: {clean(local.problem.problem)}. {seen}{before}"


def _failed(job: Job, good: StoredBackup | None, now: datetime) -> str:
    word = "was interrupted" if job.status is JobStatus.INTERRUPTED else "failed"
    reason = clean(job.cause or job.problem)
    rest = f"last good one {ago(good.name.taken_at, now)}" if good else "there is no good one"
    return f"Last backup {word} {ago(ended(job), now)}{': ' if reason else ''}{reason}; {rest}"


def _failure(facts: Facts, newest: StoredBackup | None) -> Job | None:
    """The last backup job if it failed and no backup came after it, by whatever way."""
    last = last_ended(facts)
    if last is None or last.status not in FAILED:
        return None
    later = newest is not None and newest.name.taken_at > ended(last)
    return None if later else last


def _is_coming(facts: Facts, now: datetime) -> bool:
    """Whether a backup runs that may yet be what the schedule promised.

    One that hangs excuses nothing for ever: it should have ended by the slot after its start.
    """
    active = active_backup(facts)
    if active is None:
        return False
    slot = next_runs(facts.schedule, facts.timezone, active.created_at, 1)[0]
    return now <= slot + GRACE


def _first_sign(facts: Facts, holdings: Holdings) -> datetime | None:
    """Just before pgconsole's first backup here, or the first job that was to make one."""
    oldest = holdings.oldest_good()
    first = [oldest.name.taken_at] if oldest else []
    jobs = facts.jobs.value or ()
    first += [job.created_at for job in jobs if concerns(job, facts.database)]
    return min(first) - _MOMENT if first else None
