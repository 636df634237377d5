"""The content of an archived file, plain or gzipped, compared with what the server has."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from pgconsole.storage import files
from pgconsole.wal.segments import HEADER_SIZE, check_content

GZIP = ".gz"
CHUNK = 1 << 20  # bytes
_LEVEL = 2  # of ISA-L: 16 MiB in well under 0.1 s


class Readable(Protocol):
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
        file = open(files.open_regular(path), "rb")  # noqa: PTH123, SIM115 - a descriptor
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
        _copy(source, target)
        return
    from isal import igzip  # noqa: PLC0415 - plain segments don't need it

    with igzip.IGzipFile("", "wb", compresslevel=_LEVEL, fileobj=target, mtime=0) as zipped:
        _copy(source, zipped)


def same(source: IO[bytes], other: Readable, *, compressed: bool) -> bool:
    """Whether `other` holds exactly what `source` does. A gzip file that is damaged does not.

    Raises:
        OSError: One of them can't be read.
    """
    source.seek(0)
    if not compressed:
        return _equal(source, other)
    from isal import igzip, isal_zlib  # noqa: PLC0415 - plain segments don't need it

    try:
        with igzip.IGzipFile(fileobj=other, mode="rb") as unzipped:
            return _equal(source, unzipped)
    except (igzip.BadGzipFile, EOFError, isal_zlib.error):
        return False


def _copy(source: Readable, target: IO[bytes]) -> None:
    while chunk := source.read(CHUNK):
        target.write(chunk)


def _equal(one: Readable, other: Readable) -> bool:
    while True:
        chunk = _exactly(one, CHUNK)
        if chunk != _exactly(other, CHUNK):
            return False
        if not chunk:
            return True


def _exactly(stream: Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end: a network stream gives what it has."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
