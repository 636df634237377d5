"""How many rows tables have now, and how new the newest is: asked beside whoever works there.

Every question is a read-only transaction of its own, on one connection and without parallel
workers; it waits for no lock longer than a second, and gives up on a table that takes too long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgconsole.postgres.explain import last_words
from pgconsole.postgres.relations import PLANNING, SMALL_ROWS, Relation, TimeColumn
from pgconsole.postgres.server import connect, query_failure
from pgconsole.settings import Settings

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

COUNTING_TAKES = 20  # seconds for one table
ALL_TAKE = 300  # seconds for all of them: what is not counted by then is left to an estimate
_NEWEST_TAKES = 1  # seconds: with an index it is a thousandth of one
_SESSION = (
    "SET default_transaction_read_only = on",
    "SET lock_timeout = '1s'",
    "SET max_parallel_workers_per_gather = 0",
    # Rows that a policy hides would not be counted; without this it would not be said.
    "SET row_security = off",
    "SET TimeZone = 'UTC'",
    "SET datestyle = 'ISO'",
)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest row of a table.

    Attributes:
        column: What says so.
        at: Its value as the server writes it; of a `timestamptz` in UTC.
        zoned: Whether the column is a `timestamptz`.
    """

    column: str
    at: str
    zoned: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out about one table.

    Attributes:
        rows: How many it has, exactly; None if they are not counted.
        why: Why not; empty while their turn has not come.
        newest: Its newest row; None if there is none, or if that can't be told.
    """

    rows: int | None = None
    why: str = ""
    newest: Newest | None = None


NOT_SEEN = Seen()


def look_at_rows(
    settings: Settings, tables: Sequence[Relation], *, stopped: Callable[[], bool]
) -> Iterator[tuple[int, Seen]]:
    """Tell the newest rows first, then count, the smallest tables first.

    Args:
        settings: The database.
        tables: Ordinary tables of it.
        stopped: Asked before each table; true ends it.

    Returns:
        The oid of a table, and all that is known of it by then. Each comes once or twice.

    Raises:
        ServerError: The server can't be reached, or the connection was lost.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    smallest = sorted(tables, key=lambda table: (table.pages, table.rows or 0))
    with closing(connect(settings, application_name=PLANNING)) as connection:
        try:
            for statement in _SESSION:
                connection.execute(statement)
            asking = _Asking(connection)
            yield from asking.newest(smallest, stopped)
            yield from asking.counts(smallest, stopped)
        except psycopg.Error as error:
            raise query_failure(settings, error) from error


class _Asking:
    """The two rounds over the tables of one database."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._seen: dict[int, Seen] = {}
        self._too_large: int | None = None  # pages of a table that took too long

    def newest(
        self, tables: Sequence[Relation], stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, Seen]]:
        """The newest row of each table that has a column for it."""
        self._connection.execute(f"SET statement_timeout = '{_NEWEST_TAKES}s'")
        for table in tables:
            if stopped():
                return
            if table.time is None or not table.readable:
                continue
            newest = self._newest(table, table.time)
            if newest is not None:
                yield self._keep(table, Seen(newest=newest))

    def counts(
        self, tables: Sequence[Relation], stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, Seen]]:
        """The rows of each table, or why they are not counted."""
        self._connection.execute(f"SET statement_timeout = '{COUNTING_TAKES}s'")
        enough = time.monotonic() + ALL_TAKE
        for table in tables:
            if stopped():
                return
            seen = self._seen.get(table.oid, NOT_SEEN)
            if time.monotonic() < enough:
                rows, why = self._count(table)
            else:
                rows, why = None, f"counting the others took {ALL_TAKE} s"
            if rows is not None and rows <= SMALL_ROWS and table.time_if_small is not None:
                seen = Seen(newest=self._newest(table, table.time_if_small))
            yield self._keep(table, replace(seen, rows=rows, why=why))

    def _newest(self, table: Relation, column: TimeColumn) -> Newest | None:
        value, _ = self._ask(_newest_query(table, column))
        return Newest(column.name, str(value), column.zoned) if value is not None else None

    def _count(self, table: Relation) -> tuple[int | None, str]:
        if not table.readable:
            return None, "no right to read it"
        if self._too_large is not None and table.pages > self._too_large:
            return None, f"a smaller table took longer than {COUNTING_TAKES} s to count"
        rows, why = self._ask(_count_query(table))
        if why == _TOO_LONG:
            why = f"counting it takes longer than {COUNTING_TAKES} s"
            self._too_large = table.pages or self._too_large
        return rows, why

    def _ask(self, query: sql.Composed) -> tuple[Any, str]:
        """The one value of an answer, or why there is none.

        Raises:
            psycopg.Error: The connection was lost.
        """
        import psycopg  # noqa: PLC0415 - 0.2 s

        try:
            row = self._connection.execute(query).fetchone()
        except psycopg.Error as error:
            if self._connection.closed or self._connection.broken:
                raise
            return None, _why(error)
        return (row[0] if row else None), ""

    def _keep(self, table: Relation, seen: Seen) -> tuple[int, Seen]:
        self._seen[table.oid] = seen
        return table.oid, seen


_TOO_LONG = "too long"


def _why(error: psycopg.Error) -> str:
    from psycopg import errors  # noqa: PLC0415 - the same

    for kind, words in (
        (errors.LockNotAvailable, "locked by somebody else now"),
        (errors.QueryCanceled, _TOO_LONG),
        (errors.InsufficientPrivilege, "no right to read it, or not all of its rows"),
        (errors.UndefinedTable, "it is gone meanwhile"),
    ):
        if isinstance(error, kind):
            return words
    return error.diag.message_primary or last_words(str(error))


def _count_query(table: Relation) -> sql.Composed:
    from psycopg import sql  # noqa: PLC0415 - 0.2 s

    # As pg_dump copies it: without what inherits from it.
    name = sql.Identifier(table.schema, table.name)
    return sql.SQL("SELECT count(*) FROM ONLY {}").format(name)


def _newest_query(table: Relation, column: TimeColumn) -> sql.Composed:
    """Not what is ahead of the clock: that would be a plan or a placeholder, or infinity."""
    from psycopg import sql  # noqa: PLC0415 - 0.2 s

    # Times without a zone may be of any: the furthest is 14 hours ahead.
    return sql.SQL(
        "SELECT max({column})::text FROM ONLY {table} WHERE {column} <= now() + interval '14 hours'"
    ).format(column=sql.Identifier(column.name), table=sql.Identifier(table.schema, table.name))
