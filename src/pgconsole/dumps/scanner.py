r"""Splits the SQL stream of pg_dump's plain format into sections, as it passes by.

A section ends after each COPY line that rows follow, and after each `\.` line that ends rows.
Within rows only that line is searched for; everything else is read token by token.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from pgconsole.dumps.copystatement import CopyStatement
from pgconsole.dumps.manifest import SectionKind
from pgconsole.dumps.sqllexer import SqlLexer
from pgconsole.dumps.sqlnotes import DumpNotes
from pgconsole.errors import DamagedError

# psql ends the rows at such a line, also if it ends like one of Windows. Searched for as a regular
# expression this takes half the time of bytes.find, measured on short, long and escaped rows.
MARKER = re.compile(rb"\n\\\.\r?\n")
_MARKER_BEGIN = b"\n\\."
_MARKER_TAIL = 4  # bytes of a marker that may lie in the chunk before
# SQL is copied for the lexer, this much at a time: with a table of few rows every few hundred
# bytes, whole chunks would be copied over and over.
_WINDOW = 1 << 16


class Boundary(NamedTuple):
    """A section ends.

    Attributes:
        offset: The offset behind the section's last byte, bytes from the beginning of the dump.
        kind: What the section is.
        copy: For DATA, the statement that its rows belong to.
    """

    offset: int
    kind: SectionKind
    copy: CopyStatement | None


class Scanner:
    """Finds the sections of a dump that is fed in chunks of any size. Memory is bounded.

    Args:
        notes: Is told what is read; None for notes that only remember.

    Attributes:
        offset: Bytes fed so far.
        copy: The COPY statement whose rows are passing, or None within SQL.
    """

    def __init__(self, notes: DumpNotes | None = None) -> None:
        self.offset = 0
        self.copy: CopyStatement | None = None
        self._lexer = SqlLexer(notes)
        self._carry = b""  # SQL that could not be judged yet
        self._tail = b""  # the last bytes of the rows so far
        self._kind = SectionKind.BEFORE
        self._section_start = 0

    @property
    def notes(self) -> DumpNotes:
        """What the dump says about itself: versions, commands, header and trailer."""
        return self._lexer.notes

    @property
    def settled(self) -> int:
        """Offset behind the last statement, comment or command that has ended."""
        return self._lexer.settled

    def warnings(self) -> tuple[str, ...]:
        """What an operator should know about a dump that is whole."""
        at = self.notes.misread_at
        if at is None:
            return ()
        return (
            f"psql by itself can't restore this dump: at byte {at} it takes a name for the BEGIN "
            "of a function body; pgconsole can, or rename the function or column called `begin`",
        )

    def feed(
        self, chunk: bytes | bytearray, start: int = 0, end: int | None = None
    ) -> list[Boundary]:
        """Read the next bytes of the dump, `chunk[start:end]`.

        Returns:
            The sections that end within them.

        Raises:
            DamagedError: No dump can look like this.
        """
        end = len(chunk) if end is None else end
        base = self.offset - start  # offset of chunk[0]
        if (zero := chunk.find(b"\0", start, end)) >= 0:
            raise no_text(base + zero)
        found: list[Boundary] = []
        pos = start
        while pos < end:
            in_rows = self.copy is not None
            stop = self._rows(chunk, pos, end) if in_rows else self._sql(chunk, pos, end)
            pos = end if stop is None else stop
            self.offset = base + pos
            if stop is not None:
                found.append(self._cut())
        return found

    def skip_rows(self, length: int) -> None:
        r"""Pass over whole rows that were looked at elsewhere.

        Args:
            length: Their bytes, without the `\.` line, which is to be fed next.
        """
        assert self.copy is not None
        self.offset += length
        self._tail = b"\n"

    def _cut(self) -> Boundary:
        """The section that ends here; the other kind begins."""
        boundary = Boundary(self.offset, self._kind, self.copy)
        if self.copy is None:
            self.copy, self._lexer.copy = self._lexer.copy, None
            self._kind = SectionKind.DATA
            self._tail = b"\n"  # rows begin at the beginning of a line
        else:
            self.copy = None
            self._kind = SectionKind.BETWEEN
        self._section_start = self.offset
        return boundary

    def _sql(self, chunk: bytes | bytearray, pos: int, end: int) -> int | None:
        """Read SQL; the position after a COPY line, or None if the chunk ends before."""
        while pos < end:
            carried = len(self._carry)
            text = self._carry + chunk[pos : min(end, pos + _WINDOW)]
            used = self._lexer.scan(text, self.offset - carried)
            if self._lexer.copy is not None:
                self._carry = b""
                return pos + used - carried
            self._carry = bytes(text[used:])
            read = len(text) - carried
            pos += read
            self.offset += read
        return None

    def _rows(self, chunk: bytes | bytearray, pos: int, end: int) -> int | None:
        r"""Search the end of the rows; the position after the `\.` line, or None."""
        window = self._tail + chunk[pos : min(end, pos + _MARKER_TAIL)]
        match = MARKER.search(window)
        if match and match.start() < len(self._tail):
            return pos + match.end() - len(self._tail)
        match = MARKER.search(chunk, pos, end)
        if match:
            return match.end()
        self._tail = (self._tail + chunk[max(pos, end - _MARKER_TAIL) : end])[-_MARKER_TAIL:]
        return None

    def finish(self) -> list[Boundary]:
        """The end of the dump was reached.

        Returns:
            The last section, if it has any bytes.

        Raises:
            DamagedError: The dump is empty, none of pg_dump's, or not complete.
        """
        if self.copy is None:
            self._lexer.scan(self._carry, self.offset - len(self._carry), final=True)
        if not self.notes.has_header:
            raise DamagedError(
                "This is no dump of pg_dump",
                cause="its header is missing at byte 0" if self.offset else "it is empty",
                fix="take a new backup",
            )
        if self.copy is not None and not self._tail.endswith(_MARKER_BEGIN):
            self._raise_cut_off(f"the rows of {self.copy.name or 'a table'} do not end")
        if self.notes.strange_end:
            raise DamagedError(
                "The dump does not end as pg_dump ended it",
                cause=f"{self.notes.strange_end} of the uncompressed dump",
                fix="use another backup; take a new one",
            )
        if not self.notes.complete or not self._lexer.between_statements:
            self._raise_cut_off("pg_dump's completion comment is missing")
        if self.notes.restricted:
            self._raise_cut_off(r"pg_dump's last line, \unrestrict, is missing")
        if self._section_start == self.offset:
            return []
        kind = self._kind
        if kind is SectionKind.BETWEEN:
            kind = SectionKind.AFTER
        return [Boundary(self.offset, kind, self.copy)]

    def _raise_cut_off(self, what: str) -> NoReturn:
        raise DamagedError(
            "The dump is cut off",
            cause=f"{what} at byte {self.offset} of the uncompressed dump",
            fix="take a new backup",
        )


def no_text(offset: int) -> DamagedError:
    """The error for a byte of zero: psql would not see what follows it on its line."""
    return DamagedError(
        f"No dump of pg_dump at byte {offset} of the uncompressed dump",
        cause="there is a byte of zero, which no text has",
        fix="use another backup; take a new one",
    )
