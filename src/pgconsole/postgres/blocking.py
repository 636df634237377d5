"""What one of our sessions waits for: the sessions in its way, and what they last said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pgconsole.postgres.server import visit
from pgconsole.redact import MASK
from pgconsole.settings import Settings

if TYPE_CHECKING:
    import psycopg

_MOST = 8  # sessions; who looks for the one to end needs no longer list
_SHOWN = 3  # of them, in a sentence
_QUERY_SHOWN = 100  # characters; more are fetched: a password is masked before the text is cut
_HIDDEN = "<insufficient privilege>"

_BLOCKING = "SELECT pg_blocking_pids(%s)"
_BLOCKERS = """
    SELECT pid, usename, application_name, state, left(query, 300), xact_start,
           pg_blocking_pids(pid)
      FROM pg_stat_activity
     WHERE pid = ANY(%s)
     ORDER BY xact_start, pid
"""
# A name that somebody else's client took as well is no reason to speak of that one.
_OURS = """
    SELECT a.pid, state, wait_event_type, wait_event, left(query, 300),
           (SELECT relation::regclass::text
              FROM pg_locks
             WHERE pg_locks.pid = a.pid AND NOT granted AND locktype = 'relation' LIMIT 1)
      FROM pg_stat_activity a
     WHERE datname = current_database() AND usename = session_user AND application_name = %s
     ORDER BY backend_start DESC LIMIT 1
"""
_PASSWORD = re.compile(r"(?i)(\bpassword\b[\s=]*)(?:[eun]&?)?'(?:[^'\\]|''|\\.)*'?")


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that holds a lock that another one waits for, or is before it in the queue.

    Attributes:
        pid: Its process on the server; 0 is a prepared transaction, which has none.
        user: Its role.
        application: What its client calls itself; may be empty.
        state: As `pg_stat_activity` has it; None if it is hidden from us.
        query: What it runs, or ran last. May be hidden too.
        since: When its transaction began.
        waits_for: The processes that it waits for itself.
    """

    pid: int
    user: str | None = None
    application: str | None = None
    state: str | None = None
    query: str | None = None
    since: datetime | None = None
    waits_for: tuple[int, ...] = ()

    def in_words(self) -> str:
        """For the log."""
        if self.pid == 0:
            return "a prepared transaction (see pg_prepared_xacts)"
        who = f"{self.application} of {self.user}" if self.application else f"user {self.user}"
        facts = [who, self.state or "unknown state"]
        if self.since is not None:
            facts.append(f"in a transaction since {self.since.astimezone(UTC):%F %T} UTC")
        if self.waits_for:
            facts.append(f"itself behind process {', '.join(map(str, self.waits_for))}")
        facts.append(f"last statement: {statement(self.query)}")
        return f"process {self.pid} ({', '.join(facts)})"


@dataclass(frozen=True, slots=True)
class Wait:
    """What a session of ours is at.

    Attributes:
        pid: Its process on the server.
        relation: The table or other relation that it waits to lock.
        blockers: Who is in its way; those that these wait for come after them.
        doing: State, wait event and statement, in words.
    """

    pid: int
    relation: str | None
    blockers: tuple[Blocker, ...]
    doing: str

    def in_words(self, tool: str) -> str:
        """Why `tool`, whose session it is, gets nothing.

        Args:
            tool: E.g. `pg_dump`.
        """
        if not self.blockers:
            return f"no lock is in the way of {tool}; its session is {self.doing}"
        on = f" on {self.relation}" if self.relation else ""
        shown = "; ".join(blocker.in_words() for blocker in self.blockers[:_SHOWN])
        more = len(self.blockers) - _SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        return f"{tool} waits for a lock{on}, blocked by {shown}{rest}"


def wait_of(settings: Settings, application: str) -> Wait | None:
    """What the newest session with this application name, database and user waits for.

    Returns:
        None if the server has no such session.

    Raises:
        ServerError: The server can't be reached, or does not answer.
    """
    with visit(settings, "pgconsole watch") as connection:
        row = connection.execute(_OURS, [application]).fetchone()
        if row is None:
            return None
        pid, state, kind, event, query, relation = row
        blockers = tuple(blockers_of(connection, pid))
    at = f" ({kind}/{event})" if event else ""
    return Wait(pid, relation, blockers, f"{state}{at}, statement: {statement(query)}")


def blockers_of(connection: psycopg.Connection[Any], pid: int) -> list[Blocker]:
    """Who is in the way of a process, nearest first, and who is in the way of those.

    Raises:
        psycopg.Error: The server did not answer.
    """
    row = connection.execute(_BLOCKING, [pid]).fetchone()
    found: dict[int, Blocker] = {}
    wanted = set(row[0]) if row else set()
    while wanted and len(found) < _MOST:
        if 0 in wanted:
            found[0] = Blocker(0)
        nearest = [_blocker(*each) for each in connection.execute(_BLOCKERS, [sorted(wanted)])]
        found |= {blocker.pid: blocker for blocker in nearest}
        wanted = {each for blocker in nearest for each in blocker.waits_for} - found.keys() - {pid}
    return list(found.values())[:_MOST]


def statement(query: str | None) -> str:
    """A statement as one short line, without the passwords that are written in it."""
    if not query:
        return "none"
    if query == _HIDDEN:
        return "hidden from this user (pg_read_all_stats shows it)"
    masked = _PASSWORD.sub(rf"\1'{MASK}'", " ".join(query.split()))
    return masked if len(masked) <= _QUERY_SHOWN else masked[: _QUERY_SHOWN - 1] + "…"


def _blocker(
    pid: int,
    user: str | None,
    application: str | None,
    state: str | None,
    query: str | None,
    since: datetime | None,
    waits_for: list[int],
) -> Blocker:
    return Blocker(pid, user, application, state, query, since, tuple(sorted(set(waits_for))))
