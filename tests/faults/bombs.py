"""Dumps that grow without an end, lie about what they hold, or consist of nothing."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.dumps.helpers import HEADER, TRAILER
from tests.faults.bait import good_dump

MIB = 1 << 20
_BEGIN = b"COPY public.users (id, name) FROM stdin;\n"
EMPTY_MEMBER = gzip.compress(b"", mtime=0)


def compressed(path: Path, pieces: Iterator[bytes]) -> None:
    """One gzip member of these pieces, as gzip -1 makes it."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for piece in pieces:
            file.write(piece)


def _repeated(begin: bytes, unit: bytes, size: int, end: bytes) -> Iterator[bytes]:
    yield begin
    block = unit * (MIB // len(unit))
    for _ in range(0, size, len(block)):
        yield block
    yield end


def _dump(before: bytes, unit: bytes, after: bytes = b"") -> Callable[[Path, int], None]:
    """A dump that begins and ends well, with so much of something in it."""
    return lambda path, size: compressed(
        path, _repeated(HEADER + before, unit, size, after + TRAILER)
    )


def _many(statement: Callable[[int], bytes]) -> Callable[[Path, int], None]:
    """As many small statements as give so many bytes."""

    def write(path: Path, size: int) -> None:
        def pieces() -> Iterator[bytes]:
            yield HEADER
            written = number = 0
            while written < size:
                piece = b"".join(map(statement, range(number, number + 1000)))
                number, written = number + 1000, written + len(piece)
                yield piece
            yield TRAILER

        compressed(path, pieces())

    return write


def _zeros(path: Path, size: int) -> None:
    compressed(path, _repeated(b"", b"\0", size, b""))


def _zeros_uncompressed(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _empty_members(path: Path, size: int) -> None:
    """So many bytes of members without content, before and after a good dump."""
    block = EMPTY_MEMBER * (MIB // len(EMPTY_MEMBER))
    with path.open("wb") as file:
        for _ in range(0, size, len(block)):
            file.write(block)
        file.write(gzip.compress(good_dump()))
        file.write(EMPTY_MEMBER * 1000)


def _tiny_members(path: Path, size: int) -> None:
    """A dump of which each byte is a member."""
    filler = b"-- " + b"x" * (size // 21) + b"\n"
    dump = good_dump().replace(b"CREATE TABLE", filler + b"CREATE TABLE", 1)
    each = {byte: gzip.compress(bytes([byte]), mtime=0) for byte in set(dump)}
    with path.open("wb") as file:
        for start in range(0, len(dump), 4096):
            file.write(b"".join(each[byte] for byte in dump[start : start + 4096]))


def member(content: bytes, *, flags: int = 0, fields: bytes = b"") -> bytes:
    """A gzip member with these header fields (RFC 1952)."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    body = deflate.compress(content) + deflate.flush()
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03"
    return head + fields + body + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def _name_without_end(flag: int, *, ends: bool) -> Callable[[Path, int], None]:
    def write(path: Path, size: int) -> None:
        path.write_bytes(member(good_dump(), flags=flag, fields=b"n" * size + b"\0" * ends))

    return write


def _extra_fields(path: Path, size: int) -> None:
    """The largest extra field, in each of many members; the dump is in the last."""
    extra = struct.pack("<H", 65_535) + b"e" * 65_535
    with path.open("wb") as file:
        for _ in range(0, size, 65_535):
            file.write(member(b"", flags=4, fields=extra))
        file.write(member(good_dump(), flags=4, fields=extra))


def _wrong_trailer(size_off: int, crc_off: int) -> Callable[[Path, int], None]:
    def write(path: Path, size: int) -> None:
        content = good_dump()
        body = member(content)
        crc, length = zlib.crc32(content) ^ crc_off, (len(content) + size_off) & 0xFFFFFFFF
        path.write_bytes(body[:-8] + struct.pack("<II", crc, length))

    return write


def _padded(path: Path, size: int) -> None:
    path.write_bytes(gzip.compress(good_dump()) + b"\0" * size)


def _object(number: int) -> bytes:
    title = b"Name: f%d; Type: FUNCTION; Schema: public; Owner: -" % number
    return b"--\n-- " + title + b"\n--\n\nSELECT 1;\n"


# What it is; how to write it with so many bytes of the thing in it; whether the dump is a whole one
# all the same.
BOMBS: dict[str, tuple[Callable[[Path, int], None], bool]] = {
    "a gzip bomb of zeros": (_zeros, False),
    "zeros, not compressed": (_zeros_uncompressed, False),
    "a gzip bomb of blanks": (_dump(b"", b" "), True),
    "a gzip bomb of newlines": (_dump(b"", b"\n"), True),
    "a comment without an end": (_dump(b"-- ", b"x-", b"\n"), True),
    "a block comment of block comments": (_dump(b"/*", b"/**/", b"*/\n"), True),
    "comments that are never closed": (_dump(b"", b"/*"), False),
    "a string without an end": (_dump(b"SELECT '", b"x"), False),
    "a long string": (_dump(b"SELECT '", b"x''", b"';\n"), True),
    "a long dollar quote": (_dump(b"DO $a$", b"$b", b"$a$;\n"), True),
    "a word without an end": (_dump(b"", b"x", b";\n"), False),
    "a statement without an end": (_dump(b"SELECT 1", b",1", b";\n"), True),
    "parentheses that are never closed": (_dump(b"SELECT ", b"("), False),
    "a COPY statement without an end": (_dump(b"COPY t (", b"a,", b"a) FROM stdin;\n\\.\n"), False),
    "a command without an end": (_dump(b"\\", b"x", b"\n"), True),
    "a row without an end": (_dump(_BEGIN + b"1\t", b"x", b"\n\\.\n"), True),
    "a row of nothing but escapes": (_dump(_BEGIN + b"1\t", b"\\\\", b"\n\\.\n"), True),
    "a row of too many cells": (_dump(_BEGIN, b"\t", b"\n\\.\n"), False),
    "rows without an end": (_dump(_BEGIN, b"1\tx\n"), False),
    "rows of nothing": (_dump(b"COPY public.users (id) FROM stdin;\n", b"\n", b"\\.\n"), True),
    "millions of statements": (_many(lambda n: b"SELECT 1;\n"), True),
    "a hundred thousand tables": (
        _many(lambda n: b"COPY public.users%d (id) FROM stdin;\n1\n\\.\n" % n), True
    ),
    "a million objects": (_many(_object), True),
    "millions of commands": (_many(lambda n: b"\\restrict abc\n\\unrestrict abc\n"), False),
    "millions of foreign commands": (_many(lambda n: b"\\! touch /tmp/pgconsole-pwned\n"), True),
    "ten million empty members": (_empty_members, True),
    "a member for each byte": (_tiny_members, True),
    "a file name without an end": (_name_without_end(8, ends=False), False),
    "a gigantic file name": (_name_without_end(8, ends=True), True),
    "a comment field without an end": (_name_without_end(16, ends=False), False),
    "extra fields as large as they can be": (_extra_fields, True),
    "a member that says it is larger": (_wrong_trailer(1 << 31, 0), False),
    "a member that says it is empty": (_wrong_trailer(-len(good_dump()), 0), False),
    "a member of another CRC": (_wrong_trailer(0, 1), False),
    "zeros behind the dump": (_padded, False),
}  # fmt: skip
