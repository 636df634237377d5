"""How a job ended, in words and as an exit code."""

from __future__ import annotations

import click

from pgconsole.cli.explain import explain, shown
from pgconsole.errors import ExitCode
from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.texts import JSON


def print_outcome(job: Job) -> int:
    """Print how the job ended: new files and verified copies on stdout, the rest on stderr.

    Returns:
        The job's exit code.
    """
    for path in _listed(job, "paths"):
        click.echo(shown(str(path)))
    for copy in _listed(job, "copies"):
        if isinstance(copy, dict):
            rows = "-" if copy.get("rows") is None else copy["rows"]
            fields = (copy.get("location"), copy.get("proof") or "unknown", rows)
            click.echo("\t".join(shown(str(field)) for field in (*fields, copy.get("seconds"))))
    if job.status is JobStatus.DONE:
        return ExitCode.OK
    if job.problems:
        for item in job.problems:
            explain(item.problem, item.cause, item.fix)
    else:
        explain(job.problem or f"job {job.id} is {job.status}", job.cause, job.fix)
    click.echo(f"  log:   pgconsole jobs {job.id}", err=True)
    return exit_code(job)


def _listed(job: Job, name: str) -> list[JSON]:
    found = (job.result or {}).get(name)
    return found if isinstance(found, list) else []


def exit_code(job: Job) -> int:
    """Of a job that has ended; an interrupted one did not get to give any."""
    return ExitCode.FAILED if job.exit_code is None else job.exit_code
