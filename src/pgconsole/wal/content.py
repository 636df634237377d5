"""The content of an archived file, plain or gzipped, compared with what the server has."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from pgconsole.storage import files
from pgconsole.untrusted import open_regular
from pgconsole.wal.segments import HEADER_SIZE, check_content

GZIP = ".gz"
CHUNK = 1 << 20  # bytes
_LEVEL = 2  # of ISA-L: 16 MiB in well under 0.1 s
_GZIP_FORMAT = 31  # zlib's windowBits for a gzip header and trailer


class _Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The server's file, checked against its name.

    Raises:
        StorageError: It can't be read.
        DamagedError: It is not what its name says.
    """
    with files.translated(f"{path} can't be read"):
        file = open(open_regular(path), "rb")  # noqa: PTH123, SIM115 - a descriptor
    with file:
        with files.translated(f"{path} can't be read"):
            size = os.fstat(file.fileno()).st_size
            header = os.pread(file.fileno(), HEADER_SIZE, 0)
        check_content(path.name, header, size)
        yield file


def write(source: IO[bytes], target: IO[bytes], *, compress: bool) -> None:
    """Copy all of `source`. The same content always makes the same gzip file: no name, no time.

    Raises:
        OSError: One of them can't be used.
    """
    source.seek(0)
    if not compress:
        while chunk := source.read(CHUNK):
            target.write(chunk)
        return
    from isal import isal_zlib  # noqa: PLC0415 - plain segments don't need it

    stream = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP_FORMAT)
    while chunk := source.read(CHUNK):
        target.write(stream.compress(chunk))
    target.write(stream.flush())


def same(source: IO[bytes], other: IO[bytes], *, compressed: bool) -> bool:
    """Whether `other` holds exactly what `source` does. A gzip file that is damaged does not.

    Raises:
        OSError: One of them can't be read.
    """
    source.seek(0)
    if not compressed:
        return _equal(source, other)
    import gzip  # noqa: PLC0415 - plain segments don't need it
    import zlib  # noqa: PLC0415

    try:
        with gzip.GzipFile(fileobj=other, mode="rb") as unzipped:
            return _equal(source, unzipped)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return False


def _equal(one: _Readable, other: _Readable) -> bool:
    while True:
        chunk = _exactly(one, CHUNK)
        if chunk != _exactly(other, CHUNK):
            return False
        if not chunk:
            return True


def _exactly(stream: _Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end: a network stream gives what it has."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
