"""The roles of docs/security.md are enough for what they are for, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests.backups.helpers import RICH_SCHEMA, Recorder, plain_dump, stored_sql, without_keys
from tests.backups.restoring import restore
from tests.conftest import MakeSettings, create_database, drop_database
from tests.security.document import sql

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings
from pgconsole.status.checks.base import CheckState
from pgconsole.status.doctor import run_checks

ALICE = BackupRequest("alice")
FOR_BACKUPS, FOR_LARGE_OBJECTS, FOR_RESTORES = sql()
ROLES = ("pgconsole_backup", "pgconsole_restore", "thinktank")
PASSWORD = "choose-one"  # as the document has it
HIDDEN_ROWS = (
    "CREATE TABLE secrets (owner text);"
    "INSERT INTO secrets VALUES ('nobody'), ('somebody');"
    "ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;"
)


@pytest.fixture
def server(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    """A server with the document's database, owned by its role, with something of everything."""
    monkeypatch.setenv("PATH", postgres.environment["PATH"])
    create_database(postgres, "thinktank")
    with postgres.connect() as connection:
        connection.execute("CREATE ROLE thinktank LOGIN PASSWORD 'app'")
        connection.execute("ALTER DATABASE thinktank OWNER TO thinktank")
    with connect(postgres, "thinktank", "app") as connection:
        for script in (RICH_SCHEMA, HIDDEN_ROWS):
            connection.execute(script)  # type: ignore[call-overload]
    yield postgres
    drop_database(postgres, "thinktank")
    with postgres.connect() as connection:
        for role in ROLES:
            connection.execute(f"DROP ROLE IF EXISTS {role}")  # type: ignore[call-overload]


def connect(server: PostgresServer, user: str, password: str = PASSWORD) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, dbname="thinktank",
        autocommit=True,
    )  # fmt: skip


def as_superuser(server: PostgresServer, *scripts: str) -> None:
    with server.connect("thinktank") as connection:
        for script in scripts:
            connection.execute(script)  # type: ignore[call-overload]


def settings_of(make_settings: MakeSettings, server: PostgresServer, user: str) -> Settings:
    return make_settings(server, "thinktank", PGUSER=user, PGPASSWORD=PASSWORD)


def privileges(settings: Settings) -> tuple[CheckState, str]:
    """What the doctor says."""
    (result,) = (one for one in run_checks(settings) if one.name == "privileges")
    return result.state, result.found


def test_the_backup_role_reads_all_and_changes_nothing(
    server: PostgresServer, make_settings: MakeSettings, recorder: Recorder
):
    as_superuser(server, FOR_BACKUPS)
    settings = settings_of(make_settings, server, "pgconsole_backup")
    state, found = privileges(settings)
    assert state is CheckState.FAILED  # the document says so: large objects are not included
    assert "large object 4242" in found
    as_superuser(server, FOR_LARGE_OBJECTS)
    assert privileges(settings)[0] is CheckState.OK
    result = run_backup(settings, ALICE, recorder)
    assert without_keys(stored_sql(result.paths[0])) == without_keys(
        plain_dump(server, "thinktank")
    )
    assert b"somebody" in stored_sql(result.paths[0])  # behind row-level security
    with connect(server, "pgconsole_backup") as connection:
        for statement in (
            "INSERT INTO users (name) VALUES ('x')", "DELETE FROM users", "DROP TABLE users",
            "CREATE TABLE mine (x int)", "SELECT lo_unlink(4242)", "SELECT nextval('tickets')",
            "SET ROLE thinktank", "SELECT pg_read_file('/etc/passwd')",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[call-overload]


def test_the_restore_role_restores_as_the_owner_and_can_do_no_more(
    server: PostgresServer, make_settings: MakeSettings, recorder: Recorder
):
    as_superuser(server, FOR_BACKUPS, FOR_LARGE_OBJECTS, FOR_RESTORES)
    backup = settings_of(make_settings, server, "pgconsole_backup")
    taken = run_backup(backup, ALICE, recorder)
    before = without_keys(plain_dump(server, "thinktank"))
    as_superuser(server, "DROP TABLE empty; DELETE FROM events")
    settings = settings_of(make_settings, server, "pgconsole_restore")
    with connect(server, "thinktank", "app") as app:
        result = restore(settings, taken.paths[0], "thinktank", recorder)
        assert result.sessions_cut == 1
        with pytest.raises(psycopg.OperationalError):
            app.execute("SELECT 1")
    assert without_keys(plain_dump(server, "thinktank")) == before
    with server.connect("thinktank") as connection:
        owners = connection.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
    assert owners == [("thinktank",)]
    with connect(server, "pgconsole_restore") as connection:
        for statement in ("CREATE DATABASE more", "CREATE ROLE more", "ALTER SYSTEM SET port = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[call-overload]
