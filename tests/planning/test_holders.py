"""What keeps hold of what a restore drops: the check and PostgreSQL itself say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.backups.restoring import restore
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup

from pgconsole.backups.restore_copy import find_copy
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import PgconsoleError
from pgconsole.planning.content import Content, look_at_content
from pgconsole.planning.fitness import look_at_fitness
from pgconsole.planning.target import look_at_target
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

BASE = """
    CREATE SCHEMA sales;
    CREATE EXTENSION vector;
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TYPE span AS RANGE (subtype = float8);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TABLE users (id int PRIMARY KEY, name text, code int UNIQUE, feels mood);
    INSERT INTO users SELECT i, 'x', i, 'sad' FROM generate_series(1, 5) i;
    CREATE TABLE sales.orders (id int GENERATED ALWAYS AS IDENTITY, user_id int REFERENCES users);
    CREATE TABLE cities (name text);
    CREATE TABLE events (at date, what int) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE VIEW glad AS SELECT * FROM users WHERE feels = 'glad';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
    CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $1';
    CREATE TRIGGER touched BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE SEQUENCE numbers;
"""
# What was done since the backup, and who then holds on to what.
HOLDS = {
    "foreign key of a new table": (
        "CREATE TABLE newer (u int REFERENCES users)",
        ("constraint newer_u_fkey on table newer", "table users"),
    ),
    "foreign key to a unique column": (
        "CREATE TABLE newer (u int REFERENCES users (code))",
        ("constraint newer_u_fkey on table newer", "table users"),
    ),
    "new foreign key between old tables": (
        "ALTER TABLE sales.orders ADD CONSTRAINT again FOREIGN KEY (id) REFERENCES users",
        ("constraint again on table sales.orders", "table users"),
    ),
    "new foreign key to itself": (
        "ALTER TABLE users ADD CONSTRAINT own FOREIGN KEY (code) REFERENCES users",
        ("constraint own on table users", "table users"),
    ),
    "view": (
        "CREATE VIEW newer AS SELECT id FROM users",
        ("rule _RETURN on view newer", "table users"),
    ),
    "materialized view on a view": (
        "CREATE MATERIALIZED VIEW newer AS SELECT id FROM glad",
        ("rule _RETURN on materialized view newer", "view glad"),
    ),
    "table that inherits": (
        "CREATE TABLE newer () INHERITS (cities)", ("table newer", "table cities"),
    ),
    "table in a schema": ("CREATE TABLE sales.newer ()", ("table sales.newer", "schema sales")),
    "function in a schema": (
        "CREATE FUNCTION sales.newer() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ("function sales.newer()", "schema sales"),
    ),
    "column of a type": (
        "CREATE TABLE newer (feels mood)", ("column feels of table newer", "type mood"),
    ),
    "column of an array of a type": (
        "CREATE TABLE newer (feels mood[])", ("column feels of table newer", "type mood[]"),
    ),
    "column of a domain": (
        "CREATE TABLE newer (n positive)", ("column n of table newer", "type positive"),
    ),
    "column of an extension's type": (
        "CREATE TABLE newer (h vector)", ("column h of table newer", "type vector"),
    ),
    "column with a default of a sequence": (
        "CREATE TABLE newer (n int DEFAULT nextval('numbers'))",
        ("default value for column n of table newer", "sequence numbers"),
    ),
    "trigger": (
        "CREATE TABLE newer (); CREATE TRIGGER t AFTER INSERT ON newer EXECUTE FUNCTION touch()",
        ("trigger t on table newer", "function touch()"),
    ),
    "function of a type": (
        "CREATE FUNCTION newer(mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ("function newer(mood)", "type mood"),
    ),
    "view on a new partition": (
        "CREATE TABLE events_2 PARTITION OF events DEFAULT;"
        "CREATE VIEW newer AS SELECT * FROM events_2",
        ("rule _RETURN on view newer", "table events_2"),
    ),
}  # fmt: skip
# What looks like it, and is not in the way.
FREE = {
    "nothing": "SELECT 1",
    "tables of their own": "CREATE TABLE newer (id serial PRIMARY KEY, r int REFERENCES newer)",
    "new partitions": (
        "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    ),
    "newer columns, indexes, triggers and checks of old tables": (
        "ALTER TABLE users ADD mood mood, ADD CHECK (twice(id) > 0), ADD n int DEFAULT twice(4);"
        "CREATE INDEX ON users (twice(id));"
        "CREATE TRIGGER t AFTER INSERT ON users EXECUTE FUNCTION touch()"
    ),
    "a schema of its own": "CREATE SCHEMA newer; CREATE TABLE newer.newer (h int)",
}


class Prepared(NamedTuple):
    """A database, its backup, and what is known of that."""

    version: int
    server: PostgresServer
    path: Path
    content: Content


@pytest.fixture(scope="module", params=[16, 18])
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    """The template of all databases here."""
    server: PostgresServer = request.getfixturevalue(f"postgres{request.param}")
    create_database(server, "held", BASE)
    directory = tmp_path_factory.mktemp("held")
    path = guide_backup(server, "held", directory, datetime.now(UTC))
    settings = Settings.model_validate({"BACKUP_DIR": str(directory)} | server.environment)
    copy = find_copy(settings, Place.LOCAL, str(path))
    yield Prepared(request.param, server, path, look_at_content(settings, copy))
    drop_database(server, "held")


@pytest.mark.parametrize(
    ("since", "holder"),
    [
        *(pytest.param(*case, id=name) for name, case in HOLDS.items()),
        *(pytest.param(since, None, id=name) for name, since in FREE.items()),
    ],
)
def test_the_check_says_what_postgresql_says(
    prepared: Prepared, make_settings: MakeSettings, since: str, holder: tuple[str, str] | None
) -> None:
    version, server, path, content = prepared
    with server.connect() as connection:
        connection.execute("CREATE DATABASE newer TEMPLATE held")
    try:
        with server.connect("newer") as connection:
            connection.execute(since)  # type: ignore[call-overload]
        settings = make_settings(server, "newer")
        fitness = look_at_fitness(settings, content, look_at_target(settings, "newer"))
        if holder is None:
            assert fitness.holders == ()
            restore(settings, path, "newer")
            return
        assert fitness.holders is not None
        assert holder in fitness.holders
        if version == 18:
            return  # each restore takes seconds: those of one version will do
        with pytest.raises(PgconsoleError, match="depend"):
            restore(settings, path, "newer")
    finally:
        drop_database(server, "newer")
