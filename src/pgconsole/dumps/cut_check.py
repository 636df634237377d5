"""Checks a file that is cut into members against its manifest, on all cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NoReturn

from pgconsole.dumps.layout import Extent
from pgconsole.dumps.manifest import Section, SectionKind
from pgconsole.dumps.members import ByteRange, Tally, damaged, decode_member, sliced, tally
from pgconsole.dumps.scanner import Boundary, Scanner
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError

_REQUEST = 4 << 20  # bytes to ask the source for at once
# A member that is larger, compressed or as SQL, is not held in memory but decoded as it is read.
_LARGE = 8 << 20
_MARKER = b"\\.\n"

Placed = list[tuple[Section, list[Extent]]]
Shown = Tally | Iterable[bytes]  # what decoding a member gives: of rows a tally, of SQL the text


def check_cut(
    source: RangedSource,
    placed: Placed,
    on_read: Callable[[memoryview], None],
    progress: Callable[[], None],
) -> Scanner:
    """Decode every member, count the rows, and read all SQL.

    Rows are not searched for an end of rows: whoever compares the file's SHA-256 with the
    manifest's knows that these are the bytes that were scanned when the manifest was made.

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
                if isinstance(result, Tally):
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
        show = tally if section.kind is SectionKind.DATA else list
        for extent in extents:
            compressed = _watched(stream.take(extent.length), on_read)
            if max(extent.length, 0 if show is tally else extent.raw_bytes) > _LARGE:
                while pending:
                    yield pending.popleft().result()
                pieces = decode_member(compressed, extent.offset, extent.raw_bytes)
                yield tally(pieces) if show is tally else pieces
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
    scanner: Scanner, section: Section, extents: list[Extent], tallies: list[Tally]
) -> list[Boundary]:
    """Check the rows of a table, and show the scanner where they end."""
    for extent, counted in zip(extents, tallies, strict=True):
        lines = extent.rows + (extent is extents[-1])  # and the line that ends the rows
        if counted.newlines != lines:
            what = f"it holds {counted.newlines} lines instead of {lines}"
            raise damaged(extent.offset, what, f"of table {section.table}")
    tail = tallies[-1].tail
    if not (tail.endswith(b"\n" + _MARKER) or tail == _MARKER) or scanner.copy is None:
        raise damaged(extents[-1].offset, f"the rows of {section.table} do not end with it", "")
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
        fix="verify the backup: that writes a new one",
    )
