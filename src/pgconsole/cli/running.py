"""Start a job and follow it: a progress bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

import click
import humanize

from pgconsole import jobs
from pgconsole.cli.explain import shown
from pgconsole.cli.outcome import print_outcome
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import JournalEntry
from pgconsole.jobs.texts import JSON
from pgconsole.settings import load_settings

_PLAIN_PROGRESS_EVERY = 10.0  # seconds between two progress lines in a log file


class View(Protocol):
    """Shows the entries of a job's journal."""

    def show(self, entry: JournalEntry) -> None:
        """Show one entry."""
        ...


def run_and_follow(
    kind: str, request: dict[str, JSON], show: Callable[[jobs.Job], None] | None = None
) -> int:
    """Start a job, show it until it ends, and return its exit code.

    SIGINT and SIGTERM cancel the job; SIGHUP (a closed terminal) leaves it running.

    Args:
        kind: Which operation.
        request: Its arguments.
        show: Prints the result of a job that is done.
    """
    settings = load_settings()
    actor = jobs.current_actor()
    job_id = jobs.start(settings, kind, request, actor)
    click.echo(f"job {job_id}", err=True)
    with _view() as view:
        try:
            with _stop_signals():
                for entry in jobs.follow(settings, job_id):
                    view.show(entry)
        except _Stop:
            click.echo("cancelling; what was begun is being removed", err=True)
            try:
                jobs.cancel(settings, job_id, actor)
            except PgconsoleError:
                # It has just ended, or somebody else was faster: then its own end is what counts.
                if jobs.read_job(settings, job_id).status is jobs.JobStatus.RUNNING:
                    raise
            jobs.wait(settings, job_id)
    job = jobs.read_job(settings, job_id)
    if show is not None and job.status is jobs.JobStatus.DONE:
        show(job)
    return print_outcome(job)


class _Stop(Exception):
    """SIGINT or SIGTERM reached the command."""


@contextmanager
def _stop_signals() -> Iterator[None]:
    """The first SIGINT or SIGTERM raises `_Stop`; then they are ignored: the job cleans up.

    Before there is a job to cancel they do what they always do.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise _Stop

    before = {number: signal.signal(number, stop) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def _view() -> Iterator[View]:
    if sys.stderr.isatty():
        from pgconsole.cli.progress import ProgressView  # noqa: PLC0415 - rich costs 60 ms

        with ProgressView() as view:
            yield view
    else:
        yield PlainView()


class PlainView:
    """One line per message on stderr, and a progress line now and then."""

    def __init__(self) -> None:
        self._last_progress = time.monotonic()

    def show(self, entry: JournalEntry) -> None:
        """Print the entry if it has something to say."""
        if entry.message:
            level = "" if entry.level == "info" else f"{entry.level.upper()}: "
            line = f"{_stamp(entry)} {entry.phase}: {level}{entry.message}"
            click.echo(shown(line), err=True)
        elif entry.bytes_done is not None and self._due():
            done = humanize.naturalsize(entry.bytes_done, binary=True)
            where = f", {entry.table}" if entry.table else ""
            click.echo(shown(f"{_stamp(entry)} {entry.phase}: {done} so far{where}"), err=True)

    def _due(self) -> bool:
        now = time.monotonic()
        if now - self._last_progress < _PLAIN_PROGRESS_EVERY:
            return False
        self._last_progress = now
        return True


def _stamp(entry: JournalEntry) -> str:
    return f"{entry.time:%Y-%m-%dT%H:%M:%SZ}"
