"""Whatever interrupts psql, the target stays as it was, and the error says where and why."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backups.feeding import check, feed, state
from tests.backups.helpers import RICH_SCHEMA, Recorder, plain_dump
from tests.conftest import MakeSettings, create_database, drop_database
from tests.proxy import Proxy
from tests.support import wait_until

from pgconsole.backups import psql_session, psql_watch
from pgconsole.backups.psql_restore import feed_psql
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import Cancelled, PgconsoleError, ServerError, ToolError
from pgconsole.postgres.tools import Tool
from pgconsole.report import Event
from pgconsole.settings import Settings

END = b"\n--\n-- PostgreSQL database dump complete\n"


@pytest.fixture(scope="module")
def rich_dump(postgres16: PostgresServer) -> bytes:
    """A plain dump with large objects, which bring their own BEGIN and COMMIT."""
    create_database(postgres16, "rich", RICH_SCHEMA)
    try:
        dump = plain_dump(postgres16, "rich")
    finally:
        drop_database(postgres16, "rich")
    assert b"\nCOMMIT;\n" in dump
    return dump


@pytest.fixture
def target(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """The settings of a database that is to stay as it is."""
    return make_settings(postgres16, database)


class Unchanged:
    """Compares a database with what it was."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self._look: Callable[[], bytes] = lambda: state(server, database)
        self._before = self._look()

    def check(self) -> None:
        assert self._look() == self._before


@pytest.fixture
def unchanged(postgres16: PostgresServer, database: str) -> Unchanged:
    return Unchanged(postgres16, database)


def with_sql(dump: bytes, sql: bytes) -> bytes:
    """The dump with this at its very end."""
    return dump.replace(END, b"\n" + sql + END)


FAILURES = {
    "statement": (b"SELECT 1 / 0;\n", "division by zero"),
    "commit": (
        b"CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
        b"INSERT INTO late VALUES (1), (1);\n",
        "duplicate key",
    ),
    "row": (b"CREATE TABLE late (a int);\nCOPY late FROM stdin;\n1\nx\n\\.\n", "row|line 2"),
    "rows left out": (
        b"CREATE TABLE late (a int);\n"
        b"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';\n"
        b"CREATE TRIGGER no BEFORE INSERT ON late FOR EACH ROW EXECUTE FUNCTION no();\n"
        b"COPY late (a) FROM stdin;\n1\n2\n\\.\n",
        "2 rows the server took 0",
    ),
}


@pytest.mark.parametrize(("sql", "why"), FAILURES.values(), ids=FAILURES)
def test_a_failure_at_the_end_undoes_everything(
    rich_dump: bytes, target: Settings, unchanged: Unchanged, sql: bytes, why: str,
    recorder: Recorder,
) -> None:  # fmt: skip
    # Where pg_dump writes none; the search path is empty in a dump.
    sql = sql.replace(b"late", b"public.late").replace(b" no()", b" public.no()")
    with pytest.raises(ToolError, match=f"as it was.*({why})"):
        feed(target, with_sql(rich_dump, sql), recorder)
    unchanged.check()
    assert "is as it was" in recorder.text


def test_an_error_says_where_in_the_dump(
    rich_dump: bytes, target: Settings, unchanged: Unchanged
) -> None:
    wrong = rich_dump.replace(b"ADD CONSTRAINT users_pkey PRIMARY KEY (id)",
                              b"ADD CONSTRAINT users_pkey PRIMARY KEY (it)")  # fmt: skip
    line = wrong.split(b"\n").index(b"    ADD CONSTRAINT users_pkey PRIMARY KEY (it);") + 1
    with pytest.raises(ToolError) as caught:
        feed(target, wrong)
    assert f"at line {line} of the dump" in caught.value.problem
    assert "`ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey" in caught.value.problem
    assert 'column "it" of relation "users" does not exist' in caught.value.cause

    wrong = rich_dump.replace(b"\n2025-06-05\t", b"\n2025-66-05\t")
    line = next(i for i, text in enumerate(wrong.split(b"\n"), 1) if text.startswith(b"2025-66"))
    with pytest.raises(ToolError) as caught:
        feed(target, wrong)
    assert f"at line {line} of the dump, in `COPY public.events_2025 (" in caught.value.problem
    assert "line 5, column at" in caught.value.cause
    unchanged.check()


