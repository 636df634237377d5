"""Eight hours of jobs, told fast to an open console: its memory is what it was at the start."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from tests.e2e.driving import Open
from tests.faults.gauges import gauge

from pgconsole.jobs import JobStatus
from pgconsole.jobs.journal import Journal
from pgconsole.jobs.spec import Spec, new_id, write_spec
from pgconsole.jobs.state import State, write_state
from pgconsole.jobs.store import LOCK, jobs_directory
from pgconsole.redact import Redactor
from pgconsole.report import Event, Level
from pgconsole.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

HOURS, JOBS_AN_HOUR = 8, 2
EVENTS_A_JOB = 3600  # two a second, for half an hour


@contextmanager
def job(settings: Settings) -> Iterator[Journal]:
    """A backup that runs until the block ends, as its runner would write it down."""
    began = datetime.now(UTC)
    spec = Spec(new_id("backup", began), "backup", {}, "scheduler", began)
    directory = jobs_directory(settings) / spec.id
    directory.mkdir(parents=True)
    state = State(JobStatus.RUNNING, began, os.getpid(), 0, socket.gethostname())
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write_spec(directory, spec)
        write_state(directory, state)
        with Journal(directory, Redactor([])) as journal:
            yield journal
        ended = State(
            JobStatus.DONE, began, os.getpid(), 0, socket.gethostname(),
            finished_at=datetime.now(UTC), exit_code=0, result={},
        )  # fmt: skip
        write_state(directory, ended)
    finally:
        os.close(lock)


def tell(journal: Journal, number: int) -> None:
    """Half an hour of a dump: bytes, tables, now and then words."""
    for second in range(EVENTS_A_JOB):
        words = f"table public.t{second} of job {number}" if second % 10 == 0 else ""
        level = Level.WARNING if second % 1000 == 0 else Level.INFO
        journal.append(Event("dump", words, level, second << 20, EVENTS_A_JOB << 20, f"t{second}"))
    journal.append(Event("dump", f"the last of job {number}"))


def test_memory_stays(console: Open, settings: Settings) -> None:
    terminal = console(160, 45)
    terminal.wait_for("no backup yet")

    def hour(number: int) -> int:
        for half in range(JOBS_AN_HOUR):
            one = number * JOBS_AN_HOUR + half
            with job(settings) as journal:
                terminal.wait_for("Backup running")
                tell(journal, one)
                terminal.wait_for(f"the last of job {one}")
            terminal.wait_for("Backup done")
        now = gauge(terminal.pid())
        assert now is not None
        return now.memory

    hour(0)  # what is imported for the first job is not of the hours
    start = hour(1)
    used = [hour(2 + number) for number in range(HOURS)]
    assert used[-1] < 1.2 * start, [f"{one >> 20} MB" for one in (start, *used)]
