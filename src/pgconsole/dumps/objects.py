"""The objects that a dump makes, by the comments that pg_dump writes before each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pgconsole.dumps.copystatement import codec_of
from pgconsole.dumps.copytext import client_encoding
from pgconsole.dumps.reader import DumpReader
from pgconsole.dumps.sqllexer import SqlLexer
from pgconsole.dumps.sqlnotes import DumpNotes

# `Data for Name` precedes the rows of a table, `Statistics for Name` what PostgreSQL 18 dumps.
_TITLE = re.compile(
    rb"(?P<what>Name|Data for Name|Statistics for Name): (?P<name>.*); Type: (?P<kind>[A-Z ]+);"
    rb" Schema: (?P<schema>.*?); Owner: .*"
)
_NO_SCHEMA = "-"
_DASHES = b"--"
_RULE = b"--\n"  # the line above and below a title
_LAST = b"PostgreSQL database dump complete"
_ROWS = "TABLE DATA"
_EMPTY = 2  # bytes
_HEADER = 1 << 14  # bytes; the encoding is among the first lines
HEAD = "beginning"
"""The kind of what precedes the first object: settings, and the DROPs of `--clean`."""


class SqlObject(NamedTuple):
    """One object, and where its SQL is.

    Attributes:
        kind: As pg_dump calls it, e.g. `TABLE`, `INDEX`, `FK CONSTRAINT`; or `HEAD`.
        schema: Its schema, or empty.
        name: Its name; for what belongs to a table, `table name`.
        place: The section that it is in, counted from 0.
        start: Where it begins in that section, bytes.
        end: Where it ends there; an object never spans sections.
    """

    kind: str
    schema: str
    name: str
    place: int
    start: int
    end: int

    @property
    def full_name(self) -> str:
        """`schema.name`, or the name of what is in no schema."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def objects(reader: DumpReader) -> Iterator[SqlObject]:
    """All objects in the dump's order but the rows of tables. Only SQL is read, as it is asked for.

    Raises:
        StorageError: The source can't be read.
        DamagedError: It is no dump, or not the manifest's.
    """
    titles = _Titles()
    lexer = SqlLexer(titles)
    titles.lexer = lexer
    starts = [0]
    for section in reader.sections:
        starts.append(starts[-1] + section.raw_bytes)
    inside = -1
    carry = b""
    base = 0
    for place, piece in reader.sql():
        if place != inside:
            if inside >= 0:
                titles.leave(starts[inside + 1])
            lexer.copy = None  # its rows were passed over
            inside, carry, base = place, b"", starts[place]
            titles.enter(place, base)
        text = carry + piece
        used = lexer.scan(text, base)
        carry = text[used:]
        base += used
        yield from titles.take()
    if inside >= 0:
        lexer.scan(carry, base, final=True)
        titles.leave(starts[inside + 1])
        yield from titles.take()


def sql(reader: DumpReader, found: SqlObject) -> Iterator[bytes]:
    """The SQL of an object, with the comment that names it, in pieces of at most 256 KiB.

    Raises:
        StorageError: The source can't be read.
        DamagedError: It is not the manifest's.
    """
    skip, left = found.start, found.end - found.start
    for piece in reader.raw(reader.sections[found.place]):
        wanted = piece[skip : skip + left]
        skip = max(0, skip - len(piece))
        left -= len(wanted)
        if wanted:
            yield wanted
        if not left:
            return


def codec(reader: DumpReader) -> str:
    """Python's name of the encoding that the dump is in.

    Raises:
        StorageError: The source can't be read.
        DamagedError: It is not the manifest's.
    """
    head = b""
    for piece in reader.raw(reader.sections[0]):
        head += piece
        if len(head) >= _HEADER:
            break
    return codec_of(client_encoding(head[:_HEADER]))


class _Titles(DumpNotes):
    """Notes where objects begin."""

    lexer: SqlLexer  # tells where it is

    def __init__(self) -> None:
        super().__init__()
        self._found: list[SqlObject] = []
        self._open: SqlObject | None = None
        self._place = self._base = 0
        self._rule_end = -1

    def enter(self, place: int, base: int) -> None:
        """A section of SQL begins."""
        self._place, self._base = place, base
        self._open = SqlObject(HEAD, "", "", place, 0, 0)

    def leave(self, at: int) -> None:
        """It ends at this offset of the dump."""
        self._close(at)

    def take(self) -> list[SqlObject]:
        """The objects that have ended since the last call."""
        found, self._found = self._found, []
        return found

    def comment(self, text: bytes) -> None:
        """A title begins an object; the line above it belongs to it."""
        super().comment(text)
        end = self.lexer.settled
        start = end - len(text) - len(_DASHES)
        stripped = text.strip()
        if not stripped:
            self._rule_end = end
        title = _TITLE.fullmatch(stripped)
        if title is None and stripped != _LAST:
            return
        if self._rule_end == start:
            start -= len(_RULE)
        self._close(start)
        if title is not None:
            names = title["kind"], title["schema"], title["name"]
            kind, schema, name = (part.decode("utf-8", "backslashreplace") for part in names)
            schema = "" if schema == _NO_SCHEMA else schema
            self._open = SqlObject(kind, schema, name, self._place, start - self._base, 0)

    def _close(self, at: int) -> None:
        ended, self._open = self._open, None
        if ended is None or ended.kind == _ROWS:
            return
        ended = ended._replace(end=at - self._base)
        # After rows there is an empty line.
        if ended.kind != HEAD or ended.end - ended.start > _EMPTY:
            self._found.append(ended)
