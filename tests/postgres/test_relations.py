"""What the catalogs say of tables, on a database that has everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import MakeSettings, create_database, drop_database

from pgconsole.demo.servers import PostgresServer
from pgconsole.postgres.relations import (
    Kind,
    Relation,
    Relations,
    TimeColumn,
    relations_of,
    time_column,
)
from pgconsole.settings import Settings

EVERYTHING = Path(__file__).parents[1] / "backups" / "everything.sql"
ODD = 'Od;d\n"na--me" \\. $$'


@pytest.fixture(scope="module", params=[16, 18])
def everything(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    server: PostgresServer = request.getfixturevalue(f"postgres{request.param}")
    create_database(server, "everything", EVERYTHING.read_text())
    yield server
    drop_database(server, "everything")


def settings_of(server: PostgresServer, tmp_path: Path, **more: str) -> Settings:
    return Settings.model_validate(
        {"BACKUP_DIR": str(tmp_path), "PGDATABASE": "everything", **server.environment, **more}
    )


def named(found: Relations, name: str) -> Relation:
    (one,) = [one for one in found.all if one.name == name]
    return one


def test_everything_is_listed_as_what_it_is(everything: PostgresServer, tmp_path: Path) -> None:
    found = relations_of(settings_of(everything, tmp_path))
    kinds = {(one.schema, one.name): one.kind for one in found.all}
    assert kinds["public", "users"] is Kind.TABLE
    assert kinds['Mixed "Case"; --', ODD] is Kind.TABLE
    assert kinds["public", "events"] is Kind.PARTITIONED
    assert kinds["public", "loud"] is Kind.VIEW
    assert kinds["public", "counted"] is Kind.MATERIALIZED
    assert kinds["public", "remote"] is Kind.FOREIGN
    assert not [schema for schema, _ in kinds if schema.startswith("pg_")]
    assert found.large_objects == 3
    assert named(found, "users").rows == 505  # the script ends with ANALYZE
    assert all(one.readable for one in found.all)


def test_partitions_know_what_they_are_of(everything: PostgresServer, tmp_path: Path) -> None:
    found = relations_of(settings_of(everything, tmp_path))
    above = [one.name for one in found.above(named(found, "events_2026_1"))]
    assert above == ["events_2026", "events"]
    parts = {one.name for one in found.parts(named(found, "events"))}
    assert parts == {"events_2025", "events_2026", "events_rest"}
    # Inheritance is something else: rows of one are no rows of the other.
    assert list(found.above(named(found, "capitals"))) == []


def test_time_columns(everything: PostgresServer, tmp_path: Path) -> None:
    with everything.connect("everything") as connection:
        connection.execute("""
            CREATE TABLE times (
                id int, expires_at timestamptz, seen timestamp, created timestamptz, "when" date
            );
            CREATE INDEX ON times (expires_at);
            CREATE INDEX ON times ("when") WHERE id > 0;
            CREATE INDEX ON times (seen, id);
            INSERT INTO times (id) SELECT generate_series(1, 200000);
            ANALYZE times
        """)
    try:
        found = relations_of(settings_of(everything, tmp_path))
        # Large: only what leads an index of all rows; what says when a row ends is never meant.
        assert named(found, "times").time == TimeColumn("seen", False)
        assert named(found, "events_2025").time == TimeColumn("at", False)
        assert named(found, "users").time is None  # of births
    finally:
        with everything.connect("everything") as connection:
            connection.execute("DROP TABLE times")


def test_what_may_not_be_read(everything: PostgresServer, tmp_path: Path) -> None:
    with everything.connect("everything") as admin:
        admin.execute("CREATE ROLE guest LOGIN PASSWORD 'x'; GRANT SELECT (a) ON scratch TO guest")
        admin.execute("GRANT SELECT ON other.events_rest TO guest")  # but not to enter the schema
    try:
        guest = settings_of(everything, tmp_path, PGUSER="guest", PGPASSWORD="x")
        readable = {one.name for one in relations_of(guest).all if one.readable}
        assert readable == {"scratch"}
    finally:
        with everything.connect("everything") as admin:
            admin.execute("DROP OWNED BY guest; DROP ROLE guest")


def test_estimates_without_analyze(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings
) -> None:
    """Neither VACUUM nor ANALYZE has seen the tables: what was written is known all the same."""
    with postgres16.connect(database) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
    found = relations_of(make_settings(postgres16, database))
    assert named(found, "users").rows in (None, 1000)  # autovacuum or statistics may be late
    assert named(found, "empty").rows in (None, 0)
    with postgres16.connect(database) as connection:
        connection.execute("ANALYZE users")
    assert named(relations_of(make_settings(postgres16, database)), "users").rows == 1000


@pytest.mark.parametrize(
    ("columns", "small", "chosen"),
    [
        ((), True, None),
        ((("created_at", True, False),), False, None),
        ((("created_at", True, True),), False, TimeColumn("created_at", True)),
        ((("born", False, True), ("expires_at", True, True)), True, None),
        # A name says more than an index where both are cheap; where only an index is, it decides.
        ((("a", True, True), ("created_at", True, False)), True, TimeColumn("created_at", True)),
        ((("a", True, True), ("created_at", True, False)), False, TimeColumn("a", True)),
        ((("at", False, False), ("updated", False, False)), True, TimeColumn("updated", False)),
        ((("updated", False, False), ("added", False, False)), True, TimeColumn("added", False)),
        ((("founded", True, False),), True, None),  # who knows when it was written down
        ((("founded", True, False), ("b", True, True)), True, TimeColumn("b", True)),
        ((("due_date", False, True), ("valid_until", True, True)), True, None),
        ((("Created At", True, False),), True, TimeColumn("Created At", True)),
    ],
)  # fmt: skip
def test_the_most_plausible_column(
    columns: tuple[tuple[str, bool, bool], ...], small: bool, chosen: TimeColumn | None
) -> None:
    assert time_column(columns, small=small) == chosen
