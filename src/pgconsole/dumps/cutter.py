"""Decides where members begin and end, so that none spans two sections and rows stay whole."""

from __future__ import annotations

from typing import NamedTuple

from pgconsole.dumps.copystatement import CopyStatement
from pgconsole.dumps.manifest import Member, Section, SectionKind
from pgconsole.dumps.scanner import Boundary, Scanner


class Segment(NamedTuple):
    """A stretch of a block that belongs to one member.

    Attributes:
        start: Where it begins in the block.
        end: Where it ends.
        last: Whether its member ends with it.
    """

    start: int
    end: int
    last: bool


class _CutSection(NamedTuple):
    """A finished section: what it is, and how many members and bytes it has."""

    kind: SectionKind
    copy: CopyStatement | None
    raw_bytes: int
    members: int


class Cutter:
    """Cuts a dump that comes in blocks into members and sections.

    Args:
        scanner: Reads the dump along.
    """

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._sections: list[_CutSection] = []
        self._section_start = 0
        self._members = 0  # of the section that is open

    def cut(self, block: bytearray, carried: int, end: int) -> tuple[list[Segment], int]:
        """Cut `block[:end]`.

        Args:
            block: Its first `carried` bytes are the ones that the last call left over.
            carried: How many those are.
            end: Where the block's bytes end.

        Returns:
            The segments, gapless from 0, and where they end; the rest of the block, the
            beginning of a row, has to be the beginning of the next block.
        """
        boundaries = self._scanner.feed(block, carried, end)
        base = self._scanner.offset - end
        segments: list[Segment] = []
        pos = 0
        for boundary in boundaries:
            segments.append(self._segment(pos, boundary.offset - base, last=True))
            self._close(boundary)
            pos = boundary.offset - base
        in_rows = self._scanner.copy is not None  # SQL may be cut anywhere
        row_end = block.rfind(b"\n", pos, end) + 1 if in_rows else end
        if row_end > pos:
            segments.append(self._segment(pos, row_end, last=True))
            pos = row_end
        if end - pos > len(block) // 2:
            # A row that outgrows the block: its member goes on, so that memory doesn't grow.
            segments.append(self._segment(pos, end, last=False))
            pos = end
        return segments, pos

    def finish(self) -> None:
        """The dump has ended, and every byte was cut.

        Raises:
            DamagedError: It isn't whole.
        """
        for boundary in self._scanner.finish():
            self._close(boundary)

    def sections(self, members: list[Member]) -> tuple[Section, ...]:
        """The sections, given all members in the file's order. Rows are still newlines in them."""
        sections = []
        first = 0
        for cut in self._sections:
            of_section = members[first : first + cut.members]
            sections.append(_section(cut, of_section))
            first += cut.members
        return tuple(sections)

    def _segment(self, start: int, end: int, *, last: bool) -> Segment:
        self._members += last
        return Segment(start, end, last)

    def _close(self, boundary: Boundary) -> None:
        raw_bytes = boundary.offset - self._section_start
        self._sections.append(_CutSection(boundary.kind, boundary.copy, raw_bytes, self._members))
        self._section_start = boundary.offset
        self._members = 0


def _section(cut: _CutSection, members: list[Member]) -> Section:
    return make_section(cut.kind, cut.copy, cut.raw_bytes, members)


def make_section(
    kind: SectionKind, copy: CopyStatement | None, raw_bytes: int, members: list[Member]
) -> Section:
    r"""A section of the manifest.

    Args:
        kind: What it is.
        copy: The statement of a DATA section.
        raw_bytes: Its uncompressed size.
        members: Its members, whose `rows` are the newlines in them, whatever the section is.
    """
    if copy is None:
        return Section(
            kind=kind, raw_bytes=raw_bytes, members=tuple(m._replace(rows=0) for m in members)
        )
    marker_line = members[-1]._replace(rows=members[-1].rows - 1)
    counted = (*members[:-1], marker_line)
    return Section(
        kind=kind,
        schema_name=copy.schema,
        table=copy.table,
        columns=copy.columns,
        copy_statement=copy.text,
        rows=sum(member.rows for member in counted),
        raw_bytes=raw_bytes,
        members=counted,
    )
