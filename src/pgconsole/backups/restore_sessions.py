"""Who is connected to the database that is restored over."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from pgconsole.errors import MissingDatabaseError, ServerError
from pgconsole.postgres.server import connect, query_failure
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings

if TYPE_CHECKING:
    import psycopg

_ENDING_TAKES = 10.0  # seconds that sessions get to end
_BETWEEN_TRIES = 0.1  # seconds

# Of other roles' sessions the server hides what kind they are; its own workers have no role.
_OTHERS = """
    SELECT pid, usename FROM pg_stat_activity
     WHERE datname = current_database() AND usename IS NOT NULL
       AND coalesce(backend_type, 'client backend') = 'client backend'
       AND pid <> pg_backend_pid() AND pid <> ALL(%s)
"""
_RESTORING = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'pgconsole restore'
       AND pid <> pg_backend_pid()
"""
_END = "SELECT pg_terminate_backend(%s)"


@contextmanager
def missing_database_explained(target: Settings) -> Iterator[None]:
    """Nothing is created silently: a name that was mistyped would pass for a new database."""
    try:
        yield
    except MissingDatabaseError as error:
        name = target.pgdatabase.replace('"', '""')
        error.fix = f'create it: CREATE DATABASE "{name}"; or correct the name'
        raise


def cut_sessions(target: Settings, own: list[int], report: Report) -> int:
    """End the sessions of others in the database, and wait until they are gone.

    Args:
        target: The database.
        own: Process ids of our own sessions.
        report: Told of each role whose sessions we may not end.

    Returns:
        How many were ended.

    Raises:
        ServerError: Some don't end, or the database can't be asked.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with closing(connect(target, application_name="pgconsole look")) as connection:
        try:
            ended, kept = _end_others(connection, own)
            deadline = time.monotonic() + _ENDING_TAKES
            while stubborn := ended & _others(connection, own).keys():
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"{len(stubborn)} sessions in {target.pgdatabase!r} don't end",
                        cause=f"the processes {', '.join(map(str, sorted(stubborn)))} are still "
                        f"there {_ENDING_TAKES:.0f} s after they were told",
                        fix="end them on the server, then restore again",
                    )
                time.sleep(_BETWEEN_TRIES)
        except psycopg.Error as error:
            raise query_failure(target, error) from error
    for role, number in Counter(kept.values()).items():
        text = (
            f"{number} sessions of role {role} stay: {target.pguser} may not end them. If they "
            "use what is restored, the restore waits for them"
        )
        report(Event("sessions", text, Level.WARNING))
    return len(ended)


def _end_others(
    connection: psycopg.Connection[Any], own: list[int]
) -> tuple[set[int], dict[int, str]]:
    """The process ids that were told to end, and role by process id of those that we can't."""
    import psycopg  # noqa: PLC0415 - 0.2 s

    ended, kept = set(), {}
    for pid, role in _others(connection, own).items():
        try:
            connection.execute(_END, [pid])
            ended.add(pid)
        except psycopg.errors.InsufficientPrivilege:
            kept[pid] = role
    return ended, kept


def _others(connection: psycopg.Connection[Any], own: list[int]) -> dict[int, str]:
    return dict(connection.execute(_OTHERS, [own]).fetchall())


def end_restoring(target: Settings) -> None:
    """End what psql has left on the server, and wait until it is gone.

    Raises:
        ServerError: It does not end, or the database can't be asked.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with closing(connect(target, application_name="pgconsole look")) as connection:
        try:
            deadline = time.monotonic() + _ENDING_TAKES
            while pids := connection.execute(_RESTORING).fetchall():
                for (pid,) in pids:
                    connection.execute(_END, [pid])
                if time.monotonic() > deadline:
                    raise ServerError("psql's session is still there", cause="it rolls back")
                time.sleep(_BETWEEN_TRIES)
        except psycopg.Error as error:
            raise query_failure(target, error) from error
