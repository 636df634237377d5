"""Rows are counted, and the newest told, beside others who work there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import MakeSettings, create_database, drop_database

from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import ServerError
from pgconsole.postgres import rows_now
from pgconsole.postgres.relations import Kind, Relation, relations_of
from pgconsole.postgres.rows_now import Newest, Seen, look_at_rows
from pgconsole.settings import Settings

EVERYTHING = Path(__file__).parents[1] / "backups" / "everything.sql"


def look(settings: Settings, *, stopped: Callable[[], bool] = lambda: False) -> dict[str, Seen]:
    """What is seen of each table."""
    tables = [one for one in relations_of(settings).all if one.kind is Kind.TABLE]
    names = {one.oid: f"{one.schema}.{one.name}" for one in tables}
    return {names[oid]: seen for oid, seen in look_at_rows(settings, tables, stopped=stopped)}


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    return make_settings(postgres16, database)


def test_every_table_of_a_database_that_has_everything(
    postgres: PostgresServer, make_settings: MakeSettings
) -> None:
    create_database(postgres, "counted", EVERYTHING.read_text())
    try:
        found = look(make_settings(postgres, "counted"))
        with postgres.connect("counted") as connection:
            connection.execute("""
                CREATE TEMPORARY TABLE counted (name text, rows int);
                DO $$ DECLARE one record; BEGIN
                    FOR one IN SELECT nspname || '.' || relname AS name, c.oid::regclass AS of
                                 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                                WHERE relkind = 'r' AND nspname !~ '^pg_|information_schema' LOOP
                        EXECUTE format('INSERT INTO counted SELECT %L, count(*) FROM ONLY %s',
                                       one.name, one.of);
                    END LOOP;
                END $$
            """)
            rows = connection.execute("SELECT * FROM counted").fetchall()
        assert {name: seen.rows for name, seen in found.items()} == dict(rows)
        assert found["public.cities"].rows == 2  # without the capitals, which inherit
        assert found["public.events_2025"].newest == Newest("at", "2025-12-18", False)
        assert found["other.events_rest"].newest is None  # all ahead of the clock
    finally:
        drop_database(postgres, "counted")


def test_the_newest_row(settings: Settings, postgres16: PostgresServer) -> None:
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("""
            CREATE TABLE zoned (created timestamptz);
            INSERT INTO zoned VALUES ('2026-01-02 03:04:05+02'), ('infinity'), (NULL);
            CREATE TABLE plain (created timestamp);
            INSERT INTO plain VALUES ('0044-03-15 12:00 BC'), ('2026-01-02 03:04:05.678');
            CREATE TABLE days (created date);
            INSERT INTO days VALUES ('2026-01-02'), ('2199-01-01');
            CREATE TABLE nothing (created date);
            CREATE TABLE "[red] ""odd""!" (";created"" " timestamptz);
            INSERT INTO "[red] ""odd""!" VALUES ('0044-03-15 12:00+00 BC');
            ANALYZE;
            CREATE TABLE never_looked_at (created date);
            INSERT INTO never_looked_at VALUES ('2026-01-03')
        """)
    found = {name: seen.newest for name, seen in look(settings).items()}
    assert found["public.zoned"] == Newest("created", "2026-01-02 01:04:05+00", True)
    assert found["public.plain"] == Newest("created", "2026-01-02 03:04:05.678", False)
    assert found["public.days"] == Newest("created", "2026-01-02", False)
    assert found["public.nothing"] is None
    # How large it is was not known before it was counted.
    assert found["public.never_looked_at"] == Newest("created", "2026-01-03", False)
    assert found['public.[red] "odd"!'] == Newest(';created" ', "0044-03-15 12:00:00+00 BC", True)


def test_a_table_that_somebody_holds(settings: Settings, postgres16: PostgresServer) -> None:
    with postgres16.connect(settings.pgdatabase) as other:
        other.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        found = look(settings)
        assert time.monotonic() - began < 15
        assert found["public.users"] == Seen(None, "locked by somebody else now")
        assert found["public.empty"] == Seen(0)


def test_a_table_that_takes_too_long_and_those_that_are_larger(
    settings: Settings, postgres16: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("""
            CREATE TABLE large AS SELECT i, repeat('x', 20) FROM generate_series(1, 400000) i;
            CREATE TABLE larger AS SELECT i, repeat('x', 40) FROM generate_series(1, 400000) i;
            ANALYZE
        """)
    monkeypatch.setattr(rows_now, "COUNTING_TAKES", 0.001)
    found = look(settings)
    assert found["public.large"].why == "counting it takes longer than 0.001 s"
    assert found["public.larger"].why == "a smaller table took longer than 0.001 s to count"
    assert (found["public.large"].rows, found["public.larger"].rows) == (None, None)


def test_counting_for_hours_is_left_to_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_now, "ALL_TAKE", 0)
    assert look(settings)["public.users"] == Seen(None, "counting the others took 0 s")


def test_nothing_is_held_and_nothing_can_be_written(
    settings: Settings, postgres16: PostgresServer
) -> None:
    """Between two tables the session is in no transaction; within one it could only read."""
    seen: list[tuple[str, int]] = []

    def stopped() -> bool:
        with postgres16.connect(settings.pgdatabase) as admin:
            seen.extend(admin.execute("""
                SELECT state, (SELECT count(*) FROM pg_locks WHERE pid = a.pid)
                  FROM pg_stat_activity a WHERE application_name = 'pgconsole plan'
            """).fetchall())  # fmt: skip
        return False

    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute(
            "CREATE FUNCTION writes() RETURNS bool LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO users VALUES (-1); RETURN true; END';"
            "CREATE ROLE guest LOGIN PASSWORD 'x'; GRANT ALL ON users TO guest;"
            "CREATE VIEW sly AS SELECT * FROM users WHERE writes(); GRANT ALL ON sly TO guest"
        )
    try:
        look(settings, stopped=stopped)
        assert seen
        assert set(seen) == {("idle", 0)}
        sly = Relation(1, "public", "sly", Kind.VIEW)
        ((_, found),) = look_at_rows(settings, [sly], stopped=lambda: False)
        assert "read-only transaction" in found.why
    finally:
        with postgres16.connect(settings.pgdatabase) as connection:
            connection.execute("DROP OWNED BY guest; DROP ROLE guest")


def test_no_right_and_rows_that_a_policy_hides(
    settings: Settings, postgres16: PostgresServer
) -> None:
    with postgres16.connect(settings.pgdatabase) as admin:
        admin.execute(
            "CREATE ROLE guest LOGIN PASSWORD 'x'; CREATE TABLE hidden (); "
            "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON hidden TO guest;"
            "CREATE POLICY nobody ON hidden USING (false); INSERT INTO hidden DEFAULT VALUES"
        )
    try:
        guest = Settings.model_validate(
            settings.environment() | {"PGUSER": "guest", "PGPASSWORD": "x"}
        )
        found = look(guest)
        assert found["public.users"] == Seen(None, "no right to read it")
        assert found["public.hidden"] == Seen(None, "no right to read it, or not all of its rows")
    finally:
        with postgres16.connect(settings.pgdatabase) as admin:
            admin.execute("DROP OWNED BY guest; DROP ROLE guest")


def test_a_table_that_is_dropped_meanwhile(settings: Settings, postgres16: PostgresServer) -> None:
    gone = Relation(1, "public", "gone", Kind.TABLE)
    ((_, seen),) = look_at_rows(settings, [gone], stopped=lambda: False)
    assert seen == Seen(None, "it is gone meanwhile")


def test_it_ends_when_nobody_wants_it_any_more(settings: Settings) -> None:
    turns: Iterator[bool] = iter([False, False, False, True])  # twice for the newest rows
    assert list(look(settings, stopped=lambda: next(turns, True))) == ["public.empty"]


def test_a_connection_that_is_cut(settings: Settings, postgres16: PostgresServer) -> None:
    def cut() -> bool:
        with postgres16.connect(settings.pgdatabase) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'pgconsole plan'"
            )
        return False

    with pytest.raises(ServerError, match="did not answer"):
        look(settings, stopped=cut)
