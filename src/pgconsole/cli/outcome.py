"""How a job ended, in words and as an exit code."""

from __future__ import annotations

import click

from pgconsole.errors import ExitCode
from pgconsole.jobs import Job, JobStatus


def print_outcome(job: Job) -> int:
    """Print how the job ended: the new files on stdout, everything else on stderr.

    Returns:
        The job's exit code.
    """
    for path in (job.result or {}).get("paths", []):
        click.echo(path)
    if job.status is JobStatus.DONE:
        return ExitCode.OK
    click.echo(f"pgconsole: {job.problem or f'job {job.id} is {job.status}'}", err=True)
    if job.cause:
        click.echo(f"  cause: {job.cause}", err=True)
    if job.fix:
        click.echo(f"  next:  {job.fix}", err=True)
    click.echo(f"  log:   pgconsole jobs {job.id}", err=True)
    return ExitCode.FAILED if job.exit_code is None else job.exit_code
