"""Checks of the PostgreSQL server: is it there, does it let us in, and may we read everything."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from pgconsole.errors import ServerError
from pgconsole.postgres.explain import where
from pgconsole.postgres.server import CONNECT_TIMEOUT, connect, query_failure
from pgconsole.settings import Settings
from pgconsole.status.checks.base import Finding, failed, ok, unknown, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.words import counted, size, span

_SKEW = timedelta(minutes=1)
_SHOWN = 5  # names in a message

# What pg_dump reads: it locks tables (SELECT), reads sequences, and refuses to dump what row-level
# security would hide (pg_dump's documentation, --enable-row-security). What belongs to an extension
# is not dumped, only CREATE EXTENSION is.
_UNREADABLE = """
    SELECT format('%I.%I', nspname, relname)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'S') AND relpersistence <> 't'
       AND nspname !~ '^pg_' AND nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
                                               AND objid = pg_class.oid AND deptype = 'e')
       AND (NOT has_schema_privilege(relnamespace, 'USAGE')
            OR CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(pg_class.oid, 'SELECT')
                            ELSE NOT has_table_privilege(pg_class.oid, 'SELECT')
                                 OR row_security_active(pg_class.oid) END)
    UNION ALL
    SELECT 'large object ' || oid
      FROM pg_largeobject_metadata
     WHERE NOT pg_has_role(lomowner, 'USAGE')
       AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
       AND NOT EXISTS (SELECT FROM aclexplode(lomacl)
                        WHERE privilege_type = 'SELECT'
                          AND (grantee = 0 OR pg_has_role(grantee, 'USAGE')))
     ORDER BY 1
"""


def reachable(context: Context) -> Finding:
    """Whether the server takes connections, whoever asks."""
    place = f"PostgreSQL at {where(context.settings)}"
    if _answers(context.settings):
        return ok(f"{place} accepts connections")
    info = context.server()  # raises, and says why
    return ok(f"{place} is version {info.version}")


def credentials(context: Context) -> Finding:
    """Whether the server lets the user in."""
    user = f"user {context.settings.pguser!r}"
    try:
        context.server()
    except ServerError as error:
        if _is_about_database(error):
            return ok(f"{user} is let in")
        if not _answers(context.settings):
            return _not_asked("the server is not reachable")
        raise
    return ok(f"{user} is let in")


def database(context: Context) -> Finding:
    """Whether the database is there and open to us."""
    try:
        info = context.server()
    except ServerError as error:
        if _is_about_database(error):
            raise
        return _not_asked("there is no connection")
    return ok(f"{context.settings.pgdatabase!r} has {size(info.database_bytes)}")


def privileges(context: Context) -> Finding:
    """Whether pg_dump may read everything: else it fails half-way."""
    try:
        context.server()
    except ServerError:
        return _not_asked("there is no connection")
    names = [str(row[0]) for row in rows(context.settings, _UNREADABLE)]
    user = context.settings.pguser
    if not names:
        return ok(f"user {user!r} may read every table, sequence and large object")
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return failed(
        f"user {user!r} may not read {counted(len(names), 'object')}: {shown}",
        "a privilege is missing, or row-level security hides rows: pg_dump fails there",
        f"GRANT pg_read_all_data TO {user}; for row-level security ALTER ROLE {user} BYPASSRLS; "
        "large objects need GRANT SELECT ON LARGE OBJECT",
    )


def clock(context: Context) -> Finding:
    """Whether this host and the server agree on the time."""
    try:
        context.server()
    except ServerError:
        return _not_asked("there is no connection")
    before = datetime.now(UTC)
    (row,) = rows(context.settings, "SELECT clock_timestamp()")
    after = datetime.now(UTC)
    theirs = row[0]
    assert isinstance(theirs, datetime)
    # It was asked at some moment in between; connecting may have taken most of it.
    ahead = max(before - theirs, theirs - after, timedelta())
    return skew("the server's clock", ahead)


def skew(whose: str, difference: timedelta) -> Finding:
    """What a difference between two clocks means.

    Args:
        whose: The other clock.
        difference: At least; not negative.
    """
    if difference <= _SKEW:
        return ok(f"{whose} and this host's agree to within {_SKEW.seconds} s")
    return warning(
        f"{whose} and this host's are {span(difference)} apart",
        "one of the two is wrong; backups are named and judged by this host's",
        "set both clocks (NTP)",
    )


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    """What the server answers to a query.

    Raises:
        ServerError: It does not.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with closing(connect(settings, application_name="pgconsole doctor")) as connection:
        try:
            connection.execute("SET statement_timeout = '10s'")
            return connection.execute(query).fetchall()
        except psycopg.Error as error:
            raise query_failure(settings, error) from error


def _answers(settings: Settings) -> bool:
    """What pg_isready says: also to those whom the server would not let in."""
    import psycopg  # noqa: PLC0415 - 0.2 s

    address = psycopg.conninfo.make_conninfo(
        host=settings.pghost, port=settings.pgport, connect_timeout=CONNECT_TIMEOUT
    )
    return psycopg.pq.PGconn.ping(address.encode()) == psycopg.pq.Ping.OK


def _is_about_database(error: ServerError) -> bool:
    """Whether the user was let in, and only the database is the problem."""
    return error.problem.startswith("Database ") or "may not connect to database" in error.problem


def _not_asked(why: str) -> Finding:
    return unknown("not looked at", why, "see to that first")
