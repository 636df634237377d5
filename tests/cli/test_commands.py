"""The headless commands, end to end: real program, real PostgreSQL, real S3."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.backups.helpers import pg_dump_wrapper
from tests.cli.program import PROGRAM, environment, run, spawn
from tests.conftest import MakeSettings
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """Settings for a small database, with its client tools on PATH."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database)


def published(settings: Settings) -> list[str]:
    """The daily dumps under final names (on a Sunday or a 1st there are others beside)."""
    return sorted(path.name for path in settings.backup_dir.glob("daily/*.sql.gz"))


def test_backup_prints_the_path_and_list_shows_it(settings: Settings):
    done = run(settings, "backup")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.splitlines()[0])
    assert path.parent == settings.backup_dir / "daily"
    assert b"PostgreSQL database dump complete" in gzip.decompress(path.read_bytes())
    assert "pg_dump --no-owner --no-acl --clean --if-exists" in done.stderr

    listed = run(settings, "list")
    assert listed.returncode == 0
    assert path.name in listed.stdout
    as_json = json.loads(run(settings, "list", "--json").stdout)
    assert path.name in [entry["name"] for entry in as_json]
    assert as_json[0]["bytes"] == path.stat().st_size

    listed = run(settings, "jobs")
    assert "done" in listed.stdout
    (job,) = json.loads(run(settings, "jobs", "--json").stdout)
    shown = run(settings, "jobs", job["id"])
    assert shown.returncode == 0
    assert path.name in shown.stdout


def test_backup_reaches_s3_too(settings: Settings, s3: S3Server, s3_bucket: str):
    with_s3 = s3.environment(s3_bucket)
    done = run(settings, "backup", **with_s3)
    assert done.returncode == 0, done.stderr
    local = {entry["name"]: entry["bytes"] for entry in _list(settings)}
    remote = {entry["name"]: entry["bytes"] for entry in _list(settings, "--s3", **with_s3)}
    assert remote == local


def test_upload_makes_the_missing_copy(settings: Settings, s3: S3Server, s3_bucket: str):
    with_s3 = s3.environment(s3_bucket)
    partly = run(settings, "backup", **{**with_s3, "S3_BACKUP_BUCKET": "no-such-bucket"})
    assert partly.returncode == 4, partly.stderr
    assert "no-such-bucket" in partly.stderr
    name = Path(partly.stdout.splitlines()[0]).name if partly.stdout else published(settings)[0]
    assert f"pgconsole upload {name}" in partly.stderr
    assert run(settings, "upload", name, **with_s3).returncode == 0
    assert name in [entry["name"] for entry in _list(settings, "--s3", **with_s3)]


def _list(settings: Settings, *arguments: str, **more: str) -> list[dict[str, object]]:
    listed = run(settings, "list", "--json", *arguments, **more)
    assert listed.returncode == 0, listed.stderr
    entries: list[dict[str, object]] = json.loads(listed.stdout)
    return entries


def test_the_second_backup_says_who_holds_the_lock(
    settings: Settings, postgres16: PostgresServer, database: str
):
    with blocked_dump(postgres16, database):
        first = spawn(settings, "backup")
        wait_for_dump(postgres16, database)
        second = run(settings, "backup")
        assert second.returncode == 3
        assert "since" in second.stderr
        assert database in second.stderr
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert Path(out.splitlines()[0]).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_and_leaves_nothing(
    settings: Settings, postgres16: PostgresServer, database: str, number: signal.Signals
):
    with blocked_dump(postgres16, database):
        command = spawn(settings, "backup")
        wait_for_dump(postgres16, database)
        command.send_signal(number)
        _, err = command.communicate(timeout=30)
    assert command.returncode == 130, err
    assert published(settings) == []
    assert list(settings.backup_dir.glob("*/*.partial")) == []
    assert run(settings, "backup").returncode == 0


def test_a_closed_terminal_leaves_the_job_running(
    settings: Settings, postgres16: PostgresServer, database: str
):
    with blocked_dump(postgres16, database):
        command = spawn(settings, "backup")
        wait_for_dump(postgres16, database)
        os.killpg(command.pid, signal.SIGHUP)
        command.communicate(timeout=30)
        (job,) = json.loads(run(settings, "jobs", "--json").stdout)
        assert job["status"] == "running"
    followed = run(settings, "jobs", job["id"], "--follow")
    assert followed.returncode == 0, followed.stderr
    assert len(published(settings)) == 1