def test_what_depends_on_the_target_is_named(
    postgres16: PostgresServer, database: str, target: Settings
) -> None:
    dump = plain_dump(postgres16, database)
    with postgres16.connect(database) as connection:
        connection.execute("CREATE VIEW newer AS SELECT * FROM users")
    newer = Unchanged(postgres16, database)
    with pytest.raises(ToolError, match=r"view public.newer depends on .*newer than the dump"):
        feed(target, dump)
    newer.check()


def backends(server: PostgresServer) -> list[int]:
    """The server's processes that restore now."""
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgconsole restore'"
        ).fetchall()
    return [pid for (pid,) in rows]


class Blocked:
    """A restore that waits for a lock, while a thread does something about it."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self._server = server
        self._database = database

    def run(self, restore: Callable[[], object], then: Callable[[int], None]) -> None:
        """Run the restore; when it is blocked, call `then` with the server's process of it."""
        with self._server.connect(self._database) as holder:
            holder.execute("BEGIN")
            holder.execute("LOCK TABLE users IN ACCESS SHARE MODE")
            thread = threading.Thread(target=lambda: then(wait_until(self._waiting)))
            thread.start()
            try:
                restore()
            finally:
                thread.join()

    def _waiting(self) -> int:
        query = (
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgconsole restore' "
            "AND wait_event_type = 'Lock'"
        )
        with self._server.connect() as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else 0


@pytest.fixture
def blocked(postgres16: PostgresServer, database: str) -> Blocked:
    return Blocked(postgres16, database)


