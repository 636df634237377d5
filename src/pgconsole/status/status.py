"""Are the backups good? A pure judgement from what is known, and never more than that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pgconsole.backups.evidence import Proof
from pgconsole.dumps.naming import BackupClass
from pgconsole.jobs import Job, JobStatus
from pgconsole.schedule import next_runs
from pgconsole.status.facts import Answered, Facts, Holdings
from pgconsole.status.in_s3 import in_s3, reason, silence
from pgconsole.status.loss import CLOCK_SLACK, loss
from pgconsole.status.past_jobs import FAILED, active_backup, concerns, ended, last_ended
from pgconsole.status.promises import GRACE, first_due
from pgconsole.status.verdict import State, Verdict
from pgconsole.status.words import ago, brief, clean
from pgconsole.storage.base import StoredBackup

_PROTECTED = "Protected: "
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
        why = "still looking for failed jobs"
        if jobs.problem is not None:
            why = f"whether a later one failed can't be said: {clean(jobs.problem.problem)}"
        last = verdict.text.removeprefix(_PROTECTED)
        return replace(verdict, state=State.UNKNOWN, text=f"Unknown: {why}; {last}")
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
        why = clean(problem.problem) if problem else "still looking for backups"
        return Verdict(State.UNKNOWN, f"Unknown: {why}.")
    if facts.local.problem is not None:
        text = _no_longer_readable(facts.local, holdings.good(), now)
        return Verdict(State.UNKNOWN, text)
    if holdings.proofs_problem:
        text = f"Unknown: what was proven can't be read: {clean(holdings.proofs_problem)}."
        return Verdict(State.UNKNOWN, text)
    verdict = _judge_readable(facts, holdings, now)
    since = verdict.lost_since
    if since is None and (good := holdings.good()) is not None:
        since = good.name.taken_at
    return replace(verdict, lost_since=since, loss=loss(facts, holdings, since, now))


def _judge_readable(facts: Facts, holdings: Holdings, now: datetime) -> Verdict:
    good = holdings.good()
    newest = _newest(facts, holdings)
    failure = _failure(facts, newest)
    if failure is not None:
        return _failed(failure, good, now)
    if newest is None:
        return _none_here(facts, now)
    if newest.name.taken_at > now + CLOCK_SLACK:
        text = f"the newest backup is {ago(newest.name.taken_at, now)}: one of them is wrong"
        return Verdict(State.UNKNOWN, f"Unknown: {text}.")
    if not holdings.is_good(newest):
        return _not_good(holdings, newest, good, now)
    return _contradicted(holdings, newest, now) or _judge_good(facts, holdings, newest, now)


def _newest(facts: Facts, holdings: Holdings) -> StoredBackup | None:
    """The newest backup, but for one that a running job has published and not yet attested."""
    active = active_backup(facts)
    for backup in holdings.backups:
        on_its_way = active is not None and backup.modified >= active.created_at
        if not on_its_way or holdings.evidence(backup) is not None:
            return backup
    return None


def _contradicted(holdings: Holdings, newest: StoredBackup, now: datetime) -> Verdict | None:
    """What the manifest of the newest backup says against it, if it does."""
    if holdings.described() != newest:
        return None
    taken = f"the backup of {_age(newest, now)} ago"
    if holdings.manifest_problem:
        text = f"Unknown: {taken}: {clean(holdings.manifest_problem)}."
        return Verdict(State.UNKNOWN, text)
    manifest = holdings.manifest
    if manifest is None or manifest.compressed_bytes == newest.size:
        return None
    text = f"At risk: {taken} is damaged: its size is not what its manifest says."
    return Verdict(State.FAILED, text)


def _judge_good(facts: Facts, holdings: Holdings, newest: StoredBackup, now: datetime) -> Verdict:
    """The newest backup is complete: is it in S3 too, and is it what the schedule promised?"""
    where = in_s3(facts, holdings, now)
    proof = holdings.evidence(newest)
    assert proof is not None
    how = "Tried out" if proof.proof is Proof.RESTORED else "Verified"
    detail = f"{how} {brief(now - proof.at)} ago. {where.detail}".rstrip()
    last = f"last good backup {_age(newest, now)} ago ({proof.proof}, {where.place})"
    overdue = next((found for found in class_statuses(facts, now) if found.overdue), None)
    if overdue is not None:
        state = State.FAILED if where.state is State.FAILED else State.STALE
        problem = f"; {where.problem}" if where.problem else ""
        return Verdict(state, f"At risk: {_overdue(facts, overdue, last, now)}{problem}.", detail)
    text = {
        State.FRESH: f"{_PROTECTED}{last}.",
        State.UNKNOWN: f"Unknown: {where.problem}; {last}.",
    }.get(where.state, f"At risk: {last}; {where.problem}.")
    return Verdict(where.state, text, detail)


def _overdue(facts: Facts, status: ClassStatus, last: str, now: datetime) -> str:
    assert status.due is not None
    due = f"{brief(now - status.due)} ago"
    why = ""
    scheduler = facts.scheduler.value
    active = active_backup(facts)
    if active is not None:
        why = f" (a backup has been running since {active.created_at:%Y-%m-%d %H:%M} UTC)"
    elif scheduler is not None and scheduler.pause is not None:
        why = f" (the schedule is {clean(scheduler.pause.in_words())})"
    if status.backup_class is BackupClass.DAILY:
        return f"the run due {due} made no good backup{why}; {last}"
    return f"the {status.backup_class} run due {due} made no good backup{why}; {last}"


def _none_here(facts: Facts, now: datetime) -> Verdict:
    """No backup in the backup directory."""
    active = active_backup(facts)
    if active is not None and _is_coming(facts, now):
        began = brief(now - active.created_at)
        text = f"Unknown: no good backup yet; the first one is running (began {began} ago)."
        return Verdict(State.UNKNOWN, text)
    s3 = facts.s3
    if s3 is None or (s3.value is not None and not s3.value.backups and s3.problem is None):
        asked = " here (S3 was not asked)" if s3 is None and facts.s3_enabled else ""
        return Verdict(State.STALE, f"At risk: no backup yet{asked}: nothing could be restored.")
    if s3.value is None or not s3.value.backups:
        text = f"Unknown: no local backup; {silence(s3, now)}."
        return Verdict(State.UNKNOWN, text, reason(s3))
    there = s3.value.backups[0]
    as_of = f"; {silence(s3, now)}" if s3.problem is not None else ""
    proof, age = s3.value.proof(there), _age(there, now)
    if s3.value.is_good(there):
        text = f"At risk: no local backup; last good backup {age} ago ({proof}, S3 only){as_of}."
        return Verdict(State.STALE, text, lost_since=there.name.taken_at)
    text = f"At risk: no local backup; the newest in S3, of {age} ago, is {proof} only{as_of}."
    if proof.is_bad:
        text = f"At risk: no local backup; the newest in S3, of {age} ago, is {proof}{as_of}."
    return Verdict(State.STALE, text)


def _not_good(
    holdings: Holdings, newest: StoredBackup, good: StoredBackup | None, now: datetime
) -> Verdict:
    """The newest backup is not proven complete."""
    taken = f"the backup of {_age(newest, now)} ago"
    rest = f"last good one {_age(good, now)} ago" if good else "no good one exists"
    proof = holdings.evidence(newest)
    if newest.size == 0:
        return Verdict(State.FAILED, f"At risk: {taken} is empty; {rest}.")
    if proof is not None and proof.proof.is_bad:
        why = f": {clean(proof.problem)}" if proof.problem else ""
        return Verdict(State.FAILED, f"At risk: {taken} is {proof.proof}{why}; {rest}.")
    what = "was never verified"
    if proof is not None and proof.proof is Proof.INTACT:
        what = "is intact, but what is in it was never looked at"
    return Verdict(State.UNKNOWN, f"Unknown: {taken} {what}; {rest}.")


def _no_longer_readable(local: Answered[Holdings], good: StoredBackup | None, now: datetime) -> str:
    """The directory could be read once and can't be now."""
    assert local.problem is not None
    before = f"last good backup {_age(good, now)} ago" if good else "no good backup"
    seen = f"seen {brief(now - local.read_at)} ago" if local.read_at is not None else "before"
    return f"Unknown: {clean(local.problem.problem)}; {seen}: {before}."


def _failed(job: Job, good: StoredBackup | None, now: datetime) -> Verdict:
    word = "was interrupted" if job.status is JobStatus.INTERRUPTED else "failed"
    why = clean(job.cause or job.problem)
    since = f"no good backup for {_age(good, now)}" if good else "there is no good backup"
    text = f"At risk: {since}; last attempt {word}{': ' if why else ''}{why}."
    detail = f"The attempt ended {brief(now - ended(job))} ago."
    if job.status is JobStatus.INTERRUPTED:  # when it died is not known
        detail = f"The attempt began {brief(now - job.created_at)} ago."
    return Verdict(State.FAILED, text, detail, job=job.id)


def _age(backup: StoredBackup, now: datetime) -> str:
    return brief(now - backup.name.taken_at)


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
    oldest = holdings.oldest_good
    first = [oldest.name.taken_at] if oldest else []
    jobs = facts.jobs.value or ()
    first += [job.created_at for job in jobs if concerns(job, facts.database)]
    return min(first) - _MOMENT if first else None
