r"""What psql is fed of a dump: everything that was scanned, but for a few places.

Left out are

- the dump's own `\restrict` and `\unrestrict`: ours is in force;
- the `BEGIN;` and `COMMIT;` around its large objects, which would end psql's transaction half-way;
- the drops of constraints that go with another one anyway. PostgreSQL refuses those, so a dump made
  with `--clean` could not replace a partitioned table that has a primary key.

Put in is what keeps psql from reading something else than pg_dump wrote: a backslash before a colon
that it would take for the beginning of one of its variables (`a[1:"USER"]`), and quotes around a
name `begin` that it would take for the beginning of a function's body.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pgconsole.backups.script_log import ScriptLog
from pgconsole.dumps.copystatement import CopyStatement
from pgconsole.dumps.created import Created, created, dropped_constraint
from pgconsole.dumps.scanner import Boundary, Scanner
from pgconsole.dumps.sqlnotes import DumpNotes, Statement
from pgconsole.errors import RefusedError

# Longer statements are handed over before they have ended. What is left out is never so long.
_HELD = 1 << 20
_BEGIN, _QUOTED_BEGIN = b"begin", b'"begin"'

Inherited = frozenset[tuple[str, str, str]]
"""Constraints that go with another one, as schema, table and name."""


class Edit(NamedTuple):
    """A place where psql is fed something else than the dump has.

    Attributes:
        start: Offset in the dump of what is left out.
        end: Behind it.
        instead: What is put there.
    """

    start: int
    end: int
    instead: bytes


class FedNotes(DumpNotes):
    """Refuses what must not reach psql, and notes where it has to be fed something else.

    Args:
        inherited: Constraints of the target that can't be dropped by themselves.
        on_statement: Told of every statement.

    Attributes:
        edits: Where, in the dump's order.
        objects: What the dump makes.
    """

    def __init__(self, inherited: Inherited, on_statement: Callable[[Statement], None]) -> None:
        super().__init__()
        self._inherited = inherited
        self.edits: deque[Edit] = deque()
        self.objects: list[Created] = []
        self._on_statement = on_statement

    def command(self, offset: int, text: bytes) -> None:
        """Leave out pg_dump's own commands, and refuse all others."""
        super().command(offset, text)
        latest = self.commands[-1]
        if not latest.from_pg_dump or latest.offset != offset:
            shown = text.decode("utf-8", "backslashreplace").strip()
            raise refused(f"the command {shown!r}", offset)
        self.edits.append(Edit(offset, offset + len(text.rstrip()), b""))

    def foreign(self, offset: int, text: bytes, why: str) -> None:
        """Refuse it."""
        super().foreign(offset, text, why)
        raise refused(f"{self.foreigners[-1].text!r}, {why}", offset)

    def colon(self, offset: int) -> None:
        """Let psql take the colon as it is."""
        self.edits.append(Edit(offset, offset, b"\\"))

    def misread(self, offset: int) -> None:
        """Quote the name: psql counts only what is not quoted."""
        super().misread(offset)
        self.edits.append(Edit(offset, offset + len(_BEGIN), _QUOTED_BEGIN))

    def statement(self, statement: Statement, copy: CopyStatement | None) -> None:
        """Leave out the ends of transactions, and note what is made."""
        super().statement(statement, copy)
        if statement.for_transaction or dropped_constraint(statement) in self._inherited:
            self.edits.append(Edit(statement.start, statement.end, b""))
        elif (made := created(statement)) is not None:
            self.objects.append(made)
        self._on_statement(statement)


class Fed(NamedTuple):
    """A piece that psql may have.

    Attributes:
        data: Its bytes.
        newlines: Of rows, how many end in it; 0 for SQL.
        ended: The section that ends with it, if one does.
    """

    data: bytes | memoryview
    newlines: int
    ended: Boundary | None


class Feed:
    """Turns the pieces of a dump into what psql is fed, line by line the same.

    Args:
        inherited: See `FedNotes`.

    Attributes:
        scanner: Reads the dump along.
        objects: What the dump makes.
        log: What psql works on.
    """

    def __init__(self, inherited: Inherited = frozenset()) -> None:
        notes = FedNotes(inherited, self._statement)
        self.scanner = Scanner(notes)
        self.objects = notes.objects
        self.log = ScriptLog()
        self._edits = notes.edits
        self._held = bytearray()
        self._base = 0  # offset in the dump of what is held
        self._piece = b""
        self._piece_base = 0
        self._lines = 0  # before `_counted`
        self._counted = 0

    def pieces(self, piece: bytes) -> Iterator[Fed]:
        """What may be handed over now that the next piece of the dump has been read.

        Nothing of it is handed over before all of it has been scanned.

        Raises:
            RefusedError: There is something in it that must not reach psql.
            DamagedError: No dump can look like this.
        """
        self._piece, self._piece_base = piece, self.scanner.offset
        in_rows = self.scanner.copy is not None
        boundaries = self.scanner.feed(piece)
        self._line_at(self._piece_base + len(piece))
        pos = 0
        for boundary in boundaries:
            end = boundary.offset - self._piece_base
            yield self._fed(pos, end, in_rows, boundary)
            in_rows = not in_rows
            pos = end
        if pos < len(piece):
            yield self._fed(pos, len(piece), in_rows, None)

    def finish(self) -> Iterator[Fed]:
        """The dump has ended: what is left of it.

        Raises:
            DamagedError: It isn't whole.
            RefusedError: See `pieces`.
        """
        for boundary in self.scanner.finish():
            yield Fed(self._take(len(self._held)), 0, boundary)

    def _fed(self, pos: int, end: int, in_rows: bool, boundary: Boundary | None) -> Fed:
        if in_rows:
            self._base = self._piece_base + end
            newlines = self._piece.count(b"\n", pos, end)
            return Fed(memoryview(self._piece)[pos:end], newlines, boundary)
        self._held += self._piece[pos:end]
        length = len(self._held)
        if boundary is None:
            # What is not settled waits, but no more of it than fits.
            length = max(self.scanner.settled - self._base, length - _HELD, 0)
        return Fed(self._take(length), 0, boundary)

    def _take(self, length: int) -> bytes:
        """The first bytes of what is held, edited."""
        taken = bytearray()
        pos = 0
        while self._edits and self._edits[0].start - self._base < length:
            edit = self._edits.popleft()
            start, end = edit.start - self._base, edit.end - self._base
            replaced = self._held[start:end]
            if edit.instead == _QUOTED_BEGIN and replaced != _BEGIN:
                raise refused(f"a name {replaced.decode()!r} that psql misreads", edit.start)
            taken += self._held[pos:start]
            taken += edit.instead
            taken += b"\n" * replaced.count(b"\n")  # line numbers stay
            pos = end
        length = max(length, pos)
        taken += self._held[pos:length]
        del self._held[:length]
        self._base += length
        return bytes(taken)

    def _statement(self, statement: Statement) -> None:
        self.log.add(self._line_at(statement.end), statement)

    def _line_at(self, offset: int) -> int:
        """How many lines of the dump lie before `offset`, in this piece and behind the last one."""
        if offset > self._counted:
            start = self._counted - self._piece_base
            self._lines += self._piece.count(b"\n", start, offset - self._piece_base)
            self._counted = offset
        return self._lines


def refused(what: str, offset: int) -> RefusedError:
    """The error for something in a dump that must not reach psql."""
    return RefusedError(
        "The dump was refused: psql would not only restore it",
        cause=f"at byte {offset} of the uncompressed dump is {what}",
        fix="restore another backup; if you trust this one, look at it and take that out",
    )
