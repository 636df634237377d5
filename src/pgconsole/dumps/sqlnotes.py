"""What the comments and backslash commands of a dump say about it."""

from __future__ import annotations

import re
from typing import NamedTuple

from pgconsole.dumps.copystatement import CopyStatement

# Bounded, so that what is kept of a longer line never looks like one: more may follow there.
_OWN_COMMAND = re.compile(rb"\\((?:un)?restrict) ([A-Za-z0-9]{1,100})\s{0,2}")
_SERVER = b"Dumped from database version "
_PG_DUMP = b"Dumped by pg_dump version "
_MAX_COMMANDS = 100
_MAX_FOREIGN = 100
_SHOWN = 100  # bytes of a foreign statement
# Statements that begin or end transactions. pg_dump writes two of them, around large objects.
_TRANSACTION = frozenset(
    {
        b"abort", b"begin", b"commit", b"end", b"prepare", b"release", b"rollback", b"savepoint",
        b"start",
    }
)  # fmt: skip
_OWN_TRANSACTION = frozenset({b"BEGIN;", b"COMMIT;"})
# The name of a setting, not one in quotes or behind a comment.
_SETTING = re.compile(rb"SET\s+(?:(?:SESSION|LOCAL)\s+)?+([a-z_.]+)(?=[\s=])", re.IGNORECASE)
# What changes how strings are read, in the forms that are followed.
_READING = frozenset({b"client_encoding", b"standard_conforming_strings", b"names"})
_FOLLOWED = re.compile(
    rb"SET\s+(?:(?:SESSION|LOCAL)\s+)?(?:standard_conforming_strings\s*(?:=|TO)\s*(?:on|off)|"
    rb"client_encoding\s*(?:=|TO)\s*'(?P<encoding>\w+)')\s*;", re.IGNORECASE
)  # fmt: skip
# In these a byte of a letter can be a quote or a backslash for one reader and none for the other.
# With PostgreSQL's other names for them (src/common/encnames.c), which ignore `_`.
_UNSAFE_ENCODINGS = frozenset(
    {
        b"big5", b"gb18030", b"gbk", b"johab", b"mskanji", b"shiftjis", b"shiftjis2004", b"sjis",
        b"uhc", b"win932", b"win936", b"win949", b"win950", b"windows932", b"windows936",
        b"windows949", b"windows950",
    }
)  # fmt: skip
_EXTENSION = re.compile(rb'CREATE EXTENSION (?:IF NOT EXISTS )?(?:"([^"]+)"|([a-z0-9_$]+))')
_MAX_EXTENSIONS = 1000


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


class Foreign(NamedTuple):
    """Something in the SQL that pg_dump doesn't write and that can't be followed safely.

    Attributes:
        offset: Where it is, bytes from the beginning of the dump.
        text: Its beginning.
        why: What it is.
    """

    offset: int
    text: str
    why: str


class Statement(NamedTuple):
    """A statement that was read to its end.

    Attributes:
        start: Offset of its first token in the dump.
        end: Offset behind its semicolon.
        first: Its first token, in lower case.
        head: Its beginning, at most 1,000 bytes.
        codec: How its text is encoded.
    """

    start: int
    end: int
    first: bytes
    head: bytes
    codec: str

    @property
    def for_transaction(self) -> bool:
        """Whether it is the BEGIN or COMMIT that pg_dump writes around large objects."""
        return self.first in _TRANSACTION and self.head in _OWN_TRANSACTION


class DumpNotes:
    r"""Header, trailer and commands of a dump, as they pass.

    Attributes:
        commands: The backslash commands so far, at most 100 of pg_dump's own and 100 others.
        foreigners: What else pg_dump does not write, at most 100.
        extensions: The extensions that the dump creates.
        server_version: From the header, or empty.
        pg_dump_version: From the header, or empty.
        has_header: Whether the dump began as pg_dump's dumps begin.
        complete: Whether pg_dump's completion comment was read and nothing followed it.
        strange_end: Why the end can't be this dump's own, and at which byte; empty if it can.
        misread_at: Where psql would take a name (`public.begin`) for the beginning of a block, and
            so not find the end of the statement: pg_dump's output that psql alone can't restore.
    """

    def __init__(self) -> None:
        self.commands: list[MetaCommand] = []
        self.foreigners: list[Foreign] = []
        self.extensions: list[str] = []
        self.server_version = ""
        self.pg_dump_version = ""
        self.has_header = False
        self.complete = False
        self.strange_end = ""
        self.misread_at: int | None = None
        self._in_header = True
        self._key = b""  # of the `\restrict` in force
        self._room = {True: _MAX_COMMANDS, False: _MAX_COMMANDS}

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
        own = match is not None
        # Each kind has its own room: no crowd of harmless ones hides another.
        if self._room[own]:
            self._room[own] -= 1
            shown = text.decode("utf-8", "backslashreplace").strip()
            self.commands.append(MetaCommand(offset, shown, own))

    def statement(self, statement: Statement, copy: CopyStatement | None) -> None:
        """A statement has ended.

        Args:
            statement: Where it is, and how it begins.
            copy: Set if rows follow it.
        """
        if statement.first == b"copy":
            if copy is None or copy.table is None:
                self.foreign(statement.start, statement.head, "a COPY that pg_dump doesn't write")
        elif statement.first == b"set":
            self._setting(statement)
        elif statement.first == b"reset":
            self.foreign(statement.start, statement.head, "a RESET, which pg_dump doesn't write")
        elif statement.first == b"create":
            self._extension(statement)
        elif statement.first in _TRANSACTION and not statement.for_transaction:
            why = "it begins or ends a transaction, and pg_dump doesn't write it"
            self.foreign(statement.start, statement.head, why)

    def _setting(self, statement: Statement) -> None:
        """Refuse what may change unseen how strings are read."""
        why = ""
        name = _SETTING.match(statement.head)
        if name is None:
            why = "a SET in a form that pg_dump doesn't write"
        elif name[1].lower() in _READING:
            followed = _FOLLOWED.fullmatch(statement.head)
            if followed is None:
                why = "it changes how strings are read, in a form that pg_dump doesn't write"
            elif _plain(followed["encoding"] or b"") in _UNSAFE_ENCODINGS:
                why = "an encoding in which a quote can't be told from a part of a letter"
        if why:
            self.foreign(statement.start, statement.head, why)

    def colon(self, offset: int) -> None:
        """Psql takes what follows the colon at `offset` for the name of one of its variables."""

    def foreign(self, offset: int, text: bytes, why: str) -> None:
        """Something that pg_dump doesn't write."""
        if len(self.foreigners) < _MAX_FOREIGN:
            shown = text[:_SHOWN].decode("utf-8", "backslashreplace")
            self.foreigners.append(Foreign(offset, shown, why))

    def _extension(self, statement: Statement) -> None:
        match = _EXTENSION.match(statement.head)
        if match and len(self.extensions) < _MAX_EXTENSIONS:
            name = match[1] or match[2]
            self.extensions.append(name.decode(statement.codec, "backslashreplace"))

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


def _plain(encoding: bytes) -> bytes:
    """The name of an encoding as PostgreSQL compares it."""
    return encoding.replace(b"_", b"").lower()
