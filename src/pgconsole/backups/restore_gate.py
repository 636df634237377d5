"""The compatibility gate: what would make a restore fail, found before anything is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pgconsole.backups.dump_gate import Outline, choose_psql, refuse_unsafe
from pgconsole.backups.integrity import ProvenDump
from pgconsole.dumps.manifest import SectionKind
from pgconsole.errors import PgconsoleError, PreflightError, ServerError
from pgconsole.postgres.explain import where
from pgconsole.postgres.server import ServerInfo, connect, query_failure
from pgconsole.postgres.tools import Tool
from pgconsole.settings import Settings

if TYPE_CHECKING:
    import psycopg

_NAMED = 5  # of a long list, in a message

_STATE = """
    SELECT pg_is_in_recovery(),
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
           (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())
"""
# Whether the extension can be had, and whether it takes a superuser to create it.
_EXTENSIONS = """
    SELECT name, bool_or(v.superuser AND NOT v.trusted)
      FROM pg_available_extensions AS e JOIN pg_available_extension_versions AS v USING (name)
     WHERE name = ANY(%s) AND v.version = e.default_version
     GROUP BY name
"""
_FOREIGN_TABLES = """
    SELECT format('%%I.%%I', nspname, relname), pg_get_userbyid(relowner)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'm', 'f', 'v', 'S')
       AND (nspname, relname) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
       AND NOT pg_has_role(relowner, 'USAGE')
     ORDER BY 1
"""


def check_compatible(target: Settings, server: ServerInfo, dump: ProvenDump) -> Tool:
    """Find out whether this dump can be restored into this database by these tools.

    Args:
        target: The settings, with the target as their database.
        server: What the server says of itself.
        dump: The dump.

    Returns:
        The psql to use.

    Raises:
        PreflightError: All that stands in the way, each with its cause and its cure.
        ServerError: The database can't be asked.
    """
    psql, problems = obstacles(target, server, dump.checked)
    if problems or psql is None:
        raise PreflightError(problems)
    return psql


def obstacles(
    target: Settings, server: ServerInfo, dump: Outline
) -> tuple[Tool | None, list[PgconsoleError]]:
    """The psql to use, if there is one, and all that stands in the way.

    Args:
        target: The settings, with the target as their database.
        server: What the server says of itself.
        dump: What is known of the dump.

    Raises:
        ServerError: The database can't be asked.
    """
    problems: list[PgconsoleError] = []
    psql = None
    try:
        psql = choose_psql(server.major)
        refuse_unsafe(dump, psql, server.major)
    except PgconsoleError as error:
        problems.append(error)
    import psycopg  # noqa: PLC0415 - 0.2 s

    with closing(connect(target, application_name="pgconsole look")) as connection:
        try:
            problems += _in_the_way(connection, target, dump)
        except psycopg.Error as error:
            raise query_failure(target, error) from error
    return psql, problems


def _in_the_way(
    connection: psycopg.Connection[Any], target: Settings, dump: Outline
) -> Iterator[PgconsoleError]:
    row = connection.execute(_STATE).fetchone()
    assert row is not None
    in_recovery, superuser, prepared = row
    if in_recovery:
        yield ServerError(
            f"PostgreSQL at {where(target)} is a standby, which can only be read",
            cause="it follows another server",
            fix="restore into that one: set PGHOST and PGPORT",
        )
    if prepared:
        yield ServerError(
            f"{prepared} prepared transactions hold locks in database {target.pgdatabase!r}",
            cause="they are neither committed nor rolled back",
            fix="see pg_prepared_xacts, then COMMIT PREPARED or ROLLBACK PREPARED",
        )
    yield from _extension_problems(connection, superuser, dump)
    yield from _ownership_problems(connection, target, dump)


def _extension_problems(
    connection: psycopg.Connection[Any], superuser: bool, dump: Outline
) -> Iterator[PgconsoleError]:
    wanted = list(dump.extensions)
    needs_superuser = dict(connection.execute(_EXTENSIONS, [wanted]).fetchall())
    if missing := [name for name in wanted if name not in needs_superuser]:
        yield ServerError(
            f"The target server lacks extensions that the dump needs: {_names(missing)}",
            cause="pg_available_extensions does not list them",
            fix="install their packages on the server (often postgresql-contrib), "
            "then restore again",
        )
    refused = [name for name, superusers_only in needs_superuser.items() if superusers_only]
    if refused and not superuser:
        yield ServerError(
            f"Only a superuser can create extensions of the dump: {_names(refused)}",
            cause="they are not trusted extensions",
            fix="restore as a superuser (PGUSER)",
        )


def _ownership_problems(
    connection: psycopg.Connection[Any], target: Settings, dump: Outline
) -> Iterator[PgconsoleError]:
    """Tables of the dump that are in the target and that we may not replace."""
    tables = [
        (section.schema_name, section.table)
        for section in dump.sections
        if section.kind is SectionKind.DATA and section.schema_name is not None
    ]
    schemas, names = [schema for schema, _ in tables], [table for _, table in tables]
    found = connection.execute(_FOREIGN_TABLES, [schemas, names]).fetchall()
    if found:
        owners = ", ".join(sorted({owner for _, owner in found}))
        yield ServerError(
            f"User {target.pguser} may not replace {_names([name for name, _ in found])}",
            cause=f"they belong to {owners}",
            fix="restore as their owner or as a superuser (PGUSER)",
        )


def _names(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
