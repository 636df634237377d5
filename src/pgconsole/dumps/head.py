"""The SQL before a dump's first rows: what the dump needs, and what it drops and makes again.

Here pg_dump writes all its drops, all tables, views and extensions: read alone, it tells beforehand
what restoring the dump would do. It proves nothing about the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.dumps.copystatement import CopyStatement
from pgconsole.dumps.created import Created, created, dropped, dropped_constraint
from pgconsole.dumps.members import decode_all
from pgconsole.dumps.scanner import Scanner
from pgconsole.dumps.source import RangedSource
from pgconsole.dumps.sqlnotes import DumpNotes, Foreign, MetaCommand, Statement
from pgconsole.errors import DamagedError

# The kinds that share one space of names: two of them can't be called the same.
RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")
_MOST = 32 << 20  # bytes of SQL; a schema of 10,000 tables has some 10 MiB


@dataclass(frozen=True, slots=True)
class Head:
    """What that SQL says.

    Attributes:
        server_version: As pg_dump wrote it, e.g. `16.4`; may be empty.
        pg_dump_version: Likewise.
        commands: Backslash commands that psql would obey.
        foreigners: What else pg_dump doesn't write and can't be followed safely.
        extensions: The extensions that are created.
        made: What is made.
        dropped: What is dropped before: schemas, tables and the like, types, functions, extensions.
        constraints: Constraints that are dropped before, as schema, table and name.
    """

    server_version: str
    pg_dump_version: str
    commands: tuple[MetaCommand, ...]
    foreigners: tuple[Foreign, ...]
    extensions: tuple[str, ...]
    made: frozenset[Created]
    dropped: frozenset[Created]
    constraints: frozenset[tuple[str, str, str]]


def read_head(source: RangedSource) -> Head:
    """Read a dump from its front up to its first rows. No manifest is needed.

    Args:
        source: The file or object; little more than the SQL is read of it.

    Raises:
        StorageError: It can't be read.
        DamagedError: It is no dump, or there is more SQL than any schema has.
    """
    notes = _Notes()
    scanner = Scanner(notes)
    for _, piece in decode_all(source):
        if scanner.feed(piece):
            break
        if scanner.offset > _MOST:
            raise DamagedError(
                "The dump begins with more SQL than can be looked at beforehand",
                cause=f"no rows within its first {_MOST >> 20} MiB",
                fix="verify it: that reads all of it",
            )
    if not notes.has_header:
        raise DamagedError(
            "This is no dump of pg_dump",
            cause="its header is missing at byte 0",
            fix="use another backup",
        )
    return Head(
        notes.server_version, notes.pg_dump_version, tuple(notes.commands),
        tuple(notes.foreigners), tuple(notes.extensions), frozenset(notes.made),
        frozenset(notes.dropped), frozenset(notes.constraints),
    )  # fmt: skip


class _Notes(DumpNotes):
    """Remembers what is made and dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.made: set[Created] = set()
        self.dropped: set[Created] = set()
        self.constraints: set[tuple[str, str, str]] = set()

    def statement(self, statement: Statement, copy: CopyStatement | None) -> None:
        super().statement(statement, copy)
        if (made := created(statement)) is not None:
            self.made.add(made)
        elif (gone := dropped(statement)) is not None:
            self.dropped.add(gone)
        elif (constraint := dropped_constraint(statement)) is not None:
            self.constraints.add(constraint)
