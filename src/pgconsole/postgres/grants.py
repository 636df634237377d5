"""What of a database no backup keeps: dumps are taken with `--no-owner --no-acl`."""

from __future__ import annotations

from pgconsole.postgres.server import connect, query_failure
from pgconsole.settings import Settings

_GRANTED = """
    SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
       AND nspname <> 'information_schema' AND nspname !~ '^pg_'
       AND (relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
            OR EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee <> relowner))
"""


def with_grants(settings: Settings) -> int:
    """How many tables, views and sequences others may use, or own.

    Raises:
        ServerError: The server can't be reached, refuses us, or does not answer within seconds.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with connect(settings, application_name="pgconsole look") as connection:
        try:
            connection.execute("SET statement_timeout = '5s'")
            row = connection.execute(_GRANTED).fetchone()
        except psycopg.Error as error:
            raise query_failure(settings, error) from error
    assert row is not None
    return int(row[0])
