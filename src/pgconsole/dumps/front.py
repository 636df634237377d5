"""Finds the sections of a dump of which nothing is known, from the front, as they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgconsole.dumps.cutter import make_section
from pgconsole.dumps.manifest import Member, Section
from pgconsole.dumps.members import decode_all
from pgconsole.dumps.scanner import Boundary, Scanner
from pgconsole.dumps.source import RangedSource
from pgconsole.dumps.survey import check_sections


def sections_from_front(
    source: RangedSource, on_progress: Callable[[], None] = lambda: None
) -> Iterator[Section]:
    """The sections in the file's order, without members, each as soon as it has ended.

    Args:
        source: The file.
        on_progress: Called often. May raise.

    Raises:
        StorageError: The file can't be read.
        DamagedError: It isn't gzip, is damaged, or no whole dump; all before that was given.
    """
    scanner = Scanner()
    start = lines = 0

    count = 0

    def ended(boundary: Boundary) -> Section:
        nonlocal start, lines, count
        check_sections(count)
        count += 1
        whole = Member(0, boundary.offset - start, lines)
        section = make_section(boundary.kind, boundary.copy, whole.raw_bytes, [whole])
        start, lines = boundary.offset, 0
        return section.model_copy(update={"members": ()})

    for _, piece in decode_all(source):
        base = scanner.offset
        pos = 0
        for boundary in scanner.feed(piece):
            end = boundary.offset - base
            lines += piece.count(b"\n", pos, end)
            pos = end
            yield ended(boundary)
        lines += piece.count(b"\n", pos)
        on_progress()
    for boundary in scanner.finish():
        yield ended(boundary)
