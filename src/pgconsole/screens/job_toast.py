"""Says that a job has ended to somebody who looks elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual.app import App
from textual.notifications import SeverityLevel

from pgconsole.jobs import Job, JobStatus
from pgconsole.widgets.console import Console
from pgconsole.widgets.health import GLYPHS, Level
from pgconsole.widgets.job_notice import outcome
from pgconsole.widgets.strips import JobStrip
from pgconsole.widgets.words import clean

_SECONDS = {Level.BAD: 30, Level.WARNING: 20}  # what went well is read faster
_SEVERITIES: dict[Level, SeverityLevel] = {Level.BAD: "error", Level.WARNING: "warning"}


def tell_ended(app: App[Any], job: Job, now: datetime) -> None:
    """Say once how a job ended, unless the job strip that is in view says it.

    Args:
        app: Has the screen that is looked at.
        job: The job.
        now: The time.
    """
    if not isinstance(app, Console) or _is_in_view(app, job) or not app.is_news(job.id):
        return
    level, headline, second = outcome(job, now)
    app.notify(
        _export(job) or second,
        title=f"{GLYPHS[level]} {headline}", severity=_SEVERITIES.get(level, "information"),
        timeout=_SECONDS.get(level, 10), markup=False,
    )  # fmt: skip


def _is_in_view(app: Console, job: Job) -> bool:
    if _export(job):  # the strip does not say where the file is
        return False
    return any(strip.display and strip.job_id == job.id for strip in app.screen.query(JobStrip))


def _export(job: Job) -> str:
    """Where the rows of a table are now; empty: that is not what the job did."""
    if job.kind != "export" or job.status is not JobStatus.DONE:
        return ""
    result = job.result or {}
    return f"{result.get('rows', 0):,} rows in {clean(str(result.get('path')))}"
