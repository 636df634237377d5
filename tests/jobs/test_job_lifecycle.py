"""A job from its start to whatever end it takes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.errors import StorageError
from pgconsole.jobs import JobStatus, Problem
from pgconsole.jobs.spec import parse_id
from pgconsole.locks import is_held
from pgconsole.report import Level


def test_a_job_is_done(started):
    job_id = started.start("succeed", slot="2026-11-22T02:00:00+00:00")
    entries = list(jobs.follow(started.settings, job_id, poll=0.02))
    job = started.read(job_id)

    assert job.status is JobStatus.DONE
    assert job.status.ended
    assert (job.exit_code, job.phase, job.problem) == (0, "publish", "")
    assert job.request == {"slot": "2026-11-22T02:00:00+00:00"}
    assert job.actor == "alice from 10.0.0.5"
    assert job.result == {
        "paths": [str(started.settings.backup_dir / "daily" / "a.sql.gz")],
        "place": "local",
        "taken_at": "2026-11-22T02:00:00+00:00",
        "note": "fine",
        "rows": {"public.users": 3},
    }
    assert job.created_at <= job.started_at <= job.finished_at
    assert parse_id(job_id) == (job.created_at, "succeed")

    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    assert [entry.message for entry in entries] == ["dumping", "", "published", "succeed done"]
    progress = entries[1]
    assert (progress.bytes_done, progress.bytes_expected) == (10, 20)
    assert progress.table == "public.users"
    assert progress.time.utcoffset().total_seconds() == 0


def test_only_the_owner_can_read_it(started):
    job = started.run("succeed")
    state_dir = started.settings.state_dir
    for path in [state_dir, *state_dir.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o777 == expected, path
    assert {path.name for path in job.directory.iterdir()} == {
        "spec.json", "state.json", "events.jsonl", "output.log", "lock",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "ended", "problem", "cause"),
    [
        ("failed", (JobStatus.FAILED, 1), "db is down", "refused"),
        ("busy", (JobStatus.FAILED, 3), "db is locked", "held by bob"),
        ("partly", (JobStatus.PARTLY_FAILED, 4), "not in S3", "no such bucket"),
        ("bug", (JobStatus.FAILED, 1), "fault in pgconsole", "ZeroDivisionError: division by zero"),
        ("exit", (JobStatus.FAILED, 1), "fault in pgconsole", "SystemExit: 0"),
    ],
)
def test_how_a_job_fails(started, error, ended, problem, cause):
    job = started.run("fail", error=error)
    assert ((job.status, job.exit_code), job.cause) == (ended, cause)
    assert problem in job.problem
    assert job.phase == "dump"
    assert job.result == ({"paths": ["/a"]} if error == "partly" else None)
    last = jobs.Tail(job.directory).read()[-1]
    assert last.level is not Level.INFO
    assert problem in last.message
    assert cause in last.message
    output = (job.directory / "output.log").read_text()
    assert ("Traceback" in output) == (error in ("bug", "exit"))


def test_every_obstacle_of_a_preflight_is_kept(started):
    job = started.run("fail", error="preflight")
    assert job.problems == (
        Problem("db is down", "refused", ""), Problem("disk full", "", "free some"),
    )  # fmt: skip
    messages = "\n".join(started.messages(job))
    assert "db is down: refused\n" in messages
    assert "disk full. Next: free some\n" in messages


def test_a_name_that_is_also_the_password_stays_whole_in_the_result(make_jobs):
    started = make_jobs(PGPASSWORD="daily")
    job = started.run("succeed")
    assert job.result["paths"] == [str(started.settings.backup_dir / "daily" / "a.sql.gz")]


def test_an_unknown_kind_fails_with_the_exit_code_of_usage(make_settings: MakeSettings):
    settings = make_settings()
    job = jobs.wait(settings, jobs.start(settings, "nonsense", {}, "bob"))
    assert (job.status, job.exit_code) == (JobStatus.FAILED, 2)
    assert "nonsense" in job.problem


def test_an_operation_may_cancel_itself(started):
    job = started.run("cancel_itself")
    assert (job.status, job.exit_code) == (JobStatus.CANCELLED, 130)


def test_start_returns_at_once(started):
    times = []
    for _ in range(5):
        before = time.perf_counter()
        job_id = started.start("wait", until=str(started.go))
        times.append(time.perf_counter() - before)
        assert started.read(job_id).status in (JobStatus.QUEUED, JobStatus.RUNNING)
    started.go.touch()
    assert min(times) < 0.05


def test_a_runner_that_can_not_even_begin_is_interrupted(started):
    job_id = jobs.start(started.settings, "backup", {}, "bob", runner="no_such_module")
    job = started.ended(job_id)
    assert job.status is JobStatus.INTERRUPTED
    assert "before it began" in job.cause
    assert "no_such_module" in (job.directory / "output.log").read_text()
    assert list(jobs.follow(started.settings, job_id)) == []


def test_a_killed_runner_is_interrupted(started):
    job = started.start_waiting()
    assert job.status is JobStatus.RUNNING
    assert is_held(job.directory / "lock")
    started.kill(job)
    job = started.ended(job.id)
    assert (job.status, job.exit_code, job.finished_at) == (JobStatus.INTERRUPTED, None, None)
    assert job.phase == "dump"
    assert f"its process {job.pid}" in job.cause
    assert "output.log" in job.fix
    assert [entry.message for entry in jobs.follow(started.settings, job.id)] == ["waiting"]
    assert jobs.wait(started.settings, job.id).status is JobStatus.INTERRUPTED


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4])
def test_a_kill_at_any_moment_leaves_a_readable_directory(started, delay):
    job_id = started.start("spam", events=20_000)
    directory = started.read(job_id).directory
    time.sleep(delay)  # the moment is the point
    pids = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if str(directory).encode() in _read(path)
    ]
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    job = started.ended(job_id)
    assert job.status in (JobStatus.INTERRUPTED, JobStatus.DONE)
    assert [job_id] == [each.id for each in jobs.list_jobs(started.settings)]
    seqs = [entry.seq for entry in jobs.follow(started.settings, job_id)]
    assert seqs == list(range(1, len(seqs) + 1))


def test_what_a_killed_starter_left_goes_in_time(started):
    """Killed between making a job's directory and giving it its name: nobody ever sees it."""
    directory = started.run("succeed").directory.parent
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    old, held, recent = (
        directory / f".{when}Z-backup-abcd"
        for when in ("20260101T020000.000000", "20260102T020000.000000", now)
    )
    for path in (old, held, recent):
        path.mkdir()
        (path / "lock").touch()
    with (held / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started.run("succeed")
        assert [path.exists() for path in (old, held, recent)] == [False, True, True]


def test_a_tool_that_survives_the_runner_does_not_look_like_it(started):
    job_id = started.start("leave_a_child", until=str(started.go))
    job = started.when(job_id, lambda job: job.phase == "dump")
    child = int(started.messages(job)[0].removeprefix("child "))
    try:
        started.kill(job)
        assert started.ended(job_id).status is JobStatus.INTERRUPTED
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_no_zombies_in_a_console_that_lives_long(started):
    ids = [started.start("succeed") for _ in range(3)]
    for job_id in ids:
        pid = jobs.wait(started.settings, job_id).pid
        # A zombie has a directory in /proc until it is asked for its exit status.
        wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists())


