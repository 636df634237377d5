"""What the comments and backslash commands of a dump say about it."""

from __future__ import annotations

import re
from typing import NamedTuple

_OWN_COMMAND = re.compile(rb"\\((?:un)?restrict) ([A-Za-z0-9]+)\s*")
_SERVER = b"Dumped from database version "
_PG_DUMP = b"Dumped by pg_dump version "
_MAX_COMMANDS = 100


class MetaCommand(NamedTuple):
    r"""A backslash command that psql would obey.

    Attributes:
        offset: Where its backslash is, bytes from the beginning of the dump.
        text: The command to the end of its line, cut after 200 bytes.
        from_pg_dump: Whether pg_dump writes it itself (`\restrict KEY`, `\unrestrict KEY`).
    """

    offset: int
    text: str
    from_pg_dump: bool


class DumpNotes:
    r"""Header, trailer and commands of a dump, as they pass.

    Attributes:
        commands: The backslash commands so far, at most 100.
        server_version: From the header, or empty.
        pg_dump_version: From the header, or empty.
        has_header: Whether the dump began as pg_dump's dumps begin.
        complete: Whether pg_dump's completion comment was read and nothing followed it.
        strange_end: Why the end can't be this dump's own, and at which byte; empty if it can.
        misread_at: Where psql would take a name (`public.begin`) for the beginning of a block, and
            so not find the end of the statement: pg_dump's output that psql can't restore.
    """

    def __init__(self) -> None:
        self.commands: list[MetaCommand] = []
        self.server_version = ""
        self.pg_dump_version = ""
        self.has_header = False
        self.complete = False
        self.strange_end = ""
        self.misread_at: int | None = None
        self._in_header = True
        self._key = b""  # of the `\restrict` in force

    @property
    def restricted(self) -> bool:
        r"""Whether a `\restrict` waits for its `\unrestrict`, which pg_dump writes last."""
        return self._key != b""

    def token(self, offset: int) -> None:
        """A token of a statement was read: the header is over, and no trailer was the end."""
        self._in_header = False
        self._interrupt(offset)

    def comment(self, text: bytes) -> None:
        """A line comment between statements, without its dashes."""
        text = text.strip()
        if text == b"PostgreSQL database dump complete":
            self.complete = True
        elif not self._in_header:
            return
        elif text == b"PostgreSQL database dump":
            self.has_header = True
        elif text.startswith(_SERVER):
            self.server_version = text.removeprefix(_SERVER).decode("ascii", "replace")
        elif text.startswith(_PG_DUMP):
            self.pg_dump_version = text.removeprefix(_PG_DUMP).decode("ascii", "replace")

    def command(self, offset: int, text: bytes) -> None:
        """A backslash command, from its backslash to the end of its line."""
        match = _OWN_COMMAND.fullmatch(text)
        if match is None:
            self._interrupt(offset)
        elif match[1] == b"restrict":
            self._key = match[2]
        else:
            if match[2] != self._key:
                self._strange(f"the key at byte {offset} is not that of its `\\restrict`")
            self._key = b""
        if len(self.commands) < _MAX_COMMANDS:
            shown = text.decode("utf-8", "backslashreplace").strip()
            self.commands.append(MetaCommand(offset, shown, match is not None))

    def misread(self, offset: int) -> None:
        """Psql would lose its way at `offset`; the first place counts."""
        if self.misread_at is None:
            self.misread_at = offset

    def _interrupt(self, offset: int) -> None:
        r"""Something follows; nothing but `\unrestrict` may follow the completion comment."""
        if self.complete:
            self._strange(f"something follows pg_dump's completion comment at byte {offset}")
        self.complete = False

    def _strange(self, why: str) -> None:
        self.strange_end = self.strange_end or why
