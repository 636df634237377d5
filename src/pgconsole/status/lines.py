"""A report as text: the verdict first, then a line for each topic."""

from __future__ import annotations

from collections.abc import Iterator

from pgconsole.jobs import JobStatus
from pgconsole.status.past_jobs import ended
from pgconsole.status.report import Report
from pgconsole.status.scheduler import in_words
from pgconsole.status.status import ClassStatus
from pgconsole.status.words import ago, clean, size, span


def lines_of(report: Report) -> Iterator[str]:
    """The report, a line each."""
    verdict = report.verdict
    yield f"{verdict.state}: {verdict.sentence.partition(': ')[2]}"
    topics = [
        *((str(found.backup_class), _class(found, report)) for found in report.classes),
        ("verified", _verified(report)),
        ("failed", _failed(report)),
        ("S3", _s3(report)),
        ("disk", _disk(report)),
        ("scheduler", in_words(report.facts.scheduler, report.at)),
        ("next run", f"{report.next_run:%Y-%m-%d %H:%M} UTC, in {_until(report)}"),
        *(("warning", text) for text in report.warnings),
    ]
    for topic, text in topics:
        yield f"  {topic:<10} {text}"


def _class(found: ClassStatus, report: Report) -> str:
    if found.last_good is None:
        text = "no good one"
    else:
        taken = ago(found.last_good.name.taken_at, report.at)
        text = f"{taken}, {found.last_good.name.filename}"
    if found.overdue and found.due is not None:
        return f"{text}; overdue: the next one was due {ago(found.due, report.at)}"
    if found.last_good is None and found.due is None:
        return f"{text} yet; none was due"
    return text


def _verified(report: Report) -> str:
    proof = report.last_proof
    if proof is None:
        return "never"
    text = f"{ago(proof.at, report.at)}: {clean(proof.copy)} is {proof.proof}"
    return f"{text}: {clean(proof.problem)}" if proof.problem else text


def _failed(report: Report) -> str:
    job = report.last_failure
    if job is None:
        return "no job" if report.facts.jobs.value is not None else "unknown"
    word = "was interrupted" if job.status is JobStatus.INTERRUPTED else _spaced(job.status)
    why = clean(job.cause or job.problem)
    return f"{job.kind} {word} {ago(ended(job), report.at)}: {why} ({job.id})"


def _s3(report: Report) -> str:
    facts = report.facts
    if facts.s3 is None:
        return "not asked" if facts.s3_enabled else "not set up"
    if facts.s3.value is None:
        problem = facts.s3.problem
        assert problem is not None  # an answer or a problem: it was asked
        return f"unknown: {clean(problem.problem)}: {clean(problem.cause)}"
    newest = facts.s3.value.newest()
    if newest is None:
        return "reachable, and no backup of this database is there"
    taken = ago(newest.name.taken_at, report.at)
    return f"reachable, newest there {taken}: {newest.name.filename}"


def _disk(report: Report) -> str:
    disk = report.facts.disk
    if disk.value is None:
        return f"unknown: {clean(disk.problem.problem)}" if disk.problem else "unknown"
    free = f"{size(disk.value.free_bytes)} free"
    if disk.value.needed_bytes is None:
        return f"{free}; nothing to estimate the next backup from"
    return f"{free}, the next backup needs about {size(disk.value.needed_bytes)}"


def _spaced(status: JobStatus) -> str:
    return status.replace("_", " ")


def _until(report: Report) -> str:
    return span(report.next_run - report.at)
