"""A dump that stands still says why."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path

import psycopg
import pytest
from tests.backups.helpers import Recorder
from tests.conftest import MakeSettings, create_database, drop_database
from tests.support import blocked_dump, wait_until

from pgconsole.backups import stall
from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.stall import Stall, reason_in
from pgconsole.demo.servers import PostgresServer
from pgconsole.postgres.blocking import Blocker, Wait, statement, wait_of
from pgconsole.report import Event, Level


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall, "SILENT", 0.2)
    monkeypatch.setattr(stall, "_ASK_EVERY", 0.1)


def test_a_dump_names_who_blocks_it_and_goes_on(
    postgres: PostgresServer, make_settings: MakeSettings
) -> None:
    create_database(postgres, "stalled", "CREATE TABLE users (id int)")
    said = Recorder()
    with blocked_dump(postgres, "stalled") as blocker:
        blocker.execute("SET LOCAL application_name = 'night job'")
        pid = blocker.info.backend_pid

        def told(event: Event) -> None:
            said(event)
            if "blocked by" in event.message:
                blocker.rollback()

        result = run_backup(make_settings(postgres, "stalled"), BackupRequest(actor="alice"), told)
    drop_database(postgres, "stalled")
    assert Path(result.paths[0]).exists()
    stalled, on = (event for event in said.events if re.search("(no|a) byte", event.message))
    assert (stalled.phase, stalled.level, on.level) == ("dump", Level.WARNING, Level.INFO)
    reason = reason_in(stalled.message)
    assert reason.startswith("pg_dump waits for a lock on users, blocked by process ")
    assert f"process {pid} (night job of " in reason
    assert "idle in transaction, in a transaction since 20" in reason
    assert reason.endswith("last statement: SET LOCAL application_name = 'night job')")
    assert on.message.startswith("pg_dump goes on after ")


def test_who_blocks_the_blocker_is_named_too(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings
) -> None:
    """The usual case: a reader forgot to commit, a migration waits for it, all wait for that."""
    settings = make_settings(postgres16, database)
    with (
        postgres16.connect(database) as reader,
        postgres16.connect(database) as migration,
        postgres16.connect(database) as dump,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users")
        dump.execute("SET application_name = 'pgconsole pg_dump'")
        threads = [
            _run(migration, "ALTER TABLE users ADD more text"),
        ]
        pids = [each.info.backend_pid for each in (migration, reader)]
        with postgres16.connect(database) as watch:
            _wait_for_lock(watch, pids[0])
            threads.append(_run(dump, "SELECT FROM users"))
            _wait_for_lock(watch, dump.info.backend_pid)
        wait = wait_of(settings, "pgconsole pg_dump")
        reader.rollback()
        for thread in threads:
            thread.join()
    assert wait is not None
    assert [blocker.pid for blocker in wait.blockers] == pids
    assert wait.blockers[0].waits_for == (pids[1],)
    assert f"itself behind process {pids[1]}, last statement: ALTER TABLE" in wait.in_words(
        "pg_dump"
    )


def test_nobody_in_the_way_and_nobody_there(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(postgres16, database)
    assert wait_of(settings, "pgconsole pg_dump") is None
    with postgres16.connect(database) as session:
        session.execute("SET application_name = 'pgconsole pg_dump'")
        wait = wait_of(settings, "pgconsole pg_dump")
    assert wait is not None
    assert wait.in_words("pg_dump") == (
        "no lock is in the way of pg_dump; its session is idle (Client/ClientRead), "
        "statement: SET application_name = 'pgconsole pg_dump'"
    )


def test_a_server_that_hangs_keeps_nobody_waiting(
    make_settings: MakeSettings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection, and never answers."""
    monkeypatch.setattr(stall, "_ANSWER_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        settings = make_settings(PGHOST="127.0.0.1", PGPORT=port)
        watch = Stall(settings, recorder, "dump", "pg_dump", "pgconsole pg_dump")

        def told() -> bool:
            watch.look(0)
            return bool(recorder.events)

        wait_until(told)
        before = {thread for thread in threading.enumerate() if thread.name == "stall"}
        wait_until(lambda: (watch.look(0), len(recorder.events) > 1)[1])
        assert {thread for thread in threading.enumerate() if thread.name == "stall"} <= before
    assert {reason_in(event.message) for event in recorder.events} == {"the server does not answer"}


def test_it_is_said_again_only_after_twice_the_time(
    make_settings: MakeSettings, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock of this test's own: after 10, 20, 40 and 80 s, for one answer."""
    now = 0.0
    monkeypatch.setattr(stall, "SILENT", 10.0)
    monkeypatch.setattr(stall, "_ASK_EVERY", 10.0)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    settings = make_settings(PGHOST="127.0.0.1", PGPORT="1")
    watch = Stall(settings, recorder, "dump", "pg_dump", "pgconsole pg_dump")
    for second in range(101):
        now = float(second)
        watch.look(0)
        for thread in threading.enumerate():
            if thread.name == "stall":
                thread.join()
        watch.look(0)
    watch.look(1)
    said = [event.message.partition(": ")[0] for event in recorder.events]
    assert said[:-1] == [f"no byte for {seconds} s" for seconds in (10, 20, 40, 80)]
    assert said[-1] == "pg_dump goes on after 100 s without a byte"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (None, "none"),
        ("SELECT\n  1", "SELECT 1"),
        ("ALTER ROLE x PASSWORD 'it''s s3cret' VALID", "ALTER ROLE x PASSWORD '***' VALID"),
        (r"alter user x password E'a\'s3cret'", "alter user x password '***'"),
        ("CREATE ROLE x PASSWORD 's3cret that was cut", "CREATE ROLE x PASSWORD '***'"),
        ("SELECT " + "x" * 200, "SELECT " + "x" * 92 + "…"),
        ("<insufficient privilege>", "hidden from this user (pg_read_all_stats shows it)"),
    ],
)  # fmt: skip
def test_a_statement_in_words(query: str | None, shown: str) -> None:
    assert statement(query) == shown


def test_many_blockers_make_one_sentence() -> None:
    blockers = (Blocker(0), *(Blocker(pid, "bob") for pid in range(1, 5)))
    text = Wait(9, None, blockers, "").in_words("pg_dump")
    assert text.startswith("pg_dump waits for a lock, blocked by a prepared transaction (see")
    assert text.endswith("process 2 (user bob, unknown state, last statement: none); and 2 more")


def _run(connection: psycopg.Connection, statement: str) -> threading.Thread:
    thread = threading.Thread(target=connection.execute, args=(statement,))
    thread.start()
    return thread


def _wait_for_lock(watch: psycopg.Connection, pid: int) -> None:
    query = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_until(lambda: (watch.execute(query, [pid]).fetchone() or (False,))[0])
