"""Looks whether a restored database holds what the dump had: objects by kind, rows by table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgconsole.backups.psql_restore import LoadedTable, RestoredContent
from pgconsole.dumps.created import Created
from pgconsole.postgres.server import connect
from pgconsole.settings import Settings

if TYPE_CHECKING:
    import psycopg

_MISSING_SHOWN = 20  # names of each kind
_RELATION = (
    "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
    "WHERE relkind IN ({})"
)
_OF_TABLE = (
    "SELECT nspname, relname || '.' || {} FROM {} JOIN pg_class c ON c.oid = {} "
    "JOIN pg_namespace n ON n.oid = relnamespace"
)
_IN_SCHEMA = "SELECT nspname, {1} FROM {0} JOIN pg_namespace n ON n.oid = {2}"
_GLOBAL = "SELECT '', {1} FROM {0}"
# Schema and name of everything of a kind, in the words of `created`.
_QUERIES = {
    "table": _RELATION.format("'r', 'p'"),
    "foreign table": _RELATION.format("'f'"),
    "view": _RELATION.format("'v'"),
    "materialized view": _RELATION.format("'m'"),
    "sequence": _RELATION.format("'S'"),
    "index": _RELATION.format("'i', 'I'"),
    "constraint": _OF_TABLE.format("conname", "pg_constraint", "conrelid"),
    "trigger": _OF_TABLE.format("tgname", "pg_trigger", "tgrelid"),
    "rule": _OF_TABLE.format("rulename", "pg_rewrite", "ev_class"),
    "policy": _OF_TABLE.format("polname", "pg_policy", "polrelid"),
    "function": _IN_SCHEMA.format("pg_proc", "proname", "pronamespace"),
    "type": _IN_SCHEMA.format("pg_type", "typname", "typnamespace"),
    "collation": _IN_SCHEMA.format("pg_collation", "collname", "collnamespace"),
    "statistics": _IN_SCHEMA.format("pg_statistic_ext", "stxname", "stxnamespace"),
    "text search configuration": _IN_SCHEMA.format("pg_ts_config", "cfgname", "cfgnamespace"),
    "text search dictionary": _IN_SCHEMA.format("pg_ts_dict", "dictname", "dictnamespace"),
    "schema": _GLOBAL.format("pg_namespace", "nspname"),
    "extension": _GLOBAL.format("pg_extension", "extname"),
    "event trigger": _GLOBAL.format("pg_event_trigger", "evtname"),
    "publication": _GLOBAL.format("pg_publication", "pubname"),
    "subscription": _GLOBAL.format("pg_stat_subscription", "subname"),
    "server": _GLOBAL.format("pg_foreign_server", "srvname"),
    "foreign data wrapper": _GLOBAL.format("pg_foreign_data_wrapper", "fdwname"),
    "large object": _GLOBAL.format("pg_largeobject_metadata", "oid::text"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was counted in the restored database.

    Attributes:
        what: The kind: `rows`, or a kind of object such as `table` or `index`.
        name: For rows the table, for a missing object its name; empty for the sum of a kind.
        expected: How many the dump has.
        found: How many of these there are; None if they could not be counted.
    """

    what: str
    name: str
    expected: int
    found: int | None

    @property
    def good(self) -> bool:
        """Whether all that was expected is there, and of rows no more."""
        return self.found == self.expected


def check_restored(target: Settings, content: RestoredContent) -> tuple[Check, ...]:
    """Count what a restore has left in the database.

    Objects of the target that the dump does not have are no difference: a restore leaves them.

    Args:
        target: The server and, as `pgdatabase`, the database.
        content: What was restored.

    Returns:
        The kinds of objects, each followed by what is missing of it, and the rows of every table.

    Raises:
        ServerError: The server can't be reached.
    """
    with connect(target, application_name="pgconsole restore check") as connection:
        # Rows that a policy hides would not be counted; without this it would not be said.
        connection.execute("SET row_security = off")
        connection.execute("SET statement_timeout = 0")
        objects = tuple(_objects(connection, content.objects))
        rows = tuple(_rows(connection, table) for table in content.tables)
    return objects + rows


def _objects(connection: psycopg.Connection[Any], made: tuple[Created, ...]) -> Iterator[Check]:
    import psycopg  # noqa: PLC0415 - 0.2 s

    by_kind: dict[str, Counter[tuple[str, str]]] = {}
    for one in made:
        by_kind.setdefault(one.kind, Counter())[one.schema, one.name] += 1
    for kind, counted in by_kind.items():
        # A view of a circle of views is made twice; functions may share a name.
        expected = counted if kind == "function" else Counter(set(counted))
        try:
            there = Counter(map(tuple, connection.execute(_QUERIES[kind].encode()).fetchall()))
        except psycopg.Error:
            yield Check(kind, "", expected.total(), None)
            continue
        missing = expected - there
        yield Check(kind, "", expected.total(), expected.total() - missing.total())
        for (schema, name), count in missing.most_common(_MISSING_SHOWN):
            yield Check(kind, f"{schema}.{name}" if schema else name, count, 0)


def _rows(connection: psycopg.Connection[Any], table: LoadedTable) -> Check:
    import psycopg  # noqa: PLC0415 - 0.2 s
    from psycopg import sql  # noqa: PLC0415 - the same

    name = table.table if table.schema is None else f"{table.schema}.{table.table}"
    if table.schema is None:
        # A dump of pg_dump before 10.3: only the server knew then which table that was.
        return Check("rows", name, table.expected, table.loaded)
    # As pg_dump copies it: without what inherits from it.
    query = sql.SQL("SELECT count(*) FROM ONLY {}").format(
        sql.Identifier(table.schema, table.table)
    )
    try:
        row = connection.execute(query).fetchone()
    except psycopg.Error:
        row = None
    return Check("rows", name, table.expected, row[0] if row else None)
