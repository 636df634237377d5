"""Reads a file of which nothing is known, front to back, and finds its sections.

Whether each row has all of its table's columns is not looked at, but whether all rows together do:
counting the tabs of a piece at once costs nothing, looking at each row would double the time. Rows
that make up for each other pass; PostgreSQL refuses them when they are restored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pgconsole.dumps.cutter import make_section
from pgconsole.dumps.layout import FIX
from pgconsole.dumps.manifest import Member, Section, SectionKind
from pgconsole.dumps.members import decode_all
from pgconsole.dumps.prefetch import prefetched
from pgconsole.dumps.scanner import Boundary, Scanner
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError, StorageError

_AHEAD = 32  # decoded pieces of 256 KiB
# 512 GiB in members of ours, 34 MB of memory. A file of more is read from its front, like one of
# the old scripts: who makes millions of tiny members would fill the memory with them.
_MAX_MEMBERS = 1 << 18
# A manifest of more would be larger than one may be (64 MiB), and to hold them takes 400 MB.
MAX_SECTIONS = 300_000


@dataclass(slots=True)
class _Found:
    """A section that was passed: where it ended, and the newlines in it."""

    boundary: Boundary
    raw_bytes: int
    newlines: int


class Survey:
    """Decodes in one thread and scans in another.

    Attributes:
        scanner: What read the dump.
    """

    def __init__(self) -> None:
        self.scanner = Scanner()
        self._found: list[_Found] = []
        self._section_start = 0
        self._section_lines = 0
        self._section_tabs = 0
        self._members: list[Member] = []  # their rows are newlines

    def run(
        self,
        source: RangedSource,
        on_read: Callable[[memoryview], None],
        progress: Callable[[], None],
    ) -> tuple[Section, ...]:
        """Read the whole file.

        Args:
            source: The file.
            on_read: Is shown the compressed bytes, in order and each once, by another thread.
            progress: Called often, in the calling thread. May raise.

        Returns:
            Its sections; with members only if no member lies in two sections.

        Raises:
            StorageError: The file can't be read.
            DamagedError: It isn't gzip, is damaged, or no whole dump.
        """
        with prefetched(decode_all(source, on_read), _AHEAD) as pieces:
            for member_start, piece in pieces:
                self._read(member_start, piece)
                progress()
        for boundary in self.scanner.finish():
            self._close(boundary)
        return self._sections()

    def _read(self, member_start: int, piece: bytes) -> None:
        boundaries = self.scanner.feed(piece)
        base = self.scanner.offset - len(piece)
        lines = pos = 0
        for boundary in boundaries:
            end = boundary.offset - base
            found = piece.count(b"\n", pos, end)
            self._section_lines += found
            self._section_tabs += piece.count(b"\t", pos, end)
            lines += found
            pos = end
            self._close(boundary)
        found = piece.count(b"\n", pos)
        self._section_lines += found
        self._section_tabs += piece.count(b"\t", pos)
        self._add_to_member(member_start, len(piece), lines + found)

    def _add_to_member(self, start: int, raw_bytes: int, lines: int) -> None:
        if self._members and self._members[-1].offset == start:
            last = self._members[-1]
            self._members[-1] = Member(start, last.raw_bytes + raw_bytes, last.rows + lines)
        elif len(self._members) < _MAX_MEMBERS:
            self._members.append(Member(start, raw_bytes, lines))

    def _close(self, boundary: Boundary) -> None:
        check_sections(len(self._found))
        self._check_columns(boundary)
        raw_bytes = boundary.offset - self._section_start
        self._found.append(_Found(boundary, raw_bytes, self._section_lines))
        self._section_start = boundary.offset
        self._section_lines = self._section_tabs = 0

    def _check_columns(self, boundary: Boundary) -> None:
        copy = boundary.copy
        if boundary.kind is not SectionKind.DATA or copy is None or not copy.columns:
            return
        rows = self._section_lines - 1  # the last line ends them
        if self._section_tabs != rows * (len(copy.columns) - 1):
            raise DamagedError(
                f"The rows of table {copy.name} do not have its columns",
                cause=f"{rows} rows of {len(copy.columns)} columns, up to byte {boundary.offset} "
                f"of the uncompressed dump, have {self._section_tabs} tabs between them",
                fix=FIX,
            )

    def _sections(self) -> tuple[Section, ...]:
        cut = self._cut()
        return tuple(
            make_section(found.boundary.kind, found.boundary.copy, found.raw_bytes, members)
            if members
            else _uncut(found)
            for found, members in zip(self._found, cut, strict=True)
        )

    def _cut(self) -> list[list[Member]]:
        """The members of each section; none at all if they do not fit the sections."""
        nothing: list[list[Member]] = [[] for _ in self._found]
        cut = []
        rest = iter(self._members)
        for found in self._found:
            own: list[Member] = []
            left = found.raw_bytes
            while left > 0:
                member = next(rest, None)
                if member is None or not 0 < member.raw_bytes <= left:
                    return nothing
                own.append(member)
                left -= member.raw_bytes
            cut.append(own)
        return cut if next(rest, None) is None else nothing


def check_sections(count: int) -> None:
    """See that a dump has no more sections than can be kept.

    Raises:
        StorageError: It has so many; nothing is known of the rest.
    """
    if count >= MAX_SECTIONS:
        raise StorageError(
            f"The dump has more than {MAX_SECTIONS // 2:,} tables",
            cause="that is more than a manifest can describe",
            fix="restore it with psql, into a database whose schemas you then back up one by one",
        )


def _uncut(found: _Found) -> Section:
    """A section that has no members of its own."""
    as_one = [Member(0, found.raw_bytes, found.newlines)]
    section = make_section(found.boundary.kind, found.boundary.copy, found.raw_bytes, as_one)
    return section.model_copy(update={"members": ()})
