"""A restore that does not get to its end leaves its target as it was, and says so after a look."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event

import psycopg
import pytest
from tests.backups.helpers import Recorder, plain_dump
from tests.backups.restoring import confirmed, restore, safety_backups, state
from tests.conftest import MakeSettings, create_database, drop_database
from tests.proxy import Proxy
from tests.support import wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole import report as events
from pgconsole.backups.restore_look import look, look_again
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import Cancelled, PgconsoleError, ServerError
from pgconsole.jobs import JobStatus
from pgconsole.locks import is_held
from pgconsole.settings import Settings

AS_IT_WAS = "the target is as it was (looked: 3 tables, the same objects in the same files)"
# Around a large object a dump has a BEGIN and a COMMIT of its own.
NEW = """
    CREATE TABLE first AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 100) i;
    CREATE TABLE second AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 100) i;
    SELECT lo_from_bytea(4242, 'new');
"""
OLD = """
    CREATE TABLE first (old int); INSERT INTO first VALUES (1);
    CREATE TABLE third (old int); INSERT INTO third VALUES (3);
    CREATE TABLE second (id int, text text); INSERT INTO second VALUES (2, 'old');
    SELECT lo_from_bytea(4242, 'old');
"""
# Waits for whoever comments on the same database, from whatever database.
WAITS = b"COMMENT ON DATABASE postgres IS NULL;\n"
END = b"\n--\n-- PostgreSQL database dump complete\n"

# A restore that dies when psql has done all that it was given so far.
KILLS_ITSELF = """
import os, signal, sys, time
from pgconsole.backups.restore import RestoreRequest, run_restore
from pgconsole.postgres.server import connect
from pgconsole.settings import load_settings
from pgconsole.storage.base import Place

settings = load_settings()

def report(event):
    if event.phase == "restore" and 0 < (event.bytes_done or 0) < event.bytes_expected:
        with connect(settings) as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                "application_name = 'pgconsole restore' AND state = 'idle in transaction' "
                "AND query LIKE 'COMMENT%' AND state_change < clock_timestamp() - interval '0.1 s'"
            )
            for _ in range(30):  # else it is too early; the next event comes soon
                if connection.execute(query).fetchone() == (1,):
                    os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(0.01)

run_restore(settings, RestoreRequest(Place.LOCAL, *sys.argv[1:], "alice"), report)
"""


@pytest.fixture(scope="module")
def sql(postgres16: PostgresServer) -> Iterator[bytes]:
    """A dump."""
    create_database(postgres16, "fails_source", NEW)
    yield plain_dump(postgres16, "fails_source")
    drop_database(postgres16, "fails_source")


@pytest.fixture
def backup(sql: bytes, tmp_path: Path) -> Path:
    """A dump that waits between its two tables."""
    return packed(sql.replace(b"\\.\n", b"\\.\n" + WAITS, 1), tmp_path)


@pytest.fixture
def target(postgres16: PostgresServer) -> Iterator[str]:
    """A database with tables of the same names."""
    create_database(postgres16, "fails_target", OLD)
    yield "fails_target"
    drop_database(postgres16, "fails_target")


@pytest.fixture
def settings(postgres16: PostgresServer, target: str, make_settings: MakeSettings) -> Settings:
    """The target, on PostgreSQL 16."""
    return make_settings(postgres16, target)


@pytest.fixture
def as_it_was(settings: Settings, postgres16: PostgresServer) -> Iterator[None]:
    """Compares the target's plain dump before and after."""
    before = state(postgres16, settings.pgdatabase)
    yield
    assert state(postgres16, settings.pgdatabase) == before


def packed(sql: bytes, directory: Path) -> Path:
    """A file as the old scripts made them."""
    path = directory / "edited.sql.gz"
    path.write_bytes(gzip.compress(sql))
    return path


@contextmanager
def half_way(server: PostgresServer, then: Callable[[], None]) -> Iterator[None]:
    """In the block, do something as soon as a restore waits half-way; then let it go on."""

    def act() -> None:
        wait_until(lambda: restoring(server, "AND wait_event_type = 'Lock'"))
        then()

    with ThreadPoolExecutor(1) as executor, server.connect() as connection:
        connection.execute("BEGIN; COMMENT ON DATABASE postgres IS NULL")
        acting = executor.submit(act)
        acting.add_done_callback(lambda _: connection.execute("ROLLBACK"))
        yield
        acting.result()


def restoring(server: PostgresServer, condition: str = "") -> bool:
    """Whether psql has a session in the target."""
    with server.connect() as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'fails_target' "
            f"AND application_name = 'pgconsole restore' {condition}"
        )
        return connection.execute(query).fetchone() != (0,)  # type: ignore[arg-type]


