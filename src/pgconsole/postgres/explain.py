"""What a failed connection means, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from pgconsole.errors import MissingDatabaseError, ServerError
from pgconsole.settings import Settings


class _Meaning(NamedTuple):
    """Which words, all of them in the message, mean what. Texts are filled from the settings."""

    words: tuple[str, ...]
    problem: str
    cause: str
    fix: str
    error: type[ServerError] = ServerError


_UNREACHABLE = "PostgreSQL at {where} is not reachable"
_REFUSES = "PostgreSQL at {where} refuses the connection"

# The first that matches is taken. The server's own words are English unless lc_messages says
# otherwise; what is not recognised is passed on as it is.
_MEANINGS = (
    *(
        _Meaning(
            (words,),
            _REFUSES,
            "pg_hba.conf has no line that lets user {user} into database {database} from here",
            "add such a line to pg_hba.conf on the server and reload it",
        )
        for words in ("no pg_hba.conf entry", "pg_hba.conf rejects")
    ),
    _Meaning(
        ("no password supplied",),
        "PostgreSQL at {where} wants a password for user {user}",
        "none is set",
        "set PGPASSWORD",
    ),
    _Meaning(
        ("authentication failed",),
        "PostgreSQL at {where} refuses user {user}",
        "the password is wrong, or there is no such role",
        "correct PGUSER and PGPASSWORD",
    ),
    _Meaning(
        ('fatal:  role "', "does not exist"),
        "PostgreSQL at {where} refuses user {user}",
        "there is no such role",
        "correct PGUSER, or create the role",
    ),
    _Meaning(
        ('fatal:  database "', "does not exist"),
        "Database {database} does not exist on {where}",
        "no database has this name; names are case-sensitive",
        "correct PGDATABASE (`psql -l` lists the names)",
        MissingDatabaseError,
    ),
    _Meaning(
        ("permission denied for database",),
        "User {user} may not connect to database {database} on {where}",
        "the CONNECT privilege is missing",
        "GRANT CONNECT ON DATABASE ... TO ... on the server",
    ),
    _Meaning(
        ("is not currently accepting connections",),
        "Database {database} on {where} accepts no connections",
        "it was closed with ALLOW_CONNECTIONS false",
        "ALTER DATABASE ... WITH ALLOW_CONNECTIONS true",
    ),
    *(
        _Meaning(
            (words,),
            "PostgreSQL at {where} has no free connection",
            "its limit of connections is used up",
            "end idle sessions, or raise max_connections or the limit of role or database",
        )
        for words in ("too many clients", "remaining connection slots", "too many connections")
    ),
    *(
        _Meaning(
            (words,),
            "PostgreSQL at {where} is not ready yet",
            "it says: {message}",
            "try again in a minute; if it stays so, read the server's log",
        )
        for words in (
            "is starting up",
            "is shutting down",
            "in recovery mode",
            "not yet accepting connections",
        )
    ),
    _Meaning(
        ("connection refused",),
        _UNREACHABLE,
        "nothing listens there (connection refused)",
        "check that PostgreSQL runs and that PGHOST and PGPORT are right",
    ),
    *(
        _Meaning(
            (words,),
            _UNREACHABLE,
            "there was no answer in time",
            "check PGHOST, the network and the firewall",
        )
        for words in ("timeout expired", "timed out", "no route to host", "network is unreachable")
    ),
    *(
        _Meaning(
            (words,),
            _UNREACHABLE,
            "the host name is not known",
            "correct PGHOST, or the name service",
        )
        for words in (
            "could not translate host name",
            "failed to resolve host",
            "name or service not known",
            "name resolution",
        )
    ),
    _Meaning(
        ("no such file or directory",),
        _UNREACHABLE,
        "there is no socket of a server in that directory",
        "check that PostgreSQL runs and that PGHOST and PGPORT are right",
    ),
)


def explain_connection_failure(settings: Settings, message: str) -> ServerError:
    """Turn libpq's message into problem, cause and fix.

    Args:
        settings: Where the connection went.
        message: libpq's or the server's words.
    """
    lowered = message.lower()
    facts = {
        "where": where(settings),
        "user": repr(settings.pguser),
        "database": repr(settings.pgdatabase),
        "message": last_words(message),
    }
    for meaning in _MEANINGS:
        if all(word in lowered for word in meaning.words):
            return meaning.error(
                meaning.problem.format(**facts),
                cause=meaning.cause.format(**facts),
                fix=meaning.fix,
            )
    return ServerError(
        _UNREACHABLE.format(**facts),
        cause=last_words(message),
        fix="check PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE",
    )


def where(settings: Settings) -> str:
    """The server as `host:port`; an IPv6 address in brackets."""
    host = f"[{settings.pghost}]" if ":" in settings.pghost else settings.pghost
    return f"{host}:{settings.pgport}"


def last_words(message: str) -> str:
    """The telling line of a multi-line message: the server's FATAL or ERROR, else the last."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    for line in reversed(lines):
        for mark in ("FATAL:", "ERROR:"):
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else "no reason was given"
