"""A job every minute for a month, and real ones one after the other: nothing piles up."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.faults.gauges import MIB, Gauge, gauge
from tests.faults.readers import now
from tests.faults.recorder import Fault, Faults, Group
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.jobs import JobStatus, launcher
from pgconsole.jobs.journal import Journal
from pgconsole.jobs.spec import Spec, new_id
from pgconsole.jobs.state import State, write_state
from pgconsole.jobs.store import jobs_directory
from pgconsole.jobs.texts import JSON
from pgconsole.logs.book import LogBook
from pgconsole.logs.files import places_of
from pgconsole.redact import Redactor
from pgconsole.report import Event
from pgconsole.schedule.backups import last_good_backup, who_is_busy
from pgconsole.schedule.history import Slot, SlotOutcome, append_slots
from pgconsole.schedule.state import Heartbeat, read_slots, schedule_directory, write_heartbeat
from pgconsole.screens.sources import sources_of
from pgconsole.settings import Settings
from pgconsole.status.gather import gather
from pgconsole.status.status import judge

pytestmark = pytest.mark.slow  # see `make test-slow`

MONTH = Fault(
    Group.LOAD,
    "a job every minute for a month (written by the job machinery, with its own clock), while a "
    "console and a scheduler look",
    "each look takes less than 2 s of processor time and no more memory, descriptors or threads "
    "at the end than after the first fifth; all jobs can be listed",
)
REAL = Fault(
    Group.LOAD,
    "real jobs, one after the other, started by the same process",
    "no descriptor, thread, process or zombie is left of any",
)
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_SHOWN = 50  # jobs that a console looks at


@pytest.fixture
def month(make_settings: MakeSettings, faults: Faults) -> Iterator[Settings]:
    """Settings without a server. To flush 43,200 jobs to a disk takes an hour: in memory."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > faults.times(1, 30) << 27:
        make_settings.backup_dir = memory / f"pgconsole-test-{os.getpid()}"
        make_settings.backup_dir.mkdir(mode=0o700)
    made = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    yield made
    if made.backup_dir.is_relative_to(memory):
        shutil.rmtree(made.backup_dir)


def live(settings: Settings, at: datetime) -> None:
    """The minute of a scheduler that starts a backup, and of the runner that takes it."""
    request: dict[str, JSON] = {"slot": at.isoformat()}
    spec = Spec(new_id("backup", at), "backup", request, "scheduler", at)
    directory = jobs_directory(settings) / spec.id
    lock = launcher._make(directory, spec)
    try:
        pid = os.getpid()
        state = State(JobStatus.RUNNING, at, pid, 1, "host")
        write_state(directory, state)
        with Journal(directory, Redactor([])) as journal:
            for phase in ("preflight", "dump", "publish", "end"):
                journal.append(Event(phase, f"{phase} of {spec.id}"))
        done = State(JobStatus.DONE, at, pid, 1, "host", "end", at + timedelta(seconds=40), 0)
        write_state(directory, done)
    finally:
        os.close(lock)
    slots = schedule_directory(settings)
    append_slots(slots, [Slot(at, SlotOutcome.STARTED, "", spec.id, at)])
    append_slots(slots, [Slot(at, SlotOutcome.DONE, "", spec.id, at)])
    write_heartbeat(settings, Heartbeat(at, at, "host", 1, "* * * * *", "UTC"))


def look(settings: Settings, book: LogBook) -> None:
    """What a console, the scheduler and the health check ask."""
    sources = sources_of(settings, now)
    assert len(sources.jobs()) == _SHOWN
    sources.schedule()
    judge(gather(settings, now()), now())
    read_slots(settings, 50)
    last_good_backup(settings, now())
    who_is_busy(settings)
    while book.read() or book.advance():
        pass
    assert list(book.lines(0, 100))


def here() -> Gauge:
    """This process."""
    found = gauge(os.getpid())
    assert found
    return found


def settled(before: Gauge) -> Gauge:
    """This process, once the threads of `gather` are gone, for which nobody waits."""
    return wait_until(lambda: (found := here()).threads <= before.threads and found)


@pytest.mark.timeout(3600)
def test_a_month_of_jobs_every_minute(month: Settings, faults: Faults) -> None:
    count = faults.times(1_000, 30 * 24 * 60)
    book = LogBook(lambda: places_of(month, 100), 10_000)
    minutes = (_BEGAN + timedelta(minutes=number) for number in range(count))
    told: list[Gauge] = []
    slowest = 0.0
    with faults.trial(MONTH) as trial:
        schedule_directory(month).mkdir(parents=True)
        before = here()
        while some := list(islice(minutes, count // 10)):
            for at in some:
                live(month, at)
            for _ in range(3):
                began = time.process_time()
                look(month, book)
                slowest = max(slowest, time.process_time() - began)
            told.append(settled(before))
        first, last = told[1], told[-1]
        assert slowest < 2, slowest
        assert last.memory < first.memory + 16 * MIB, list(map(str, told))
        assert last.descriptors == first.descriptors
        assert last.threads <= first.threads
        began = time.process_time()
        every = jobs.list_jobs(month)
        listing = time.process_time() - began
        assert [job.created_at for job in every] == sorted(
            (_BEGAN + timedelta(minutes=number) for number in range(count)), reverse=True
        )
        assert {job.status for job in every} == {JobStatus.DONE}
        trial.happened(
            f"{count:,} jobs: after a fifth {first}; at the end {last}; the slowest look took "
            f"{slowest:.2f} s, listing every job {listing:.0f} s; the records stay",
            count,
        )


@pytest.mark.timeout(1200)
def test_real_jobs_leave_nothing(make_settings: MakeSettings, faults: Faults) -> None:
    settings = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    count = faults.times(4, 60)

    def run_one() -> Gauge:
        job = jobs.wait(settings, jobs.start(settings, "backup", {}, "test"))
        assert job.status is JobStatus.FAILED
        assert job.problem
        return wait_until(lambda: not _of_jobs() and here())

    with faults.trial(REAL) as trial:
        first = run_one()
        for _ in range(count):
            last = run_one()
        assert last.descriptors == first.descriptors
        assert last.threads == first.threads
        assert last.children == first.children
        assert last.memory < first.memory + 8 * MIB
        trial.happened("nothing was left", count)


def _of_jobs() -> list[str]:
    """Threads that wait for a runner."""
    return [one.name for one in threading.enumerate() if one.name.startswith("reap ")]
