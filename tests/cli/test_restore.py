"""`pgconsole restore` as operators and scripts run it: the guide's forms, and its question."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from tests.cli.program import PROGRAM, environment, run
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup

from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings

QUESTION = "Are you sure? Type 'yes' to confirm:"
OLD, NEW = datetime(2026, 2, 24, 2, 0, tzinfo=UTC), datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    s3_variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """A database with two backups of the old scripts, the newer of 2,000 rows; and S3."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database, **s3_variables)
    guide_backup(postgres16, database, settings.backup_dir, OLD)
    with postgres16.connect(database) as connection:
        connection.execute("INSERT INTO users SELECT i, 'x' FROM generate_series(1001, 2000) i")
        guide_backup(postgres16, database, settings.backup_dir, NEW)
        guide_backup(postgres16, "postgres", settings.backup_dir, datetime.now(UTC))
        connection.execute("DELETE FROM users")
    return settings


@pytest.fixture
def s3_variables(s3: Any, s3_bucket: str) -> dict[str, str]:
    """The variables that turn S3 on, with a bucket of this test's own."""
    variables: dict[str, str] = s3.environment(s3_bucket)
    return variables


@pytest.fixture
def copy(postgres16: PostgresServer) -> Iterator[str]:
    """Another target."""
    create_database(postgres16, "copy")
    yield "copy"
    drop_database(postgres16, "copy")


def rows(server: PostgresServer, database: str) -> int:
    with server.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()
    assert row is not None
    return int(row[0])


def name(settings: Settings, taken_at: datetime) -> str:
    return f"{settings.pgdatabase}_daily_{taken_at:%Y%m%d_%H%M%S}.sql.gz"


class TestTheForms:
    def test_latest_takes_the_newest_of_this_database(
        self, settings: Settings, postgres16: PostgresServer
    ) -> None:
        done = run(settings, "restore", "--latest", "--yes")
        assert (done.returncode, rows(postgres16, settings.pgdatabase)) == (0, 2000), done.stderr
        table = [line.split() for line in done.stdout.splitlines()]
        assert table[0] == ["what", "name", "expected", "found"]
        assert ["rows", "public.users", "2000", "2000"] in table
        assert "what it was before: " in done.stderr
        [safety] = (settings.backup_dir / "safety").glob("pre_restore_*.sql.gz")
        assert str(safety) in done.stderr

    def test_a_file_by_path_or_name(self, settings: Settings, postgres16: PostgresServer) -> None:
        by_path = str(settings.backup_dir / "daily" / name(settings, OLD))
        assert run(settings, "restore", by_path, "--yes").returncode == 0
        assert rows(postgres16, settings.pgdatabase) == 1000
        assert run(settings, "restore", name(settings, NEW), "--yes").returncode == 0
        assert rows(postgres16, settings.pgdatabase) == 2000
        first = min((settings.backup_dir / "safety").glob("pre_restore_*.sql.gz"))
        assert run(settings, "restore", first.name, "--yes").returncode == 0
        assert rows(postgres16, settings.pgdatabase) == 0

    def test_from_s3_into_another_database(
        self, settings: Settings, postgres16: PostgresServer, copy: str
    ) -> None:
        key = f"backups/daily/{name(settings, OLD)}"
        path = settings.backup_dir / "daily" / name(settings, OLD)
        client = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
        )
        client.upload_file(str(path), settings.s3_bucket, key)
        listed = run(settings, "restore", "--list-s3")
        assert (listed.returncode, path.name in listed.stdout) == (0, True)
        done = run(settings, "restore", "--from-s3", key, "--database", copy, "--yes")
        assert (done.returncode, rows(postgres16, copy)) == (0, 1000), done.stderr
        assert rows(postgres16, settings.pgdatabase) == 0
        assert (settings.backup_dir / "restored" / path.name).read_bytes() == path.read_bytes()

    def test_list(self, settings: Settings) -> None:
        done = run(settings, "restore", "--list")
        assert done.returncode == 0
        assert [line.split()[0] for line in done.stdout.splitlines()][1:] == [
            name(settings, NEW), name(settings, OLD),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "arguments",
        [[], ["--latest", "x.sql.gz"], ["--list", "--list-s3"], ["--latest", "--from-s3", "k"]],
    )
    def test_exactly_one(self, settings: Settings, arguments: list[str]) -> None:
        done = run(settings, "restore", *arguments, "--yes")
        assert done.returncode == 2
        assert "exactly one of FILE" in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["nothing.sql.gz"], "it does not exist"),
            (["--from-s3", "backups/../x.sql.gz"], "can't be the key"),
            (["--from-s3", "backups/x.sql.gz"], "no such object"),
            (["--latest", "--database", ""], "has no name"),
            (["--latest", "--database", "nowhere"], 'CREATE DATABASE "nowhere"'),
        ],
    )
    def test_what_is_not_there(self, settings: Settings, arguments: list[str], words: str) -> None:
        done = run(settings, "restore", *arguments, "--yes")
        assert done.returncode in {1, 2}
        assert words in done.stderr


