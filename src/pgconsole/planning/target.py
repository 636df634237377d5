"""What the database is that would be restored over."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.backups.restore_sessions import missing_database_explained
from pgconsole.dumps.naming import check_database_name
from pgconsole.errors import BusyError
from pgconsole.postgres.grants import with_grants
from pgconsole.postgres.relations import PLANNING, Kind, Relation, Relations, relations_of
from pgconsole.postgres.server import ServerInfo, probe, work_on
from pgconsole.postgres.sessions import Sessions, sessions_of
from pgconsole.settings import Settings

_ASKING = (PLANNING, "pgconsole look", "pgconsole probe", "pgconsole sessions")


@dataclass(frozen=True, slots=True)
class Target:
    """A database that was looked at.

    Attributes:
        database: Its name.
        server: What its server says of itself.
        busy: Who works on it, from this host or another; None if nobody does.
        sessions: Who else is connected.
        granted: How many of its tables, views and sequences others may use, or own.
        relations: Its tables, with estimates of their rows.
    """

    database: str
    server: ServerInfo
    busy: BusyError | None
    sessions: Sessions
    granted: int
    relations: Relations

    @property
    def tables(self) -> tuple[Relation, ...]:
        """The tables whose rows are counted: each row lies in one ordinary table."""
        return tuple(one for one in self.relations.all if one.kind is Kind.TABLE)


def look_at_target(settings: Settings, database: str) -> Target:
    """Ask the server about a database. Only catalogs are read.

    Args:
        settings: The server.
        database: The database.

    Raises:
        ConfigurationError: No database can be called so.
        MissingDatabaseError: There is none of this name; says how to make it.
        ServerError: The server can't be reached, or does not answer.
    """
    check_database_name(database)
    target = settings.model_copy(update={"pgdatabase": database})
    with missing_database_explained(target):
        server = probe(target)
    return Target(
        database=database,
        server=server,
        busy=work_on(target),
        sessions=_of_others(sessions_of(target)),
        granted=with_grants(target),
        relations=relations_of(target),
    )


def _of_others(sessions: Sessions) -> Sessions:
    """Without ours that only ask something and are gone in a moment."""
    return Sessions(tuple(one for one in sessions.by_application if one[0] not in _ASKING))
