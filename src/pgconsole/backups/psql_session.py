"""The server's side of a restore: who blocks it, and what became of its transaction."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pgconsole.backups.psql_feed import Inherited
from pgconsole.errors import ServerError
from pgconsole.postgres.blocking import blockers_of
from pgconsole.postgres.explain import where
from pgconsole.postgres.server import visit
from pgconsole.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import psycopg

END_TIMEOUT = 60.0  # seconds; undoing is quick in PostgreSQL, but a file's unlink need not be
_LOOK = 0.1  # seconds between two looks at a session that is ending

_STATE = (
    "SELECT state FROM pg_stat_activity WHERE pid = %(pid)s AND backend_xid::text = %(xid)s "
    "AND datname = current_database()"
)
# Only while it still runs our transaction: the process number may be somebody else's by now.
_TERMINATE = f"SELECT pg_terminate_backend(%(pid)s) WHERE EXISTS ({_STATE})"
# Those of partitions and children that go with one of their parent.
_INHERITED = """
    SELECT nspname, relname, conname
      FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
      JOIN pg_namespace n ON n.oid = relnamespace
     WHERE coninhcount > 0
"""
_FATE = "SELECT txid_status(%(txid)s)"


def inherited_constraints(target: Settings) -> Inherited:
    """The constraints of the target that PostgreSQL doesn't let anybody drop by themselves.

    Raises:
        ServerError: The server doesn't answer.
    """
    with _visit(target) as connection:
        return frozenset(map(tuple, connection.execute(_INHERITED).fetchall()))


class Fate(StrEnum):
    """What became of a transaction."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"


class RestoreSession:
    """The session in which psql restores, seen from another one.

    Args:
        target: How to reach the server.
        pid: The process of psql's session there.
        txid: Its transaction, with epoch.
    """

    def __init__(self, target: Settings, pid: int, txid: int) -> None:
        self._target = target
        self._pid = pid
        self._facts = {"pid": pid, "txid": txid, "xid": str(txid % 2**32)}

    def check_target(self) -> None:
        """See that psql is where our own connections go: what it changes has to be what we look at.

        Raises:
            ServerError: It is elsewhere, or the server doesn't answer.
        """
        with _visit(self._target) as connection:
            if connection.execute(_STATE, self._facts).fetchone() is None:
                raise ServerError(
                    f"psql is connected to something else than database "
                    f"{self._target.pgdatabase!r} at {where(self._target)}",
                    cause="the server that pgconsole reaches there does not know psql's session",
                    fix="name one server in PGHOST, and none that hands connections on to several",
                )

    def blockers(self) -> list[str]:
        """The sessions that it waits for, in words; empty if none, or if nobody answers."""
        try:
            with _visit(self._target) as connection:
                blockers = blockers_of(connection, self._pid)
        except ServerError:
            return []
        return [blocker.in_words() for blocker in blockers]

    def idle(self) -> bool:
        """Whether it waits for the next statement; False if nobody answers."""
        try:
            with _visit(self._target) as connection:
                row = connection.execute(_STATE, self._facts).fetchone()
        except ServerError:
            return False
        return row is not None and row[0] == "idle in transaction"

    def end(self) -> Fate:
        """End the session if its transaction still runs, and say what became of that.

        Waits until the server has done so, at most a minute.
        """
        deadline = time.monotonic() + END_TIMEOUT
        while True:
            fate = self._look()
            if fate is not None:
                return fate
            if time.monotonic() > deadline:
                return Fate.UNKNOWN
            time.sleep(_LOOK)

    def _look(self) -> Fate | None:
        try:
            with _visit(self._target) as connection:
                row = connection.execute(_FATE, self._facts).fetchone()
                said = str(row[0]) if row else ""
                if said == "in progress":
                    connection.execute(_TERMINATE, self._facts)
        except ServerError:
            return None
        return {"committed": Fate.COMMITTED, "aborted": Fate.ROLLED_BACK}.get(said)


def _visit(target: Settings) -> AbstractContextManager[psycopg.Connection[Any]]:
    return visit(target, "pgconsole restore watch")
