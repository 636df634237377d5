"""Whoever started or watches a job may die: the job does not notice."""

from __future__ import annotations

import os
import pty
import signal
import sys
import threading
from pathlib import Path

import pytest
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.jobs import JobStatus

# Starts a job as a console does, says so, and goes on living with the terminal.
STARTER = """
import signal, sys
from pathlib import Path
from pgconsole import jobs
from pgconsole.settings import load_settings
job = jobs.start(
    load_settings(), "wait", {"until": sys.argv[1]}, "alice", runner="job_operations"
)
Path(sys.argv[2]).write_text(job)
signal.pause()
"""


def _start_in_a_terminal(started, note: Path, monkeypatch) -> tuple[int, int]:
    for name, value in started.settings.environment().items():
        monkeypatch.setenv(name, value)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", STARTER, str(started.go), str(note)])
    return pid, terminal


@pytest.mark.parametrize("death", ["kill", "hangup", "whole session"])
def test_the_starter_dies(started, tmp_path, monkeypatch, death):
    note = tmp_path / "note"
    pid, terminal = _start_in_a_terminal(started, note, monkeypatch)
    try:
        job_id = wait_until(lambda: note.exists() and note.read_text())
        job = started.when(job_id, lambda job: job.phase == "dump")
        if death == "kill":
            os.kill(pid, signal.SIGKILL)
        elif death == "whole session":
            os.killpg(pid, signal.SIGKILL)
    finally:
        os.close(terminal)  # the kernel sends SIGHUP to the session
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == (signal.SIGHUP if death == "hangup" else signal.SIGKILL)

    assert started.read(job_id).status is JobStatus.RUNNING
    os.kill(job.pid, 0)
    started.go.touch()
    assert jobs.wait(started.settings, job_id).status is JobStatus.DONE


def test_every_reader_sees_all_of_it(started):
    job_id = started.start("spam", events=3000)
    seen: list[list[int]] = [[], []]

    def read(into: list[int]) -> None:
        into.extend(entry.seq for entry in jobs.follow(started.settings, job_id, poll=0.001))

    readers = [threading.Thread(target=read, args=(into,)) for into in seen]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    late = [entry.seq for entry in jobs.follow(started.settings, job_id)]
    assert seen[0] == seen[1] == late == list(range(1, 3002))


def test_a_reader_that_stops_does_not_disturb(started):
    job = started.start_waiting()
    follower = jobs.follow(started.settings, job.id)
    assert next(follower).message == "waiting"
    follower.close()
    started.go.touch()
    assert jobs.wait(started.settings, job.id).status is JobStatus.DONE