def test_a_job_never_runs_twice(started):
    job = started.run("succeed")
    before = (job.directory / "state.json").read_bytes()
    with (job.directory / "lock").open("r+b") as lock:
        again = subprocess.run(
            [sys.executable, "-m", "job_operations", job.directory, str(lock.fileno())],
            pass_fds=[lock.fileno()], capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert again.returncode == 2
    assert "has run before" in again.stderr
    assert (job.directory / "state.json").read_bytes() == before


def test_a_runner_without_the_lock_does_nothing(started):
    job = started.start_waiting()
    (job.directory / "state.json").unlink()
    with (job.directory / "lock").open("r+b") as lock:
        again = subprocess.run(
            [sys.executable, "-m", "job_operations", job.directory, str(lock.fileno())],
            pass_fds=[lock.fileno()], capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert again.returncode == 3
    assert not (job.directory / "state.json").exists()
    started.go.touch()
    assert jobs.wait(started.settings, job.id).status is JobStatus.DONE


def test_the_environment_is_what_the_job_needs(make_jobs, monkeypatch, tmp_path):
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    others = ("SOMEBODYS_TOKEN", "PGADMIN_DEFAULT_PASSWORD", "PGBOUNCER_AUTH_PASSWORD")
    for name in others:
        monkeypatch.setenv(name, "none of ours")
    (tmp_path / "secret").write_text("from a file")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(tmp_path / "secret"))
    (tmp_path / ".env").write_text("PGHOST=evil\nS3_BUCKET=evil\nPGPASSWORD=evil\n")
    monkeypatch.setenv("PGCONSOLE_ENV_FILE", str(tmp_path / ".env"))
    started = make_jobs(PGHOST="good", S3_BACKUP_PREFIX="/", BACKUP_TIMEZONE="Europe/Berlin")
    for name in ("PGPASSWORD", "DB_PASSWORD", "S3_BUCKET"):
        monkeypatch.setenv(name, "not what the settings say")
    result = started.run("environment").result
    assert result["settings"] == started.settings.environment()
    variables = result["variables"]
    assert variables["PGSSLMODE"] == "verify-full"
    assert variables["AWS_CA_BUNDLE"] == str(tmp_path / "ca.pem")
    # What names a file would be the secret's second source, and refused.
    ours = {"DB_PASSWORD", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY_FILE"}
    assert not {*ours, *others} & variables.keys()
    assert (result["directory"], result["session"], result["stdin"]) == ("/", True, "/dev/null")


def test_a_full_disk_is_a_failure_that_says_so(small_disk, make_jobs):
    started = make_jobs(BACKUP_DIR=str(small_disk))
    job = started.run("fill_the_disk")
    assert (job.status, job.exit_code) == (JobStatus.FAILED, 1)
    assert "No space left" in job.cause
    messages = started.messages(job)
    assert "No space left" in messages[-1]
    for line in (job.directory / "events.jsonl").read_bytes().splitlines()[:-1]:
        assert line.startswith(b"{")


def test_a_job_that_can_not_be_written_down_is_not_started(started):
    state_dir = started.settings.state_dir
    state_dir.write_text("a file where the directory should be")
    with pytest.raises(StorageError, match=r"succeed can't be started.*\.pgconsole"):
        started.start("succeed")
    state_dir.unlink()


def test_the_audit_log_has_who_what_and_how_it_ended(started):
    job = started.run("fail", error="failed")
    wait_until(lambda: not is_held(job.directory / "lock"))
    lines = (started.settings.state_dir / "audit.log").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first["actor"] == second["actor"] == job.actor
    assert first["subject"] == second["subject"] == job.id
    assert (first["action"], first["result"]) == ("start fail", "accepted")
    assert (second["action"], second["result"]) == ("fail", "failed: db is down: refused")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
