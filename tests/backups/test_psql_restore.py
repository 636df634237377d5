"""A database that was restored is the one that was dumped, to the last byte of a plain dump."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backups.feeding import EVERYTHING, feed, gate, state
from tests.backups.helpers import Recorder, plain_dump
from tests.conftest import MakeSettings, create_database, drop_database

import pgconsole.demo
from pgconsole.backups.restore_check import check_restored
from pgconsole.demo.servers import PostgresServer

THINKTANK = Path(pgconsole.demo.__file__).with_name("thinktank.sql")
SCRIPTS = {"thinktank": THINKTANK, "everything": EVERYTHING}
INSTALLED_15 = Path("/usr/lib/postgresql/15/bin")
# What happened to the target since the dump was made.
CHANGES = {
    "thinktank": (
        "DELETE FROM comments; DROP TABLE surveys CASCADE; ALTER TABLE topics ADD new int;"
        "INSERT INTO organisations (name, country) VALUES ('later', 'xx');"
    ),
    "everything": (
        "DROP TABLE orders CASCADE; TRUNCATE users, bytes; ALTER TYPE mood ADD VALUE 'new';"
        "SELECT lo_unlink(4242), lo_put(4243, 0, 'changed'), nextval('tickets');"
        "DROP EVENT TRIGGER seen; DROP POLICY own_rows ON users; DROP TABLE events_2025;"
        "ALTER TABLE wide ADD newer text; DROP FUNCTION looks_like_copy();"
    ),
}


@pytest.fixture(scope="module")
def postgres15(open_module_directory: Path) -> Iterator[PostgresServer]:
    """The system's own PostgreSQL 15."""
    if not (INSTALLED_15 / "postgres").exists():
        pytest.skip("PostgreSQL 15 is not installed here")
    with PostgresServer(open_module_directory, bin_dir=INSTALLED_15) as server:
        yield server


@pytest.fixture(params=[15, 16, 18])
def server(request: pytest.FixtureRequest) -> PostgresServer:
    """Each PostgreSQL in turn."""
    found: PostgresServer = request.getfixturevalue(f"postgres{request.param}")
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_restored_equals_dumped(
    server: PostgresServer, name: str, make_settings: MakeSettings, recorder: Recorder
) -> None:
    """Into an empty database, and in place of one that has changed since."""
    create_database(server, name, SCRIPTS[name].read_text())
    create_database(server, "empty")
    try:
        dump = plain_dump(server, name)
        dumped = state(server, name)
        gate(make_settings(server, "empty"), dump)
        feed(make_settings(server, "empty"), dump)
        assert state(server, "empty") == dumped

        with server.connect(name) as connection:
            connection.execute(CHANGES[name].encode())
        assert state(server, name) != dumped
        settings = make_settings(server, name)
        content = feed(settings, dump, recorder)
        assert state(server, name) == dumped

        checks = check_restored(settings, content)
        assert [check for check in checks if not check.good] == []
        objects = {check.what: check.expected for check in checks if not check.name}
        assert objects.pop("large object", 0) == (3 if name == "everything" else 1)
        assert objects == made(dump)
        rows = sum(check.expected for check in checks if check.what == "rows")
        assert rows == sum(table.loaded for table in content.tables) > 1000
    finally:
        drop_database(server, name)
        drop_database(server, "empty")


# What pg_dump calls otherwise, and what is not counted.
KINDS = {
    "FK CONSTRAINT": "constraint", "CHECK CONSTRAINT": "constraint", "PROCEDURE": "function",
    "AGGREGATE": "function", "DOMAIN": "type",
}  # fmt: skip
UNCOUNTED = re.compile(
    "ACCESS METHOD|CAST|CONVERSION|OPERATOR.*|USER MAPPING|SHELL TYPE|COMMENT|DEFAULT|.* ATTACH"
    "|SEQUENCE (OWNED BY|SET)|ROW SECURITY|PUBLICATION .+|.* DATA|BLOB.*"
)


def made(dump: bytes) -> dict[str, int]:
    """What pg_dump's own comments say that the dump makes, by kind."""
    counts: dict[str, int] = {}
    for kind in re.findall(rb"(?m)^-- Name: .*(?<! _RETURN); Type: ([A-Z ]+); Schema: ", dump):
        text = kind.decode()
        if not UNCOUNTED.fullmatch(text):
            name = KINDS.get(text, text.lower())
            counts[name] = counts.get(name, 0) + 1
    return counts


def test_a_dump_of_an_older_server_restores_on_a_newer_one(
    postgres16: PostgresServer, postgres18: PostgresServer, make_settings: MakeSettings
) -> None:
    for server in (postgres16, postgres18):
        create_database(server, "moved", EVERYTHING.read_text() if server is postgres16 else "")
    try:
        dump = plain_dump(postgres16, "moved")
        settings = make_settings(postgres18, "moved")
        gate(settings, dump)
        content = feed(settings, dump)
        assert all(check.good for check in check_restored(settings, content))
    finally:
        for server in (postgres16, postgres18):
            drop_database(server, "moved")


def test_what_is_missing_is_found(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(postgres16, database)
    content = feed(settings, plain_dump(postgres16, database))
    with postgres16.connect(database) as connection:
        connection.execute("DROP TABLE empty; DELETE FROM users WHERE id = 7; CREATE TABLE more ()")
        connection.execute("ALTER TABLE users DROP CONSTRAINT users_pkey")

    found = {
        (check.what, check.name): (check.expected, check.found)
        for check in check_restored(settings, content)
        if not check.good
    }
    assert found == {
        ("table", ""): (2, 1),
        ("table", "public.empty"): (1, 0),
        ("constraint", ""): (1, 0),
        ("constraint", "public.users.users_pkey"): (1, 0),
        ("rows", "public.empty"): (0, None),
        ("rows", "public.users"): (1000, 999),
    }


def test_progress_is_told(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, recorder: Recorder
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.backups.psql_watch._PROGRESS_EVERY", 0.0)
        dump = plain_dump(postgres16, database)
        feed(make_settings(postgres16, database), dump, recorder)
    told = [event for event in recorder.events if event.bytes_done is not None]
    done = [event.bytes_done for event in told]
    assert done == sorted(done, key=int)  # type: ignore[arg-type]
    assert done[-1] == len(dump)
    assert {event.bytes_expected for event in told} == {len(dump)}
    assert recorder.warnings() == []
    assert postgres16.password not in recorder.text
