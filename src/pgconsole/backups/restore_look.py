"""Whether the database that was restored over is as it was before."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from pgconsole.backups.restore_sessions import end_restoring
from pgconsole.errors import ServerError
from pgconsole.postgres.server import connect, query_failure
from pgconsole.settings import Settings

_REACHING_TAKES = 20.0  # seconds for a server that is just coming up again
_BETWEEN_TRIES = 0.2  # seconds
_LOOK_TIMEOUT = "60s"

# What a restore drops and makes again. A row keeps its oid and its xmin for as long as no committed
# transaction changed it, whatever VACUUM and ANALYZE do. Temporary tables are other sessions'.
_ROW = "concat_ws('/', oid, xmin)"
_CATALOGS = {
    "relations": (
        "pg_class",
        "concat_ws('/', oid, relfilenode, xmin)",
        "relpersistence <> 't'",
    ),
    "schemas": ("pg_namespace", _ROW, "nspname !~ '^pg_(toast_)?temp_'"),
    "functions": ("pg_proc", _ROW, "true"),
    "types": ("pg_type", _ROW, "typtype IN ('d', 'e', 'r', 'm')"),
    "rules": ("pg_rewrite", _ROW, "true"),
    "triggers": ("pg_trigger", _ROW, "true"),
    "extensions": ("pg_extension", _ROW, "true"),
    "large objects": ("pg_largeobject_metadata", _ROW, "true"),
    "event triggers": ("pg_event_trigger", _ROW, "true"),
    "publications": ("pg_publication", _ROW, "true"),
}
_LOOK = " UNION ALL ".join(
    f"SELECT '{what}', count(*), coalesce(sum(hashtextextended({row}, 0)), 0)::text "  # noqa: S608
    f"FROM pg_catalog.{catalog} WHERE {condition}"
    for what, (catalog, row, condition) in _CATALOGS.items()
)
_TABLES = """
    SELECT count(*) FROM pg_class
     WHERE relkind IN ('r', 'p', 'm') AND relpersistence <> 't'
       AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What a database's catalogs said at one moment.

    Attributes:
        tables: How many tables users have.
        catalogs: For each catalog: its name, how many rows it has, and a sum over them.
    """

    tables: int
    catalogs: tuple[tuple[str, int, str], ...]

    def difference(self, other: Look) -> list[str]:
        """The catalogs that differ, by name."""
        return [
            mine[0]
            for mine, theirs in zip(self.catalogs, other.catalogs, strict=True)
            if mine != theirs
        ]


def look(target: Settings) -> Look:
    """Note what the database is like: which objects, in which files, changed when.

    Reads the catalogs only; a change of rows alone is not seen.

    Raises:
        ServerError: The database can't be asked.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with closing(connect(target, application_name="pgconsole look")) as connection:
        try:
            connection.execute(f"SET statement_timeout = '{_LOOK_TIMEOUT}'")
            row = connection.execute(_TABLES).fetchone()
            catalogs = connection.execute(_LOOK).fetchall()
        except psycopg.Error as error:
            raise query_failure(target, error) from error
    assert row is not None
    return Look(row[0], tuple(catalogs))


def look_again(target: Settings, before: Look) -> tuple[bool | None, str]:
    """After a restore that did not get to its end: is the database as it was?

    Waits for the session of psql to be over first: only then nothing can be committed any more.

    Args:
        target: The database.
        before: What it was like.

    Returns:
        Whether it is as it was (None if nobody can say), and the words for it.
    """
    deadline = time.monotonic() + _REACHING_TAKES
    while True:
        try:
            end_restoring(target)
            after = look(target)
            break
        except ServerError as error:
            if time.monotonic() > deadline:
                return None, (
                    "whether the target is as it was is unknown: "
                    f"it can't be looked at ({error.problem}: {error.cause})"
                )
            time.sleep(_BETWEEN_TRIES)
    if changed := before.difference(after):
        return False, (
            f"the target is not as it was: its {', '.join(changed)} have changed since the "
            "restore began, by the restore or by others"
        )
    return True, (
        f"the target is as it was (looked: {after.tables} tables, the same objects in the same "
        "files)"
    )
