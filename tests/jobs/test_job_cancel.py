"""Cancelling: who may, whom it reaches, and what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from pgconsole import jobs
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import JobStatus
from pgconsole.jobs.processes import process_started
from pgconsole.report import Level


def _audit(started) -> list[dict[str, str]]:
    lines = (started.settings.state_dir / "audit.log").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["action"] == "cancel"]


def test_a_cancelled_job_cleans_up_undisturbed_and_says_who(started, tmp_path):
    cleaned_when = tmp_path / "cleaned"
    job = started.start_waiting(cleaned_when=str(cleaned_when))
    jobs.cancel(started.settings, job.id, "bob")
    started.when(job.id, lambda job: job.status is JobStatus.CANCELLING)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # impatience changes nothing
        os.kill(job.pid, number)
    with pytest.raises(PgconsoleError, match="being cancelled already by bob"):
        jobs.cancel(started.settings, job.id, "carol")

    cleaned_when.touch()
    job = jobs.wait(started.settings, job.id)
    assert (job.status, job.exit_code, job.phase) == (JobStatus.CANCELLED, 130, "dump")
    assert job.cause == "bob asked for it"
    entries = list(jobs.follow(started.settings, job.id))
    assert [entry.message for entry in entries] == [
        "waiting",
        "being cancelled by bob; cleaning up",
        "cleaned up",
        "wait cancelled: bob asked for it",
    ]
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert entries[-1].level is Level.WARNING
    assert [(line["actor"], line["result"][:9]) for line in _audit(started)] == [
        ("bob", "signalled"),
        ("carol", "refused: "),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_from_elsewhere_cancels_too(started, number):
    job = started.start_waiting()
    os.kill(job.pid, number)
    job = jobs.wait(started.settings, job.id)
    assert (job.status, job.exit_code) == (JobStatus.CANCELLED, 130)
    assert "signal" in job.cause


def test_a_hangup_does_not(started):
    job = started.start_waiting()
    os.kill(job.pid, signal.SIGHUP)
    started.go.touch()
    assert jobs.wait(started.settings, job.id).status is JobStatus.DONE


def test_a_job_that_was_only_just_started_can_be_cancelled(started):
    job_id = started.start("wait", until=str(started.go))
    jobs.cancel(started.settings, job_id, "bob")
    assert jobs.wait(started.settings, job_id).status is JobStatus.CANCELLED


def test_signals_that_the_console_blocks_reach_the_job(started):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        job = started.start_waiting()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    jobs.cancel(started.settings, job.id, "bob")
    assert jobs.wait(started.settings, job.id).status is JobStatus.CANCELLED


@pytest.mark.parametrize("end", ["done", "interrupted"])
def test_what_does_not_run_can_not_be_cancelled(started, end):
    job = started.start_waiting()
    if end == "done":
        started.go.touch()
    else:
        started.kill(job)
    started.ended(job.id)
    with pytest.raises(PgconsoleError, match=f"can't be cancelled: it is {end}"):
        jobs.cancel(started.settings, job.id, "bob")
    assert _audit(started)[0]["result"].startswith("refused: ")
    assert not (job.directory / "cancel.json").exists()


@pytest.mark.parametrize("job_id", ["20261122T195114.123456Z-backup-1a2b", "../jobs", "", "."])
def test_no_such_job(started, job_id):
    started.run("succeed")
    with pytest.raises(PgconsoleError, match="There is no job"):
        jobs.cancel(started.settings, job_id, "bob")


@pytest.mark.parametrize("same_start", [False, True])
def test_a_stranger_who_has_the_number_now_is_left_alone(started, same_start):
    job = started.start_waiting()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        state = json.loads((job.directory / "state.json").read_text())
        state["pid"] = stranger.pid
        if same_start:  # the number and its start fit, but nobody holds the lock
            state["pid_started"] = process_started(stranger.pid)
            started.kill(job)
            started.ended(job.id)
        (job.directory / "state.json").write_text(json.dumps(state))
        with pytest.raises(PgconsoleError, match="can't be cancelled"):
            jobs.cancel(started.settings, job.id, "bob")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        if not same_start:
            started.go.touch()
            jobs.wait(started.settings, job.id)


def test_a_process_that_is_gone_or_elsewhere(started):
    job = started.start_waiting()
    path = job.directory / "state.json"
    state = json.loads(path.read_text())
    gone = subprocess.Popen(["true"])
    gone.wait()
    path.write_text(json.dumps(state | {"pid": gone.pid, "host": "other-host"}))
    with pytest.raises(PgconsoleError, match=r"on other-host can't be signalled from here"):
        jobs.cancel(started.settings, job.id, "bob")
    started.go.touch()
    assert jobs.wait(started.settings, job.id).status is JobStatus.DONE


def test_a_running_job_whose_state_is_damaged_still_runs(started):
    job = started.start_waiting()
    good = (job.directory / "state.json").read_bytes()
    (job.directory / "state.json").write_bytes(good[:20])
    damaged = started.read(job.id)
    assert damaged.status is JobStatus.RUNNING
    assert "can't be read" in damaged.problem
    with pytest.raises(PgconsoleError, match="its state can't be read"):
        jobs.cancel(started.settings, job.id, "bob")
    started.go.touch()
    assert jobs.wait(started.settings, job.id).status is JobStatus.DONE