@pytest.mark.usefixtures("as_it_was")
class TestTheTargetIsAsItWas:
    def test_after_a_failure_at_the_last_statement(
        self, settings: Settings, sql: bytes, tmp_path: Path, recorder: Recorder
    ) -> None:
        path = packed(sql.replace(END, b"\nSELECT 1 / 0;\n" + END), tmp_path)
        with pytest.raises(PgconsoleError, match="division by zero") as caught:
            restore(settings, path, settings.pgdatabase, recorder)
        assert AS_IT_WAS in caught.value.cause
        assert AS_IT_WAS in recorder.text
        assert len(safety_backups(settings)) == 1

    def test_after_a_cancellation(
        self, settings: Settings, backup: Path, recorder: Recorder, postgres16: PostgresServer
    ) -> None:
        def cancel() -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            self.restore_and(cancel, settings, backup, recorder, postgres16)
        assert AS_IT_WAS in recorder.text

    def restore_and(
        self,
        then: Callable[[], None],
        settings: Settings,
        backup: Path,
        recorder: Recorder,
        server: PostgresServer,
    ) -> None:
        """Restore, and do something half-way in the thread that restores."""
        due, begun = Event(), Event()

        def report(event: events.Event) -> None:
            recorder(event)
            if due.is_set() and not begun.is_set():
                begun.set()
                then()

        def tell() -> None:
            due.set()
            assert begun.wait(20)

        with suppress(psycopg.OperationalError), half_way(server, tell):
            restore(settings, backup, settings.pgdatabase, report)

    def test_after_its_session_was_ended(
        self, settings: Settings, backup: Path, postgres16: PostgresServer
    ) -> None:
        def end() -> None:
            with postgres16.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'pgconsole restore' AND datname = 'fails_target'"
                )

        with half_way(postgres16, end), pytest.raises(PgconsoleError) as caught:
            restore(settings, backup, settings.pgdatabase)
        assert AS_IT_WAS in caught.value.cause

    def test_after_the_network_was_cut(
        self, backup: Path, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        with Proxy(postgres16.port) as proxy:
            through = make_settings(postgres16, "fails_target", PGPORT=str(proxy.port))
            cut = half_way(postgres16, lambda: proxy.cut_once(to_server=1))
            with cut, pytest.raises(PgconsoleError) as caught:
                restore(through, backup, "fails_target")
            assert proxy.cuts == 1
        assert AS_IT_WAS in caught.value.cause

    def test_after_the_server_was_restarted(
        self, settings: Settings, backup: Path, postgres16: PostgresServer, recorder: Recorder
    ) -> None:
        def restart() -> None:
            postgres16.stop()
            postgres16.start()

        with pytest.raises(PgconsoleError) as caught:
            self.restore_and(restart, settings, backup, recorder, postgres16)
        assert AS_IT_WAS in caught.value.cause

    def test_after_its_process_was_killed(
        self, settings: Settings, backup: Path, postgres16: PostgresServer
    ) -> None:
        job_ids = []

        def kill() -> None:
            os.kill(runner(settings, job_ids[0]), signal.SIGKILL)
            assert jobs.wait(settings, job_ids[0]).status is JobStatus.INTERRUPTED

        with half_way(postgres16, kill):
            job_ids.append(start(settings, backup))
        lock = settings.state_dir / "locks" / f"{settings.pgdatabase}.lock"
        wait_until(lambda: not is_held(lock))  # the kernel frees one lock after the other
        wait_until(lambda: not restoring(postgres16))

    def test_after_its_process_was_killed_while_psql_waited_for_more(
        self,
        settings: Settings,
        sql: bytes,
        postgres16: PostgresServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Whether psql is ended or sees its input end first is the kernel's business."""
        psql = tmp_path / "psql"
        real = postgres16.bin_dir / "psql"
        psql.write_text(f"#!/bin/sh\ntrap '' TERM\nexec {real} \"$@\"\n")
        psql.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        # So what psql has when it waits ends with a comment: at its end there is nothing to do.
        comment = b"--\nCOMMENT ON TABLE public.first IS '" + b"x" * 10_000 + b"';\n"
        path = packed(sql.replace(END, b"\n" + comment * 500 + END), tmp_path)
        token = confirmed(settings, path, settings.pgdatabase).confirmation
        killed = subprocess.run(
            [sys.executable, "-c", KILLS_ITSELF, path, settings.pgdatabase, token],
            env=os.environ | settings.environment(), check=False,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL
        wait_until(lambda: not restoring(postgres16))

    def test_after_its_job_was_cancelled(
        self, settings: Settings, backup: Path, postgres16: PostgresServer
    ) -> None:
        job_ids = []

        def cancel() -> None:
            jobs.cancel(settings, job_ids[0], "bob")
            assert jobs.wait(settings, job_ids[0]).status is JobStatus.CANCELLED

        with half_way(postgres16, cancel):
            job_ids.append(start(settings, backup))
        assert AS_IT_WAS in [entry.message for entry in jobs.follow(settings, job_ids[0])]


def test_cancelled_after_the_commit_is_not_called_cancelled(
    settings: Settings, sql: bytes, tmp_path: Path
) -> None:
    def report(event: events.Event) -> None:
        if event.phase == "check":
            raise Cancelled

    with pytest.raises(ServerError, match="is restored, but was not checked"):
        restore(settings, packed(sql, tmp_path), settings.pgdatabase, report)


def test_rows_written_after_the_commit_are_not_called_a_loss(
    settings: Settings, sql: bytes, tmp_path: Path, postgres16: PostgresServer
) -> None:
    """An application connects again as soon as it can."""
    with ExitStack() as stack:

        def report(event: events.Event) -> None:
            if event.message.startswith("counting"):
                application = stack.enter_context(postgres16.connect(settings.pgdatabase))
                application.execute("DELETE FROM second")

        with pytest.raises(ServerError, match="differs from the dump") as caught:
            restore(settings, packed(sql, tmp_path), settings.pgdatabase, report)
    assert "rows public.second: expected 100, found 0" in caught.value.cause
    assert "(1 sessions) and may have written since" in caught.value.cause


def test_the_next_restore_works(
    settings: Settings, backup: Path, postgres16: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One was killed while it made its safety backup."""
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("BEGIN; LOCK TABLE third IN ACCESS EXCLUSIVE MODE")
        job_id = start(settings, backup)
        wait_for_dump(postgres16, settings.pgdatabase)
        os.kill(runner(settings, job_id), signal.SIGKILL)
        jobs.wait(settings, job_id)
    directory = settings.backup_dir / "safety"
    assert [path.suffix for path in directory.iterdir()] == [".partial"]
    job = jobs.wait(settings, start(settings, backup))
    assert (job.status, job.problem, job.cause) == (JobStatus.DONE, "", "")
    assert len(list(directory.iterdir())) == 2


class TestTheLook:
    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            ("CREATE TABLE more ()", "relations"),
            ("TRUNCATE first", "relations"),
            ("DROP TABLE first; CREATE TABLE first (old int)", "relations"),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "functions"),
            ("CREATE SCHEMA more", "schemas"),
            ("CREATE TYPE mood AS ENUM ('sad')", "types"),
            ("SELECT lo_unlink(4242); SELECT lo_from_bytea(4242, 'new')", "large objects"),
        ],
    )
    def test_sees_a_change(
        self, settings: Settings, postgres16: PostgresServer, statement: str, what: str
    ) -> None:
        before = look(settings)
        with postgres16.connect(settings.pgdatabase) as connection:
            connection.execute(statement)  # type: ignore[call-overload]
        same, words = look_again(settings, before)
        assert same is False
        assert what in words
        assert "not as it was" in words

    def test_passes_over_what_the_server_does_by_itself(
        self, settings: Settings, postgres16: PostgresServer
    ) -> None:
        before = look(settings)
        with postgres16.connect(settings.pgdatabase) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CREATE TEMPORARY TABLE passing (i int PRIMARY KEY, t text)")
            assert look_again(settings, before) == (True, AS_IT_WAS)

    def test_claims_nothing_without_having_looked(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pgconsole.backups import restore_look

        monkeypatch.setattr(restore_look, "_REACHING_TAKES", 0.5)
        before = look(settings)
        away = settings.model_copy(update={"pgport": 1})
        same, words = look_again(away, before)
        assert same is None
        assert "is unknown" in words


def start(settings: Settings, path: Path) -> str:
    """Start a confirmed restore as a job."""
    request = confirmed(settings, path, settings.pgdatabase)
    return jobs.start(
        settings,
        "restore",
        {
            "place": "local", "location": request.location, "database": request.database,
            "confirmation": request.confirmation,
        },
        "alice",
    )  # fmt: skip


def runner(settings: Settings, job_id: str) -> int:
    """The process of a job."""
    pid = jobs.read_job(settings, job_id).pid
    assert pid is not None
    return pid
