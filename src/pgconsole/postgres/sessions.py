"""Who else is connected to a database: a restore has to wait for them, or to cut them off."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.errors import ServerError
from pgconsole.postgres.explain import last_words, where
from pgconsole.postgres.server import connect
from pgconsole.settings import Settings

# pg_stat_activity shows every session to everybody; what kind it is, and what it runs, is hidden
# from strangers. The server's own workers have no user.
_SESSIONS = """
    SELECT coalesce(nullif(application_name, ''), usename, '?'), count(*)
      FROM pg_stat_activity
     WHERE datname = %s AND pid <> pg_backend_pid() AND usename IS NOT NULL
       AND coalesce(backend_type, 'client backend') = 'client backend'
     GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Other sessions of one database.

    Attributes:
        by_application: Application name (else the user's), and how many sessions; most first.
    """

    by_application: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(count for _, count in self.by_application)


def sessions_of(settings: Settings) -> Sessions:
    """The sessions of the configured database, but for this one.

    Raises:
        ServerError: The server can't be reached, refuses us, or does not answer within seconds.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    with connect(settings, application_name="pgconsole sessions") as connection:
        try:
            connection.execute("SET statement_timeout = '5s'")
            rows = connection.execute(_SESSIONS, [settings.pgdatabase]).fetchall()
        except psycopg.Error as error:
            raise ServerError(
                f"PostgreSQL at {where(settings)} did not say who is connected",
                cause=last_words(str(error)),
                fix="ask pg_stat_activity yourself",
            ) from error
    return Sessions(tuple((str(name), int(count)) for name, count in rows))
