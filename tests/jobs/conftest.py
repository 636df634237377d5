"""Jobs as real processes, with the operations of `job_operations`."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.processes import process_started
from pgconsole.jobs.state import read_state
from pgconsole.jobs.texts import JSON
from pgconsole.settings import Settings

RUNNER = "job_operations"
ACTOR = "alice from 10.0.0.5"


class Jobs:
    """Starts jobs and looks at them."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings = settings
        self.go = directory / "go"  # what `wait` waits for

    def start(self, kind: str, **request: JSON) -> str:
        """Start an operation of `job_operations`."""
        return jobs.start(self.settings, kind, request, ACTOR, runner=RUNNER)

    def start_waiting(self, **request: JSON) -> Job:
        """A job that runs until `go` exists, seen at work."""
        job_id = self.start("wait", until=str(self.go), **request)
        return self.when(job_id, lambda job: job.phase == "dump")

    def run(self, kind: str, **request: JSON) -> Job:
        """Run a job to its end."""
        return jobs.wait(self.settings, self.start(kind, **request))

    def read(self, job_id: str) -> Job:
        """The job as it is now."""
        return jobs.read_job(self.settings, job_id)

    def when(self, job_id: str, condition) -> Job:  # type: ignore[no-untyped-def]
        """The job as soon as it is as wanted."""
        return wait_until(lambda: (job := self.read(job_id)) and condition(job) and job)

    def ended(self, job_id: str) -> Job:
        """The job as soon as it ended, in whatever way."""
        return self.when(job_id, lambda job: job.status.ended)

    def messages(self, job: Job) -> list[str]:
        """All that the journal says."""
        return [entry.message for entry in jobs.Tail(job.directory).read() if entry.message]

    def kill(self, job: Job) -> None:
        """End the runner as the kernel does when memory runs out."""
        assert job.pid is not None
        os.kill(job.pid, signal.SIGKILL)


@pytest.fixture(autouse=True)
def _test_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def make_jobs(make_settings: MakeSettings, tmp_path: Path) -> Iterator[type[Jobs]]:
    """Jobs of settings that the test chooses; what still runs afterwards is ended."""
    made: list[Jobs] = []

    def make(**variables: str) -> Jobs:
        made.append(Jobs(make_settings(**variables), tmp_path))
        return made[-1]

    yield make  # type: ignore[misc]
    for each in made:
        for job in jobs.list_jobs(each.settings):
            _end(job)


def _end(job: Job) -> None:
    """End the runner if it is still there, and see it gone."""
    with suppress(OSError, ValueError):
        state = read_state(job.directory)
        if state is None or process_started(state.pid) != state.pid_started:
            return
        if job.status in (JobStatus.RUNNING, JobStatus.CANCELLING):
            os.kill(state.pid, signal.SIGKILL)
        wait_until(lambda: process_started(state.pid) != state.pid_started)


@pytest.fixture
def started(make_jobs) -> Jobs:  # type: ignore[no-untyped-def]
    """Jobs with plain settings."""
    return make_jobs()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    mount_point = tmp_path / "small"
    mount_point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "pgconsole-test", str(mount_point)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only who may mount can have a small disk")
    yield mount_point
    subprocess.run(["umount", "--lazy", str(mount_point)], check=True)
