"""A judgement and what it rests on, gathered for printing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pgconsole.backups.evidence import Evidence
from pgconsole.jobs import Job, JobStatus
from pgconsole.schedule import next_runs
from pgconsole.status.facts import Facts
from pgconsole.status.past_jobs import last_ended, last_failure
from pgconsole.status.scheduler import Life, in_words, life_of
from pgconsole.status.status import ClassStatus, class_statuses, judge
from pgconsole.status.verdict import Verdict
from pgconsole.status.words import clean, counted, size


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that `pgconsole status` says.

    Attributes:
        at: When, UTC.
        verdict: The answer.
        facts: What it rests on.
        classes: Each class against the schedule; empty if BACKUP_DIR can't be read.
        last_proof: The last proof of any copy that is still as it was then.
        last_failure: The last job of any kind that did not end well.
        life: What is known of the scheduler.
        next_run: The next slot.
        warnings: What does not change the answer today and should be looked at.
    """

    at: datetime
    verdict: Verdict
    facts: Facts
    classes: tuple[ClassStatus, ...]
    last_proof: Evidence | None
    last_failure: Job | None
    life: Life
    next_run: datetime
    warnings: tuple[str, ...]


def report_of(facts: Facts, now: datetime) -> Report:
    """Judge, and gather what else is worth saying."""
    return Report(
        at=now.astimezone(UTC),
        verdict=judge(facts, now),
        facts=facts,
        classes=class_statuses(facts, now),
        last_proof=_last_look(facts),
        last_failure=last_failure(facts),
        life=life_of(facts.scheduler, now),
        next_run=next_runs(facts.schedule, facts.timezone, now, 1)[0].astimezone(UTC),
        warnings=tuple(_warnings(facts, now)),
    )


def _last_look(facts: Facts) -> Evidence | None:
    places = (place.value for place in (facts.local, facts.s3) if place is not None)
    looks = (place.last_look() for place in places if place is not None)
    return max(filter(None, looks), key=lambda proof: proof.at, default=None)


def _proofs(facts: Facts) -> Iterator[Evidence]:
    for place in (facts.local, facts.s3):
        if place is not None and place.value is not None:
            yield from place.value.proofs.values()


def _warnings(facts: Facts, now: datetime) -> Iterator[str]:
    bad = Counter(proof.proof for proof in _proofs(facts) if proof.proof.is_bad)
    for proof, count in sorted(bad.items(), reverse=True):
        yield f"{counted(count, 'backup')} known to be {proof}"
    last = last_ended(facts)
    if last is not None and last.status is JobStatus.PARTLY_FAILED:
        yield f"{clean(last.problem)}: {clean(last.cause)}"
    if life_of(facts.scheduler, now) in (Life.NOT_SEEN, Life.STOPPED):
        yield f"The scheduler is {in_words(facts.scheduler, now)}: nobody takes the next backup"
    elif facts.scheduler.value is not None and facts.scheduler.value.pause is not None:
        yield f"The schedule is {clean(facts.scheduler.value.pause.in_words())}"
    disk = facts.disk.value
    if disk is not None and disk.needed_bytes is not None and disk.free_bytes < disk.needed_bytes:
        yield (
            f"Too little disk space for the next backup: {size(disk.free_bytes)} free, "
            f"about {size(disk.needed_bytes)} needed"
        )
