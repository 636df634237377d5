r"""Looks into the rows of a table while they are decoded: counts them, and finds where they end.

psql ends the rows at the first `\.` line, whatever a manifest says. What follows such a line is SQL
for psql, so a manifest that takes it for rows would hide it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from pgconsole.dumps.layout import Extent
from pgconsole.dumps.manifest import Section
from pgconsole.dumps.members import damaged
from pgconsole.dumps.scanner import MARKER, no_text

_LONGEST = 5  # bytes of a marker with the newline before it
_END = b"\\.\n"


class RowTally(NamedTuple):
    r"""What decoding a member of rows showed.

    Attributes:
        raw_bytes: Its uncompressed size.
        newlines: Newlines in it.
        head: Its first bytes.
        tail: Its last bytes.
        ends_at: Behind the first `\.` line in it, bytes from its beginning; None if it has none.
            A line that the member before begins is not looked at.
        zero_at: Where it has a byte of zero, or None.
    """

    raw_bytes: int
    newlines: int
    head: bytes
    tail: bytes
    ends_at: int | None
    zero_at: int | None


def tally_rows(pieces: Iterable[bytes]) -> RowTally:
    """Decode a member to its end, and look at its rows."""
    raw_bytes = newlines = 0
    head = tail = b""
    ends_at = zero_at = None
    for piece in pieces:
        newlines += piece.count(b"\n")
        if ends_at is None:
            seam = tail + piece[:_LONGEST]
            if match := MARKER.search(seam) or MARKER.search(piece):
                before = len(tail) if match.string is seam else 0
                ends_at = raw_bytes - before + match.end()
        if zero_at is None and (zero := piece.find(b"\0")) >= 0:
            zero_at = raw_bytes + zero
        raw_bytes += len(piece)
        if len(head) < _LONGEST:
            head = (head + piece[:_LONGEST])[:_LONGEST]
        tail = (tail + piece[-_LONGEST:])[-_LONGEST:]
    return RowTally(raw_bytes, newlines, head, tail, ends_at, zero_at)


def check_rows(section: Section, extents: list[Extent], tallies: list[RowTally], base: int) -> None:
    r"""Check that the rows of a table are as its manifest has them, and end where it says.

    Args:
        section: The table's section.
        extents: Its members.
        tallies: What those showed.
        base: Offset of the first row, bytes from the beginning of the dump.

    Raises:
        DamagedError: They are not, or a `\.` line lies among them.
    """
    tail = b"\n"  # rows begin at the beginning of a line
    at = base
    for extent, counted in zip(extents, tallies, strict=True):
        last = extent is extents[-1]
        lines = extent.rows + last  # and the line that ends the rows
        if counted.newlines != lines:
            what = f"it holds {counted.newlines} lines instead of {lines}"
            raise damaged(extent.offset, what, f"of table {section.table}")
        if counted.zero_at is not None:
            raise no_text(at + counted.zero_at)
        seam = MARKER.search(tail + counted.head)
        ends_at = seam.end() - len(tail) if seam else counted.ends_at
        if ends_at is not None and not (last and ends_at == counted.raw_bytes):
            _raise_early(section, extent, at + ends_at)
        tail = (tail + counted.tail)[-_LONGEST:]
        at += counted.raw_bytes
    if not tail.endswith(b"\n" + _END):
        raise damaged(extents[-1].offset, f"the rows of {section.table} do not end with it", "")


def _raise_early(section: Section, extent: Extent, offset: int) -> NoReturn:
    raise damaged(
        extent.offset,
        f"the rows of {section.table} end in it, before byte {offset} of the uncompressed dump",
        "but its manifest says that more rows follow",
    )
