"""Which job the strip under the status shows, and in what words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pgconsole.jobs import Job, JobStatus
from pgconsole.status.past_jobs import ended, is_active
from pgconsole.widgets.checks import checks_of, summary
from pgconsole.widgets.copy_text import duration
from pgconsole.widgets.health import Level
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import ago, clean, size, span

_GOOD_NEWS_FOR = timedelta(minutes=5)

_ENDED_AS = {
    JobStatus.DONE: ("done", Level.GOOD),
    JobStatus.PARTLY_FAILED: ("partly failed", Level.WARNING),
    JobStatus.FAILED: ("failed", Level.BAD),
    JobStatus.INTERRUPTED: ("was interrupted", Level.BAD),
    JobStatus.CANCELLED: ("was cancelled", Level.WARNING),
}
_LASTING = (JobStatus.FAILED, JobStatus.INTERRUPTED, JobStatus.PARTLY_FAILED)


def job_to_show(jobs: Sequence[Job], dismissed: Collection[str], now: datetime) -> Job | None:
    """The running job; else the last that ended, as long as it is news.

    A failure is news until it is dismissed or a later job of its kind succeeded; success and
    cancellation are news for a few minutes.

    Args:
        jobs: The newest first.
        dismissed: Ids of jobs whose notice the operator took off the screen.
        now: The time.
    """
    for job in jobs:
        if is_active(job):
            return job
    succeeded: set[str] = set()
    for job in jobs:
        if job.kind in succeeded:
            continue
        fresh = now - ended(job) < _GOOD_NEWS_FOR
        if (job.status in _LASTING or fresh) and job.id not in dismissed:
            return job
        if job.status is JobStatus.DONE:
            succeeded.add(job.kind)
    return None


def title(job: Job) -> str:
    """What kind of work it is: `Backup`."""
    return clean(job.kind).replace("_", " ").capitalize()


def outcome(job: Job, now: datetime, *, cause_told: bool = False) -> tuple[Level, str, str]:
    """An ended job in two lines: how it ended and when; why, and what to do.

    Args:
        job: The job.
        now: The time.
        cause_told: The cause is on the screen already.

    Returns:
        How bad it is, the headline, and the second line.
    """
    word, level = _ENDED_AS[job.status]
    headline = f"{title(job)} {word} {ago(ended(job), now)}"
    if job.status is JobStatus.INTERRUPTED:
        # When it died is not known: only when it began is.
        headline = f"{title(job)} was interrupted (it began {ago(job.created_at, now)})"
    if job.problem and not job.problem.startswith(f"The {job.kind} was "):  # that says it already
        headline += f": {clean(job.problem)}"
    cause = "" if cause_told else clean(job.cause)
    fix = f"Next: {clean(job.fix)}" if job.fix else ""
    second = ". ".join(part for part in (cause, fix) if part)
    if job.status is JobStatus.DONE and job.started_at and job.finished_at:
        checks = checks_of(job.result or {})
        if checks:
            headline += f": {summary(checks)}"
            level = level if all(check.is_right for check in checks) else Level.WARNING
        took = duration((job.finished_at - job.started_at).total_seconds())
        second = f"took {took}, by {clean(job.actor)}"
    return level, headline, second


def figures(progress: Progress) -> list[str]:
    """Bytes, rate and remaining time of a running job; estimates are called so."""
    found = []
    if progress.done is not None:
        done = size(progress.done)
        expected = progress.expected
        found.append(f"{done} of {size(expected)} est." if expected else done)
    if progress.rate is not None:
        found.append(f"{size(progress.rate)}/s")
    if progress.remaining is not None:
        found.append(f"ETA {span(progress.remaining)} est.")
    elif progress.done and progress.expected and progress.done >= progress.expected:
        found.append("more than estimated")
    return found
