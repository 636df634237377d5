"""`pgconsole jobs` and `pgconsole cancel`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click
import humanize

from pgconsole import jobs
from pgconsole.cli.explain import shown
from pgconsole.cli.json_list import print_list
from pgconsole.cli.outcome import exit_code, print_outcome
from pgconsole.cli.running import PlainView
from pgconsole.errors import ExitCode
from pgconsole.jobs.texts import to_json
from pgconsole.settings import load_settings

_SHOWN = 50  # jobs in the list; `--json` gives all


def print_jobs(*, as_json: bool) -> None:
    """Print the newest jobs, one a line."""
    settings = load_settings()
    found = jobs.list_jobs(settings, None if as_json else _SHOWN)
    if as_json:
        print_list(map(to_json, found))
        return
    if not found:
        click.echo("No jobs yet. Start one: pgconsole backup", err=True)
    for job in found:
        age = humanize.naturaltime(datetime.now(UTC) - job.created_at)
        line = f"{job.id}  {job.kind:<7}  {job.status:<13}  {age:<16}  {job.actor}"
        click.echo(shown(line + (f"  {job.problem}" if job.problem else "")))


def print_job(job_id: str, *, follow: bool, as_json: bool) -> int:
    """Print a job's log, and its outcome if it has ended.

    Returns:
        The job's exit code; 0 while it runs, 1 if it was interrupted.
    """
    settings = load_settings()
    job = jobs.read_job(settings, job_id)
    if as_json:
        click.echo(json.dumps(to_json(job), indent=2))
        return exit_code(job) if job.status.ended else ExitCode.OK
    view = PlainView()
    try:
        for entry in jobs.follow(settings, job_id) if follow else _written(job):
            view.show(entry)
    except OSError as error:
        click.echo(f"the log of job {job_id} can't be read: {shown(str(error))}", err=True)
    job = jobs.read_job(settings, job_id)
    if not job.status.ended:
        click.echo(f"{job.status}: pgconsole jobs {job_id} --follow", err=True)
        return ExitCode.OK
    return print_outcome(job)


def _written(job: jobs.Job) -> Iterator[jobs.JournalEntry]:
    """The journal so far."""
    tail = jobs.Tail(job.directory)
    while entries := tail.read():
        yield from entries


def cancel_job(job_id: str) -> int:
    """Cancel a running job and wait until it has cleaned up."""
    settings = load_settings()
    jobs.cancel(settings, job_id, jobs.current_actor())
    job = jobs.wait(settings, job_id)
    click.echo(f"job {job_id} is {job.status}", err=True)
    return ExitCode.OK if job.status is jobs.JobStatus.CANCELLED else ExitCode.FAILED
