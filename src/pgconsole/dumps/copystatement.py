"""The `COPY ... FROM stdin;` statement that precedes a table's rows."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_NAME = rb'(?:"[^"]*(?:""[^"]*)*"|[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*)'
# As pg_dump writes it: with the schema since 10.3, before that without; without columns for a
# table that has none.
_COPY = re.compile(
    rb"COPY\s+(?:(?P<schema>%(name)s)\.)?(?P<table>%(name)s)\s*"
    rb"(?:\((?P<columns>%(name)s(?:,\s*%(name)s)*)\)\s*)?\s+FROM\s+stdin\s*;" % {b"name": _NAME},
    re.IGNORECASE,
)
_EACH_NAME = re.compile(_NAME)
# What may hold the words FROM STDIN without meaning them.
_OPAQUE = re.compile(rb"\"[^\"]*\"|'[^']*'|--[^\r\n]*|/\*.*?\*/", re.DOTALL)
_FROM_STDIN = re.compile(rb"\bFROM\s+STDIN\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CopyStatement:
    """A statement after which psql reads rows.

    Attributes:
        schema: Schema, unquoted; None if the statement names none.
        table: Table, unquoted; None if the statement isn't of the form that pg_dump writes.
        columns: Columns, unquoted, in the order of the rows.
        text: The statement itself, up to its semicolon.
    """

    schema: str | None
    table: str | None
    columns: tuple[str, ...]
    text: str

    @property
    def name(self) -> str | None:
        """`schema.table`, as far as known."""
        if self.schema is None or self.table is None:
            return self.table
        return f"{self.schema}.{self.table}"


def parse_copy(statement: bytes, encoding: str) -> CopyStatement | None:
    """What a COPY statement says, or None if no rows follow it (it reads a file, or writes).

    Args:
        statement: From `COPY` to the semicolon.
        encoding: The codec of the names, as `codec_of` gives it.
    """
    text = _decode(statement, encoding)
    match = _COPY.fullmatch(statement)
    if match is None:
        reads = _FROM_STDIN.search(_OPAQUE.sub(b" ", statement))
        return CopyStatement(None, None, (), text) if reads else None
    schema, columns = match["schema"], match["columns"] or b""
    return CopyStatement(
        schema=None if schema is None else _unquoted(schema, encoding),
        table=_unquoted(match["table"], encoding),
        columns=tuple(_unquoted(name, encoding) for name in _EACH_NAME.findall(columns)),
        text=text,
    )


def codec_of(client_encoding: str) -> str:
    """Python's name of a PostgreSQL encoding; UTF-8 where there is none (SQL_ASCII)."""
    name = client_encoding.lower()
    if name.startswith("win"):
        name = "cp" + name.removeprefix("win")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _unquoted(name: bytes, encoding: str) -> str:
    if name.startswith(b'"'):
        return _decode(name[1:-1].replace(b'""', b'"'), encoding)
    # PostgreSQL folds ASCII letters; it folds others only in single-byte encodings, and pg_dump
    # quotes those.
    return _decode(name.lower(), encoding)


def _decode(text: bytes, encoding: str) -> str:
    return text.decode(encoding, "backslashreplace")
