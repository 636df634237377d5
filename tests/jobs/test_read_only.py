"""Read-only mode in the core: nothing that changes something runs, whoever asks and however."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from tests.conftest import MakeSettings

from pgconsole import jobs
from pgconsole.backups.pins import pin, read_pins, unpin
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.errors import ExitCode
from pgconsole.jobs import operations
from pgconsole.jobs.spec import Spec, new_id, write_spec
from pgconsole.jobs.state import JobStatus
from pgconsole.jobs.store import jobs_directory
from pgconsole.mutations import ReadOnlyError, mutates
from pgconsole.schedule.service import run_scheduler
from pgconsole.schedule.state import pause, read_pause, resume
from pgconsole.settings import Settings

MUTATING = ("backup", "upload", "restore", "prune", "download", "delete")
NAME = BackupName("shop", datetime(2026, 2, 24, 2, tzinfo=UTC), BackupClass.DAILY)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Read-only, with nothing behind it."""
    return make_settings(PGHOST="127.0.0.1", PGPORT="1", PGCONSOLE_READ_ONLY="true")


def writable(settings: Settings) -> Settings:
    return settings.model_copy(update={"read_only": False})


def audited(settings: Settings) -> list[tuple[str, str]]:
    lines = (settings.state_dir / "audit.log").read_text().splitlines()
    return [(one["action"], one["result"]) for one in map(json.loads, lines)]


def test_each_kind_of_job_is_known_to_read_or_counts_as_changing() -> None:
    assert {kind for kind in operations._OPERATIONS if mutates(kind)} == set(MUTATING)
    assert not mutates("verify")
    assert mutates("a kind of tomorrow")


@pytest.mark.parametrize("kind", MUTATING)
def test_no_job_that_changes_something_is_started(kind: str, settings: Settings) -> None:
    with pytest.raises(ReadOnlyError, match="PGCONSOLE_READ_ONLY") as caught:
        jobs.start(settings, kind, {}, "alice")
    assert caught.value.exit_code == ExitCode.USAGE
    assert jobs.list_jobs(settings) == []
    [(action, result)] = audited(settings)
    assert (action, result.split(":")[0]) == (kind, "refused")


@pytest.mark.parametrize("kind", MUTATING)
def test_a_spec_written_by_hand_is_refused_by_the_runner(kind: str, settings: Settings) -> None:
    now = datetime.now(UTC)
    spec = Spec(new_id(kind, now), kind, {}, "mallory", now)
    directory = jobs_directory(settings) / spec.id
    directory.mkdir(parents=True)
    write_spec(directory, spec)
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    code = subprocess.call(
        [sys.executable, "-m", "pgconsole.jobs.runner", str(directory), str(lock)],
        env={"PATH": os.environ["PATH"], **settings.environment()}, pass_fds=(lock,),
    )  # fmt: skip
    os.close(lock)
    job = jobs.read_job(settings, spec.id)
    assert (code, job.status) == (ExitCode.USAGE, JobStatus.FAILED)
    assert "read-only" in job.cause
    assert (kind, "refused") in [(what, result.split(":")[0]) for what, result in audited(settings)]


def test_a_job_that_reads_is_run_and_can_be_cancelled_by_who_started_it(
    settings: Settings,
) -> None:
    job = jobs.wait(settings, jobs.start(settings, "verify", {"paths": ["/nowhere"]}, "alice"))
    assert "read-only" not in job.cause
    with pytest.raises(Exception, match="it is failed") as caught:
        jobs.cancel(settings, job.id, "alice")
    assert not isinstance(caught.value, ReadOnlyError)


def test_no_job_that_changes_something_is_cancelled(settings: Settings) -> None:
    job = jobs.wait(settings, jobs.start(writable(settings), "backup", {}, "alice"))
    with pytest.raises(ReadOnlyError):
        jobs.cancel(settings, job.id, "mallory")
    # The end of the job may be written down after it.
    assert ("cancel", "refused") in [(do, result.split(":")[0]) for do, result in audited(settings)]


def test_pins_stay_as_they_are(settings: Settings) -> None:
    pin(writable(settings), NAME, "keep", "alice")
    before = read_pins(settings)
    with pytest.raises(ReadOnlyError):
        pin(settings, NAME, "another note", "mallory")
    with pytest.raises(ReadOnlyError):
        unpin(settings, NAME, "mallory")
    assert read_pins(settings) == before


def test_the_schedule_stays_as_it_is(settings: Settings) -> None:
    with pytest.raises(ReadOnlyError):
        pause(settings, "why not", None, "mallory")
    assert read_pause(settings, datetime.now(UTC)) is None
    made = pause(writable(settings), "moving", None, "alice")
    with pytest.raises(ReadOnlyError):
        resume(settings, "mallory")
    assert read_pause(settings, datetime.now(UTC)) == made
    with pytest.raises(ReadOnlyError):
        run_scheduler(settings, lambda _: None)
    assert [action for action, result in audited(settings) if result.startswith("refused")] == [
        "pause", "resume", "schedule",
    ]  # fmt: skip


def test_a_directory_that_nobody_can_write_still_gives_the_refusal(settings: Settings) -> None:
    settings.backup_dir.mkdir(parents=True, exist_ok=True)
    settings.state_dir.write_bytes(b"")  # no directory: the audit log can't be written
    with pytest.raises(ReadOnlyError):
        jobs.start(settings, "backup", {}, "alice")
