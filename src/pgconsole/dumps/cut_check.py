"""Checks a file that is cut into members against its manifest, on all cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NoReturn

from pgconsole.dumps.layout import FIX, Extent
from pgconsole.dumps.manifest import Section, SectionKind
from pgconsole.dumps.members import ByteRange, damaged, decode_member, sliced
from pgconsole.dumps.row_check import RowTally, check_rows, tally_rows
from pgconsole.dumps.scanner import Boundary, Scanner
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError

_REQUEST = 4 << 20  # bytes to ask the source for at once
# A member that is larger, compressed or as SQL, is not held in memory but decoded as it is read.
_LARGE = 8 << 20
_MARKER = b"\\.\n"

Placed = list[tuple[Section, list[Extent]]]
Shown = RowTally | Iterable[bytes]  # what decoding a member gives: of rows a tally, of SQL the text


def check_cut(
    source: RangedSource,
    placed: Placed,
    on_read: Callable[[memoryview], None],
    progress: Callable[[], None],
) -> Scanner:
    """Decode every member, count the rows, find where they end, and read all SQL.

    The manifest is not trusted: who can change the file can change what lies beside it.

    Args:
        source: The file.
        placed: Its sections and members, as its manifest has them.
        on_read: Is shown the compressed bytes, in order and each once, as they are read.
        progress: Called after every member, in the calling thread. May raise.

    Returns:
        What read the SQL.

    Raises:
        StorageError: The file can't be read.
        DamagedError: Something is not as the manifest says, or the dump isn't whole.
    """
    scanner = Scanner()
    workers = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers, "check") as pool:
        shown = _decoded(source, placed, on_read, pool, waiting=2 * workers)
        for section, extents in placed:
            boundaries = []
            tallies = []
            for _ in extents:
                result = next(shown)
                progress()
                if isinstance(result, RowTally):
                    tallies.append(result)
                else:
                    for piece in result:
                        boundaries += scanner.feed(piece)
            if section.kind is SectionKind.DATA:
                boundaries += _rows_end(scanner, section, extents, tallies)
            if section is placed[-1][0]:
                boundaries += scanner.finish()
            _compare(section, boundaries, scanner.offset)
    return scanner


def _decoded(
    source: RangedSource,
    placed: Placed,
    on_read: Callable[[memoryview], None],
    pool: ThreadPoolExecutor,
    waiting: int,
) -> Iterator[Shown]:
    """What each member shows, in the file's order, some members decoded ahead."""
    stream = ByteRange(source, 0, source.size, _REQUEST)
    pending: deque[Future[Shown]] = deque()
    for section, extents in placed:
        show = tally_rows if section.kind is SectionKind.DATA else list
        for extent in extents:
            compressed = _watched(stream.take(extent.length), on_read)
            if max(extent.length, 0 if show is tally_rows else extent.raw_bytes) > _LARGE:
                while pending:
                    yield pending.popleft().result()
                pieces = decode_member(compressed, extent.offset, extent.raw_bytes)
                yield tally_rows(pieces) if show is tally_rows else pieces
                continue
            pending.append(pool.submit(_show, show, b"".join(compressed), extent))
            if len(pending) > waiting:
                yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _show(show: Callable[[Iterator[bytes]], Shown], compressed: bytes, extent: Extent) -> Shown:
    return show(decode_member(sliced(compressed), extent.offset, extent.raw_bytes))


def _watched(
    pieces: Iterator[memoryview], on_read: Callable[[memoryview], None]
) -> Iterator[memoryview]:
    for piece in pieces:
        on_read(piece)
        yield piece


def _rows_end(
    scanner: Scanner, section: Section, extents: list[Extent], tallies: list[RowTally]
) -> list[Boundary]:
    """Check the rows of a table, and show the scanner where they end."""
    check_rows(section, extents, tallies, scanner.offset)
    if scanner.copy is None:
        what = f"it should hold the rows of {section.table}, but none begin there"
        raise damaged(extents[0].offset, what, "")
    scanner.skip_rows(section.raw_bytes - len(_MARKER))
    return scanner.feed(_MARKER)


def _compare(section: Section, boundaries: list[Boundary], offset: int) -> None:
    """Whether the scanner found the section as the manifest has it."""
    found = boundaries[0] if len(boundaries) == 1 else None
    if found is None or found.offset != offset or found.kind is not section.kind:
        _raise_other_sections(section, offset)
    if found.copy is not None and (
        found.copy.schema,
        found.copy.table,
        found.copy.columns,
        found.copy.text,
    ) != (section.schema_name, section.table, section.columns, section.copy_statement):
        _raise_other_sections(section, offset)


def _raise_other_sections(section: Section, offset: int) -> NoReturn:
    raise DamagedError(
        "The manifest is not of this file",
        cause=f"the section {section.table or section.kind} that ends at byte {offset} of the "
        "uncompressed dump is none",
        fix=FIX,
    )