class TestTheQuestion:
    def test_yes_restores(self, settings: Settings, postgres16: PostgresServer) -> None:
        with postgres16.connect(settings.pgdatabase):
            code, shown = ask(settings, "yes\n", "--latest")
        assert (code, rows(postgres16, settings.pgdatabase)) == (0, 2000)
        path = settings.backup_dir / "daily" / name(settings, NEW)
        before, _, _ = shown.partition(QUESTION)
        for words in (
            f"{settings.pgdatabase!r} on 127.0.0.1:{settings.pgport}",
            str(path),
            "2026-02-25 02:00 UTC (",
            "1 session connected to the target now",
            f"{settings.backup_dir}/safety/",
            "What the backup holds is not known: it has no manifest. 0 rows in 2 tables now",
            "public.users: 0 rows now, rows in the backup not known",
            "Check:     Newer objects: ok",
            f"pgconsole restore {path} --database {settings.pgdatabase}",
        ):
            assert words in before

    @pytest.mark.parametrize(
        "typed", ["\n", "y\n", "YES\n", "yes please\n", " yes\n", "\x04", "\x03"]
    )
    def test_anything_else_changes_nothing(
        self, settings: Settings, postgres16: PostgresServer, typed: str
    ) -> None:
        code, shown = ask(settings, typed, "--latest")
        assert code == 130
        assert "nothing was changed" in shown
        assert rows(postgres16, settings.pgdatabase) == 0
        assert not (settings.state_dir / "jobs").exists()

    def test_what_would_be_refused_is_not_asked(self, settings: Settings) -> None:
        code, shown = ask(settings, "yes\n", "--latest", "--database", "nowhere")
        assert code == 1
        assert QUESTION not in shown
        assert "Nothing was restored into 'nowhere'" in shown
        assert 'Next: create it: CREATE DATABASE "nowhere"' in shown
        assert not (settings.state_dir / "jobs").exists()

    def test_of_another_database_is_pointed_out(self, settings: Settings, copy: str) -> None:
        code, shown = ask(settings, "no\n", name(settings, NEW), "--database", copy)
        assert code == 130
        assert f"The backup is of {settings.pgdatabase!r}, not of 'copy'" in shown

    def test_without_a_terminal_nothing_is_restored_unless_yes_is_given(
        self, settings: Settings, postgres16: PostgresServer
    ) -> None:
        done = run(settings, "restore", "--latest")
        assert done.returncode == 2
        assert "--yes" in done.stderr
        assert rows(postgres16, settings.pgdatabase) == 0
        assert not (settings.state_dir / "jobs").exists()


class TestThePlan:
    def test_it_shows_all_and_does_nothing(
        self, settings: Settings, postgres16: PostgresServer
    ) -> None:
        assert run(settings, "backup").returncode == 0
        with postgres16.connect(settings.pgdatabase) as connection:
            connection.execute("INSERT INTO users VALUES (1, 'x'), (2, 'y')")
            connection.execute('CREATE TABLE "[red]\n" (at date)')
            done = run(settings, "restore", "--latest", "--plan")
        assert (done.returncode, rows(postgres16, settings.pgdatabase)) == (0, 2), done.stderr
        lines = done.stdout.splitlines()
        assert lines[0].startswith("What:      Replaces in ")
        assert any(
            line.startswith("Loses:     Loses at least 2 rows (public.users 2) a") for line in lines
        )
        tables = [line for line in lines if line.startswith("Table:")]
        assert tables == [
            "Table:     public.users: 2 rows now, 0 in the backup: 2 rows fewer",
            "Table:     public.[red]\\n: 0 rows now, not in the backup: stays as it is",
            "Table:     public.empty: 0 rows now, 0 in the backup: as many rows",
        ]
        checks = [line for line in lines if line.startswith("Check:")]
        assert len(checks) == 7
        assert all(": ok: " in line for line in checks)
        assert not (settings.backup_dir / "safety").exists()

    def test_what_would_be_refused(self, settings: Settings, postgres16: PostgresServer) -> None:
        with postgres16.connect(settings.pgdatabase) as connection:
            connection.execute("CREATE VIEW newer AS SELECT id FROM users")
        done = run(settings, "restore", "--latest", "--plan")
        assert done.returncode == 1
        words = "rule _RETURN on view newer depends on table users"
        assert "Newer objects: FAILED: PostgreSQL would refuse to drop what" in done.stdout
        assert words in done.stdout

    def test_it_is_for_everybody(self, settings: Settings) -> None:
        done = run(settings, "restore", "--latest", "--plan", PGCONSOLE_READ_ONLY="true")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("What:")

    def test_a_name_that_no_database_can_have(self, settings: Settings) -> None:
        done = run(settings, "restore", "--latest", "--plan", "--database", "")
        assert done.returncode == 2


def test_a_failure_is_told_and_put_down(settings: Settings) -> None:
    (settings.backup_dir / "safety").write_bytes(b"")
    done = run(settings, "restore", "--latest", "--yes")
    assert done.returncode == 1
    assert "No safety backup" in done.stderr
    assert "--without-safety-backup" in done.stderr
    assert done.stdout == ""
    lines = (settings.state_dir / "audit.log").read_text().splitlines()
    last = json.loads(lines[-1])
    assert last["action"] == "restore"
    assert last["result"].startswith("failed: No safety backup")


def ask(
    settings: Settings, typed: str, *arguments: str, question: str = QUESTION
) -> tuple[int, str]:
    """Run it on a terminal, answer its question, and return exit code and all it showed."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "restore", *arguments], env=environment(settings, COLUMNS="300"),
        stdin=side, stdout=side, stderr=side, start_new_session=True,
        preexec_fn=_own_terminal,  # noqa: PLW1509 - ioctl only
    )  # fmt: skip
    os.close(side)
    shown, answered = b"", False
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if not select.select([main], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(main, 65536)
            except OSError:  # the other side was closed
                break
            if not data:
                break
            shown += data
            if question.encode() in shown and not answered:
                answered = True
                os.write(main, typed.encode())
        return process.wait(10), shown.decode().replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(main)


def _own_terminal() -> None:
    """Ctrl-C reaches the program as on any terminal."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
