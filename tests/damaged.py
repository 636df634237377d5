"""Backups that must never verify and never restore, made from good ones.

Which form the damaged files have follows from the good file: the indexed form, or the single member
of the old scripts.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pgconsole.dumps.naming import BackupName, parse_name

_END_OF_ROWS = re.compile(rb"(?m)^\\\.\n")
_COPY = re.compile(rb"(?m)^COPY .* FROM stdin;\n")


def damaged_files(
    good: Path, other: Path, directory: Path, *, flips: int = 200
) -> Iterator[tuple[str, Path]]:
    """Write each damaged dump into `directory`, under a backup's name of its own.

    Args:
        good: A good backup with at least one table with rows; its name is a backup's.
        other: Another good backup in the same form.
        directory: Where the files go; the directory of the good one's class, if they are to be
            listed. A manifest is not written.
        flips: How many of them have one bit turned.

    Yields:
        What is wrong with it, and its path.
    """
    name = parse_name(good.name)
    assert name is not None
    found = damaged(good.read_bytes(), other.read_bytes(), flips=flips)
    for number, (what, data) in enumerate(found, start=1):
        later = BackupName(
            name.database, name.taken_at + timedelta(minutes=number), name.backup_class
        )
        path = directory / later.filename
        path.write_bytes(data)
        yield what, path


def damaged(good: bytes, other: bytes, *, flips: int = 200) -> Iterator[tuple[str, bytes]]:
    """The same in memory: what is wrong with it, and the file."""
    for percent in range(5, 100, 5):
        yield f"cut off at {percent} %", good[: len(good) * percent // 100]
    yield from spliced(good, other)
    yield "empty", b""
    sql = gzip.decompress(good)
    yield "plain SQL", sql
    for what, text in partial_dumps(sql):
        yield f"gzip of {what}", gzip.compress(text)
        yield f"gzip members of {what}", in_members(text)
    yield from flipped(good, flips)


def spliced(good: bytes, other: bytes) -> Iterator[tuple[str, bytes]]:
    """The tail of another file: in place of the file's own, behind it, and alone."""
    tail = other[len(other) // 2 :]
    yield "the tail of another file in place of its own", good[: len(good) // 2] + tail
    yield "the tail of another file behind it", good + tail
    yield "nothing but the tail of another file", tail
    yield "another file behind it", good + other
    starts, others = member_starts(good), member_starts(other)
    if len(starts) > 1:
        head = good[: starts[len(starts) // 2]]
        yield "the last members of another file", head + other[others[len(others) // 2] :]
        yield "its last member missing", good[: starts[-1]]
        yield "its first member missing", good[starts[1] :]


def partial_dumps(sql: bytes) -> Iterator[tuple[str, bytes]]:
    """Dumps that are not whole, as SQL: every gzip of them is a good gzip."""
    yield "half a dump", sql[: len(sql) // 2]
    rows = _COPY.search(sql)
    ends = list(_END_OF_ROWS.finditer(sql))
    assert rows is not None
    yield "a dump that ends within a table", sql[: (rows.end() + ends[0].start()) // 2]
    yield "a dump that ends behind a table", sql[: ends[-1].end()]
    yield "a dump whose last COPY never ends", sql[: ends[-1].start()] + sql[ends[-1].end() :]
    yield "a dump whose COPY blocks never end", _END_OF_ROWS.sub(b"", sql)
    yield "a dump without its last comment", sql[: sql.rindex(b"-- PostgreSQL database dump com")]
    yield "a dump without its header", sql[sql.index(b"\nSET ") :]


def flipped(good: bytes, places: int) -> Iterator[tuple[str, bytes]]:
    """One bit turned, at places all over the file, first and last byte included.

    A few bits of gzip mean nothing: time stamp and system in a member's header, and what fills the
    last byte of a deflate stream. Turned, they leave every byte of the dump as it was; then the
    next bit that means something is taken.
    """
    sql = gzip.decompress(good)
    for number in range(places):
        bit = number * (8 * len(good) - 1) // (places - 1)
        while _decodes_to(sql, data := _turned(good, bit)):
            bit = (bit + 1) % (8 * len(good))
        yield f"bit {bit % 8} of byte {bit // 8} turned", data


def member_starts(data: bytes) -> list[int]:
    """Where the gzip members of a file begin."""
    starts = []
    rest = data
    while rest:
        starts.append(len(data) - len(rest))
        decoder = zlib.decompressobj(31)
        decoder.decompress(rest)
        rest = decoder.unused_data
    return starts


def in_members(sql: bytes) -> bytes:
    """Compressed as several members, as the indexed form is."""
    size = len(sql) // 5 + 1
    return b"".join(
        gzip.compress(sql[start : start + size], mtime=0) for start in range(0, len(sql), size)
    )


def _turned(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _decodes_to(sql: bytes, data: bytes) -> bool:
    try:
        return gzip.decompress(data) == sql
    except (OSError, EOFError, zlib.error):
        return False
