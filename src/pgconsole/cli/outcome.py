"""How a job ended, in words and as an exit code."""

from __future__ import annotations

import click

from pgconsole.cli.explain import explain
from pgconsole.errors import ExitCode
from pgconsole.jobs import Job, JobStatus


def print_outcome(job: Job) -> int:
    """Print how the job ended: the new files on stdout, everything else on stderr.

    Returns:
        The job's exit code.
    """
    paths = (job.result or {}).get("paths")
    for path in paths if isinstance(paths, list) else []:
        click.echo(path)
    if job.status is JobStatus.DONE:
        return ExitCode.OK
    if job.problems:
        for item in job.problems:
            explain(item.problem, item.cause, item.fix)
    else:
        explain(job.problem or f"job {job.id} is {job.status}", job.cause, job.fix)
    click.echo(f"  log:   pgconsole jobs {job.id}", err=True)
    return exit_code(job)


def exit_code(job: Job) -> int:
    """Of a job that has ended; an interrupted one did not get to give any."""
    return ExitCode.FAILED if job.exit_code is None else job.exit_code
