"""Checks of what backups and jobs left: are there fresh ones, proven ones, too many?"""

from __future__ import annotations

from pgconsole.backups.evidence import Proof
from pgconsole.backups.prune import make_plan
from pgconsole.jobs import JobStatus
from pgconsole.status.checks.base import Finding, failed, not_set_up, ok, unknown, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.facts import Holdings
from pgconsole.status.past_jobs import active_backup, ended, last_ended
from pgconsole.status.status import class_statuses
from pgconsole.status.words import ago, clean, counted
from pgconsole.storage.base import Place


def fresh(context: Context) -> Finding:
    """Whether the backups are there that the schedule promised."""
    facts, holdings = context.facts(), _holdings(context)
    good = holdings.good()
    if good is None:
        if active_backup(facts) is not None:
            return unknown("no good backup yet", "the first one is running", "wait for its end")
        return failed(
            "No backups created: there is no good one",
            "none was taken yet, or none is verified",
            "pgconsole backup; for files of the old scripts pgconsole verify --all",
        )
    taken = f"the last good one is from {ago(good.name.taken_at, context.now)}"
    for status in class_statuses(facts, context.now):
        if status.overdue and status.due is not None:
            due = f"the {status.backup_class} one due {ago(status.due, context.now)} is missing"
            return failed(
                f"No backups created: {due}; {taken}",
                "the scheduler or cron is not running, or the backups fail",
                "see the checks 'scheduler' and 'last backup'; pgconsole backup takes one now",
            )
    return ok(taken)


def verified(context: Context) -> Finding:
    """Whether what is there was proven to be whole dumps."""
    holdings = _holdings(context)
    proofs = [(backup, holdings.proof(backup)) for backup in holdings.backups]
    altered = [backup for backup, proof in proofs if proof is Proof.ALTERED]
    if altered:
        return failed(
            f"{counted(len(altered), 'backup')} altered: {altered[0].name.relative_path}",
            clean(holdings.proofs[altered[0].location].problem),
            "find out who can write there; take another one (pgconsole backup)",
        )
    damaged = [backup for backup, proof in proofs if proof.is_bad or backup.size == 0]
    if damaged:
        evidence = holdings.proofs.get(damaged[0].location)
        why = clean(evidence.problem) if evidence is not None else "it is empty"
        return failed(
            f"{counted(len(damaged), 'backup')} damaged: {damaged[0].name.relative_path}",
            f"{why}; the old scripts said `gzip check failed`",
            "take another one (pgconsole backup), then move the damaged one away",
        )
    sealed = [backup for backup, proof in proofs if proof is Proof.INTACT]
    if sealed:
        return warning(
            f"{counted(len(sealed), 'backup')} of {len(proofs)} encrypted and never looked into: "
            f"{sealed[0].name.relative_path}",
            "their bytes are those that were written; more takes a private key",
            "pgconsole verify --all, with BACKUP_AGE_IDENTITY_FILE set",
        )
    unproven = [backup for backup, proof in proofs if not holdings.is_good(backup)]
    if unproven:
        return warning(
            f"{counted(len(unproven), 'backup')} of {len(proofs)} never verified: "
            f"{unproven[0].name.relative_path}",
            "they came from the old scripts, or were changed since",
            "pgconsole verify --all",
        )
    if not proofs:
        return not_set_up("no backups to verify")
    last = holdings.last_look()
    assert last is not None  # each of them is proven
    return ok(f"all {len(proofs)} are proven complete, the last {ago(last.at, context.now)}")


def last_backup(context: Context) -> Finding:
    """How the last backup job ended."""
    facts = context.facts()
    if facts.jobs.problem is not None:
        raise facts.jobs.problem
    job = last_ended(facts)
    if job is None:
        return not_set_up("no backup job has ended yet")
    when = ago(ended(job), context.now)
    if job.status is JobStatus.DONE:
        return ok(f"done {when}")
    word = "was interrupted" if job.status is JobStatus.INTERRUPTED else "failed"
    judge = failed
    if job.status is JobStatus.PARTLY_FAILED:
        word, judge = "partly failed", warning
    return judge(f"{word} {when}: {job.problem}", job.cause, job.fix or f"pgconsole jobs {job.id}")


def retention(context: Context) -> Finding:
    """Whether there are backups that should have been deleted."""
    plan = make_plan(context.settings, Place.LOCAL)
    waiting = sum(entry.waits for entry in plan.keep)
    if plan.delete:
        return warning(
            f"Old backups not pruned: {len(plan.delete)} are more than RETENTION_* wants",
            "retention runs after each good backup; the next one deletes them",
            "pgconsole prune --dry-run shows them, pgconsole prune deletes them",
        )
    kept = sum(entry.backup is not None for entry in plan.keep)
    # The check of the proofs warns of those.
    unproven = f", {waiting} of them never verified: they take no slot" if waiting else ""
    return ok(f"{counted(kept, 'backup')} kept, none too many{unproven}")


def _holdings(context: Context) -> Holdings:
    local = context.facts().local
    if local.value is None:
        assert local.problem is not None  # an answer or a problem: it was asked
        raise local.problem
    return local.value