def test_cancel_from_elsewhere(settings: Settings, postgres16: PostgresServer, database: str):
    with blocked_dump(postgres16, database):
        command = spawn(settings, "backup")
        wait_for_dump(postgres16, database)
        (job,) = json.loads(run(settings, "jobs", "--json").stdout)
        cancelled = run(settings, "cancel", job["id"])
        assert cancelled.returncode == 0, cancelled.stderr
        _, err = command.communicate(timeout=30)
    assert command.returncode == 130, err
    again = run(settings, "cancel", job["id"])
    assert again.returncode == 1
    assert "cancelled" in again.stderr


def test_a_killed_job_is_no_success(settings: Settings, postgres16: PostgresServer, database: str):
    with blocked_dump(postgres16, database):
        command = spawn(settings, "backup")
        wait_for_dump(postgres16, database)
        (job,) = json.loads(run(settings, "jobs", "--json").stdout)
        os.kill(job["pid"], signal.SIGKILL)
        _, err = command.communicate(timeout=30)
    assert command.returncode == 1
    assert "interrupted" in err
    for more in ([], ["--follow"], ["--json"]):
        assert run(settings, "jobs", job["id"], *more).returncode == 1, more


def test_ctrl_c_after_somebody_else_cancelled(
    settings: Settings, postgres16: PostgresServer, database: str, tmp_path: Path
):
    """The command ends as the job does, whoever was faster."""
    wrapper = pg_dump_wrapper(
        tmp_path / "bin", postgres16.bin_dir / "pg_dump", "trap 'sleep 2; exit 1' TERM; sleep 60"
    )
    path = f"{wrapper}:{os.environ['PATH']}"
    command = spawn(settings, "backup", PATH=path)

    def at_work() -> str:
        found = json.loads(run(settings, "jobs", "--json").stdout)
        return found[0]["id"] if found and found[0]["phase"] == "dump" else ""

    job_id = wait_until(at_work)
    jobs.cancel(settings, job_id, "bob")
    wait_until(lambda: jobs.read_job(settings, job_id).status is not jobs.JobStatus.RUNNING)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=30)
    assert command.returncode == 130, err


def test_unreachable_server_is_one_clear_error(make_settings: MakeSettings):
    settings = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    done = run(settings, "backup")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_setting_is_exit_code_2(make_settings: MakeSettings):
    settings = make_settings(None)
    done = run(settings, "list", PGPORT="x")
    assert done.returncode == 2
    assert "PGPORT" in done.stderr


def test_no_secret_in_argv_journal_or_output(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
):
    """Passwords with every awkward character work and appear nowhere."""
    password = "s3cr3t @#:/\\'\"% é-ü"
    quoted = password.replace("'", "''")
    with postgres16.connect() as connection:
        connection.execute(
            f"DROP ROLE IF EXISTS nasty; CREATE ROLE nasty SUPERUSER LOGIN PASSWORD '{quoted}'"
        )  # type: ignore[call-overload]
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database, PGUSER="nasty", PGPASSWORD=password)
    with blocked_dump(postgres16, database):
        command = spawn(settings, "backup")
        wait_for_dump(postgres16, database)
        assert not any(b"s3cr3t" in line for line in _command_lines())
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    wrong = run(settings, "backup", PGPASSWORD=password + "x")
    assert wrong.returncode == 1
    assert "password" in wrong.stderr
    for text in (out, err, wrong.stderr, run(settings, "info").stdout):
        assert "s3cr3t" not in text
    for path in settings.backup_dir.rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes(), path


def _command_lines() -> Iterator[bytes]:
    """The argv of every process; one that ends meanwhile has none."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


def test_list_imports_neither_textual_nor_boto3(settings: Settings):
    code = (
        "import sys; sys.argv = ['pgconsole', 'list']\n"
        "from pgconsole.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'textual', 'boto3', 'psycopg', 'rich', 'croniter'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    python = Path(PROGRAM).with_name("python")
    done = subprocess.run(
        [python, "-c", code], env=environment(settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_console_without_a_terminal_says_what_to_do(settings: Settings):
    done = run(settings)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_info_shows_sources_and_paths_but_no_secret(settings: Settings):
    done = run(settings, "info")
    assert done.returncode == 0
    assert str(settings.backup_dir) in done.stdout
    assert settings.pgpassword.get_secret_value() not in done.stdout
    assert "environment" in done.stdout
    assert "pg_dump 16." in done.stdout
