"""What we ask the server ourselves: is it there, what is it, and may we dump now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgconsole.errors import BusyError, ServerError
from pgconsole.postgres.explain import explain_connection_failure, last_words, where
from pgconsole.settings import Settings

if TYPE_CHECKING:
    import psycopg

CONNECT_TIMEOUT = 5  # seconds, for each address of a host name
_STATEMENT_TIMEOUT = "20s"  # pg_database_size looks at every file
_VISIT_TIMEOUT = "10s"
_APPLICATION_NAME_LIMIT = 63  # bytes; the server cuts off the rest

# The advisory lock's two keys: "pgcn" and the first kind of lock. Advisory locks belong to one
# database, so every pgconsole on any host meets here. A contract: never change them.
_LOCK_KEYS = (0x7067636E, 1)

# A dead peer is noticed within about a minute, and no firewall forgets an idle connection. libpq
# has no environment variables for these.
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

# Indexes and system catalogs are not dumped. `relpages` is what the last VACUUM or ANALYZE saw:
# good enough for an estimate, and unlike pg_table_size it waits for no lock.
_PROBE = """
    SELECT current_setting('server_version'),
           current_setting('server_version_num')::int,
           pg_database_size(current_database()),
           (SELECT coalesce(sum(greatest(relpages, 0)::int8), 0)::int8
                   * current_setting('block_size')::int8
              FROM pg_class
             WHERE relkind = 'i'
                OR relnamespace = 'pg_catalog'::regnamespace AND relname <> 'pg_largeobject')
"""

_HOLDER = """
    SELECT application_name, host(client_addr), backend_start, usename
      FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND objsubid = 2
       AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND classid = %s::int8::oid AND objid = %s::int8::oid
"""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says of itself and of the configured database.

    Attributes:
        version: E.g. `16.14 (Debian 16.14-1)`.
        version_num: E.g. 160014.
        database_bytes: Size of the database on the server's disk.
        data_bytes: Estimate of the part that a dump writes out: no indexes, no catalogs.
    """

    version: str
    version_num: int
    database_bytes: int
    data_bytes: int

    @property
    def major(self) -> int:
        """The major version, e.g. 16."""
        return self.version_num // 10000


class AdvisoryLock:
    """A held advisory lock: the connection that carries it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @property
    def pid(self) -> int:
        """The process id of its session on the server."""
        return self._connection.info.backend_pid

    def survived(self) -> bool:
        """Whether the connection, and with it the lock, is still there."""
        import psycopg  # noqa: PLC0415 - 0.2 s

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


def connect(
    settings: Settings, *, application_name: str = "pgconsole", **options: str | int
) -> psycopg.Connection[Any]:
    """Connect in autocommit mode.

    Args:
        settings: Where to, and as whom. Passwords and names may contain anything.
        application_name: How the server lists the session.
        options: More connection parameters of libpq.

    Raises:
        ServerError: It did not work: says which of the usual reasons it is, and the cure.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    parameters: dict[str, Any] = {
        "host": settings.pghost,
        "port": settings.pgport,
        "user": settings.pguser,
        "dbname": settings.pgdatabase,
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": _fitting(application_name),
        "client_encoding": "UTF8",
        **KEEPALIVE,
        **options,
    }
    password = settings.pgpassword.get_secret_value()
    if password:
        parameters["password"] = password
    try:
        return psycopg.connect(autocommit=True, **parameters)
    except psycopg.Error as error:
        raise explain_connection_failure(settings, str(error)) from error


@contextmanager
def visit(settings: Settings, application_name: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect for a few quick questions.

    Raises:
        ServerError: The server can't be reached, or one of the questions failed.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with connect(settings, application_name=application_name) as connection:
        try:
            connection.execute(f"SET statement_timeout = '{_VISIT_TIMEOUT}'")
            yield connection
        except psycopg.Error as error:
            raise query_failure(settings, error) from error


def probe(settings: Settings) -> ServerInfo:
    """Connect, and ask for version and sizes.

    Raises:
        ServerError: The server can't be reached, refuses us, or does not answer.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with connect(settings, application_name="pgconsole probe") as connection:
        try:
            connection.execute(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'")
            row = connection.execute(_PROBE).fetchone()
        except psycopg.Error as error:
            raise query_failure(settings, error) from error
    assert row is not None
    version, version_num, database_bytes, not_dumped = row
    return ServerInfo(version, version_num, database_bytes, max(0, database_bytes - not_dumped))


@contextmanager
def advisory_lock(settings: Settings, who: str) -> Iterator[AdvisoryLock]:
    """Hold the lock that keeps two hosts from working on one database at once. Never waits.

    The connection does nothing else, and is in no transaction, so it holds back no vacuum.

    Args:
        settings: The database that is dumped or restored.
        who: Shown to whoever meets the lock, e.g. `backup by alice on host1`.

    Raises:
        BusyError: Somebody else holds it. Says who, from where and since when.
        ServerError: The server can't be reached or refuses us.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with connect(settings, application_name=f"pgconsole {who}") as connection:
        try:
            if connection.info.server_version >= 140000:
                connection.execute("SET idle_session_timeout = 0")
            row = connection.execute(
                "SELECT pg_try_advisory_lock(%s::int4, %s::int4)", _LOCK_KEYS
            ).fetchone()
            if row is None or not row[0]:
                raise _busy(settings, connection.execute(_HOLDER, _LOCK_KEYS).fetchone())
        except psycopg.Error as error:
            raise query_failure(settings, error) from error
        yield AdvisoryLock(connection)


def work_on(settings: Settings) -> BusyError | None:
    """What keeps the database busy now, by its advisory lock; None if nobody holds that.

    Raises:
        ServerError: The server can't be reached, refuses us, or does not answer within seconds.
    """
    with visit(settings, "pgconsole look") as connection:
        holder = connection.execute(_HOLDER, _LOCK_KEYS).fetchone()
    return _busy(settings, holder) if holder is not None else None


def _busy(settings: Settings, holder: tuple[Any, ...] | None) -> BusyError:
    import humanize  # noqa: PLC0415 - only for this error

    application, address, since, user = holder or (None, None, None, None)
    who = (application or "").removeprefix("pgconsole ") or f"user {user or 'unknown'}"
    cause = f"held by {who}"
    if address:
        cause += f", connected from {address}"
    if isinstance(since, datetime):
        since = since.astimezone(UTC)
        age = humanize.naturaltime(datetime.now(UTC) - since)
        cause += f", since {since:%Y-%m-%d %H:%M:%S} UTC ({age})"
    return BusyError(
        f"Database {settings.pgdatabase!r} on {where(settings)} is being worked on already",
        cause=cause,
        fix="wait until that has ended, or cancel it where it was started",
    )


def query_failure(settings: Settings, error: psycopg.Error) -> ServerError:
    """A question to the server that failed, in words."""
    return ServerError(
        f"PostgreSQL at {where(settings)} did not answer",
        cause=last_words(str(error)),
        fix="read the server's log, then try again",
    )


def _fitting(application_name: str) -> str:
    """Cut to what the server keeps, and to what every version shows unchanged."""
    printable = "".join(char if " " <= char <= "~" else "?" for char in application_name)
    return printable[:_APPLICATION_NAME_LIMIT]