def test_a_lock_of_somebody_else_is_named_and_a_cancel_undoes_everything(
    postgres16: PostgresServer, database: str, target: Settings, blocked: Blocked,
    unchanged: Unchanged, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(psql_watch, "_STILL", 0.1)
    monkeypatch.setattr(psql_watch, "_LOOK_EVERY", 0.1)
    dump = plain_dump(postgres16, database)
    said = Recorder()

    def cancel_when_told(event: Event) -> None:
        said(event)
        if "waits for a lock" in event.message:
            raise Cancelled

    with pytest.raises(Cancelled):
        blocked.run(lambda: feed(target, dump, cancel_when_told), lambda _: None)
    assert "LOCK TABLE users IN ACCESS SHARE MODE" in said.text
    assert backends(postgres16) == []
    unchanged.check()
    assert "is as it was" in said.text


def test_a_cancel_by_signal_undoes_everything(
    postgres16: PostgresServer, database: str, target: Settings, blocked: Blocked,
    unchanged: Unchanged, recorder: Recorder,
) -> None:  # fmt: skip
    def cancelled(*_: object) -> None:
        raise Cancelled

    dump = plain_dump(postgres16, database)
    before = signal.signal(signal.SIGTERM, cancelled)
    try:
        with pytest.raises(Cancelled):
            blocked.run(
                lambda: feed(target, dump, recorder), lambda _: os.kill(os.getpid(), signal.SIGTERM)
            )
    finally:
        signal.signal(signal.SIGTERM, before)
    assert backends(postgres16) == []
    unchanged.check()
    assert "is as it was" in recorder.text


def test_a_terminated_session_undoes_everything(
    postgres16: PostgresServer, database: str, target: Settings, blocked: Blocked,
    unchanged: Unchanged,
) -> None:  # fmt: skip
    def terminate(pid: int) -> None:
        with postgres16.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    dump = plain_dump(postgres16, database)
    with pytest.raises(ServerError, match=r"was lost at line \d+.*as it was.*administrator"):
        blocked.run(lambda: feed(target, dump), terminate)
    unchanged.check()


def test_a_killed_psql_undoes_everything(
    postgres16: PostgresServer, database: str, target: Settings, blocked: Blocked,
    unchanged: Unchanged,
) -> None:  # fmt: skip
    def kill(_: int) -> None:
        os.kill(child(), signal.SIGKILL)

    dump = plain_dump(postgres16, database)
    with pytest.raises(ToolError, match=r"psql was killed by SIGKILL; .*as it was"):
        blocked.run(lambda: feed(target, dump), kill)
    assert backends(postgres16) == []
    unchanged.check()


def child() -> int:
    """The process of our psql."""
    for directory in Path("/proc").iterdir():
        try:
            stat = (directory / "stat").read_text()
            argv = (directory / "cmdline").read_bytes()
        except OSError:
            continue
        if (
            int(stat.rsplit(")", 1)[1].split()[1]) == os.getpid()
            and b"--single-transaction" in argv
        ):
            return int(directory.name)
    raise AssertionError("no psql")


@pytest.fixture
def proxied(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings
) -> tuple[Proxy, Settings]:
    proxy = Proxy(postgres16.port)
    return proxy, make_settings(postgres16, database, PGPORT=str(proxy.port))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_connection_that_is_cut_undoes_everything(
    rich_dump: bytes, proxied: tuple[Proxy, Settings], unchanged: Unchanged, share: float
) -> None:
    proxy, settings = proxied
    with proxy:
        proxy.cut_once(to_server=int(share * len(rich_dump)))
        with pytest.raises(ServerError, match=r"was lost .*as it was"):
            feed(settings, rich_dump)
    assert proxy.cuts == 1
    unchanged.check()


def test_a_connection_that_is_cut_at_the_commit_is_no_guess(
    rich_dump: bytes, proxied: tuple[Proxy, Settings], postgres16: PostgresServer, database: str,
    recorder: Recorder,
) -> None:  # fmt: skip
    """The server has committed, and psql never hears of it: the server is asked again."""
    proxy, settings = proxied
    with proxy:
        proxy.cut_answer_to(b"Q\0\0\0\x0bCOMMIT\0")
        feed(settings, rich_dump, recorder)
    assert proxy.cuts == 1
    assert "restored all the same" in recorder.text
    assert state(postgres16, database).count(b"events_2025") > 1


def test_a_server_that_is_gone_leaves_it_unknown(
    rich_dump: bytes, proxied: tuple[Proxy, Settings], unchanged: Unchanged,
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder,
) -> None:  # fmt: skip
    monkeypatch.setattr(psql_session, "END_TIMEOUT", 0.3)
    proxy, settings = proxied
    with proxy:

        def refuse(event: Event) -> None:
            recorder(event)
            if event.bytes_done:
                proxy.refuse()

        with pytest.raises(ServerError, match="unknown: the server does not answer"):
            feed(settings, rich_dump, refuse)
    assert any("unknown" in warning for warning in recorder.warnings())
    unchanged.check()


def test_a_server_that_can_not_be_reached_is_explained(
    rich_dump: bytes, target: Settings, postgres16: PostgresServer, unchanged: Unchanged
) -> None:
    gone = target.model_copy(update={"pgdatabase": "no such"})
    with pytest.raises(ServerError, match="Database 'no such' does not exist"):
        feed_psql(
            gone, Tool("psql", postgres16.bin_dir / "psql", "16.14", 16), *_checked(rich_dump),
            lambda _: None,
        )  # fmt: skip
    with pytest.raises(PgconsoleError, match="can't be started"):
        feed_psql(
            target, Tool("psql", Path("/no/psql"), "16.14", 16), *_checked(rich_dump),
            lambda _: None,
        )  # fmt: skip
    unchanged.check()


def _checked(dump: bytes) -> tuple:  # type: ignore[type-arg]
    source, checked = check(dump)
    return source, checked.sections
