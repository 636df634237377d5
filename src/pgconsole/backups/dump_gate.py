"""What a dump must not hold, and what psql must be able to do, before anything is dropped."""

from __future__ import annotations

import re
from typing import Protocol

from pgconsole.backups.psql_feed import refused
from pgconsole.dumps.manifest import Section
from pgconsole.dumps.sqlnotes import Foreign, MetaCommand
from pgconsole.errors import RefusedError, ToolError
from pgconsole.postgres.tools import Tool, installed_tools

# The first minor version of each major one that knows `\restrict` (release notes of August 2025).
# psql 13 and 14 have versions that do, but commit when their input ends within an `\if`.
_RESTRICTED_SINCE = {15: 14, 16: 10, 17: 6}
_VERSION = re.compile(r"(\d+)(?:\.(\d+))?")
_MAJOR = re.compile(r"\d+")


class Outline(Protocol):
    """What decides whether a dump can be restored somewhere; of one that was read whole, all."""

    @property
    def server_version(self) -> str:
        """Of the server that it was taken from; may be empty."""
        ...

    @property
    def sections(self) -> tuple[Section, ...]:
        """Its sections."""
        ...

    @property
    def commands(self) -> tuple[MetaCommand, ...]:
        """All backslash commands."""
        ...

    @property
    def foreigners(self) -> tuple[Foreign, ...]:
        """What else pg_dump doesn't write."""
        ...

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that it creates."""
        ...


def can_be_restricted(psql: Tool) -> bool:
    r"""Whether psql knows `\restrict`, with which no dump can make it run a command."""
    match = _VERSION.match(psql.version)
    if match is None:
        return False
    if psql.major not in _RESTRICTED_SINCE:
        return psql.major > max(_RESTRICTED_SINCE)
    return int(match[2] or 0) >= _RESTRICTED_SINCE[psql.major]


def choose_psql(server_major: int) -> Tool:
    r"""The psql to restore with: knows `\restrict`, and is as near to the server as there is.

    Args:
        server_major: The server's major version.

    Raises:
        ToolError: There is none. Says which would do.
    """
    tools = installed_tools("psql")
    fitting = [tool for tool in tools if can_be_restricted(tool)]
    if fitting:
        newer = [tool for tool in fitting if tool.major >= server_major]
        return min(newer or fitting, key=lambda tool: abs(tool.major - server_major))
    if not tools:
        raise ToolError(
            "psql is not installed",
            cause="it is neither on PATH nor where packages put it",
            fix=f"install the client tools of PostgreSQL {server_major} or newer",
        )
    raise _too_old(tools[0])


def refuse_unsafe(dump: Outline, psql: Tool, server_major: int) -> None:
    """Refuse a dump that can't be restored safely, or not at all.

    Args:
        dump: What is known of it.
        psql: What would restore it.
        server_major: The major version of the target's server.

    Raises:
        RefusedError: It was refused: says why, where, and what to do.
        ToolError: psql is too old.
    """
    foreign = _foreign_command(dump.commands)
    if foreign is not None:
        hint = "; it was made with --create" if foreign.text.startswith("\\connect") else ""
        raise refused(f"the command {foreign.text!r}{hint}", foreign.offset)
    if dump.foreigners:
        first = dump.foreigners[0]
        raise refused(f"{first.text!r}, {first.why}", first.offset)
    if not can_be_restricted(psql):
        raise _too_old(psql)
    dumped = _MAJOR.match(dump.server_version)
    if dumped and int(dumped[0]) > server_major:
        raise RefusedError(
            f"The dump is of PostgreSQL {dump.server_version}, the server is older",
            cause=f"the target's server is PostgreSQL {server_major}, which need not understand "
            "what a newer one wrote",
            fix=f"restore on a server of PostgreSQL {dumped[0]} or newer",
        )


def _foreign_command(commands: tuple[MetaCommand, ...]) -> MetaCommand | None:
    """The first command that pg_dump would not have written, or not there."""
    own = [command for command in commands if command.from_pg_dump]
    for command in commands:
        if not command.from_pg_dump:
            return command
    words = [command.text.split() for command in own]
    expected = [["\\restrict", words[0][1]], ["\\unrestrict", words[0][1]]] if words else []
    for command, found, right in zip(own, words, expected, strict=False):
        if found != right:
            return command
    return own[2] if len(own) > 2 else None


def _too_old(psql: Tool) -> ToolError:
    versions = ", ".join(f"{major}.{minor}" for major, minor in _RESTRICTED_SINCE.items())
    return ToolError(
        f"psql {psql.version} ({psql.path}) is too old to restore with",
        cause="it does not know \\restrict, so a dump could make it run commands, and new dumps "
        "begin with \\restrict",
        fix=f"update the client tools: {versions}, 18 and newer do",
    )
