"""Re-reads from the disk what the writer wrote, while it writes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from isal import isal_zlib

from pgconsole.dumps.manifest import Member
from pgconsole.dumps.members import PIECE, ByteRange, decode_member, tally
from pgconsole.errors import DamagedError, StorageError

# Compressed bytes that are brought to the disk at once, before they are read back. Larger steps
# leave more to do after the last byte.
_STEP = 16 << 20


class WrittenMember(NamedTuple):
    """A member that lies in the file.

    Attributes:
        offset: Where it begins, bytes.
        length: Its compressed size.
        raw_bytes: Its uncompressed size.
        crc: CRC-32 of its compressed bytes as they were written.
    """

    offset: int
    length: int
    raw_bytes: int
    crc: int


class ReadBack:
    """Proves that the disk has what was written, and counts lines on the way.

    Each step is flushed to the disk and dropped from the page cache first: what is read is what
    the disk gives back, as far as a program can tell. It costs what the fsync at the end would
    cost, and reading the file once; on a local disk no difference could be measured.

    SHA-256 is computed here and only here: that what was read is what was written is proven by
    the CRC of the compressed bytes, and that those hold the dump by the CRC and size of each
    member, which ISA-L checks while decoding.

    Args:
        fd: The file, open for reading; it stays the caller's.
        path: Its path, for errors.

    Attributes:
        members: What was proven, in the file's order; `rows` are newlines.
        raw_bytes: Their uncompressed size.
        size: Their compressed size.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self.members: list[Member] = []
        self.raw_bytes = 0
        self.size = 0
        self._fd = fd
        self._path = path
        self._sha256 = hashlib.sha256()
        self._crc = 0  # of the member that is being read
        self._waiting: list[WrittenMember] = []

    @property
    def sha256(self) -> str:
        """SHA-256 of the members read back so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def add(self, member: WrittenMember) -> None:
        """The next member; it is read back when enough have come together.

        Raises:
            StorageError: The file can't be flushed or read.
            DamagedError: The disk doesn't give back what was written.
        """
        self._waiting.append(member)
        if member.offset + member.length - self.size >= _STEP:
            self.finish()

    def finish(self) -> None:
        """Read back all that is waiting; raises what `add` raises."""
        if not self._waiting:
            return
        last = self._waiting[-1]
        length = last.offset + last.length - self.size
        try:
            os.fdatasync(self._fd)
            os.posix_fadvise(self._fd, self.size, length, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise self._failed(error) from error
        for member in self._waiting:
            self._check(member)
        self._waiting.clear()

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes of the file.

        Raises:
            StorageError: The file can't be read.
        """
        try:
            data = os.pread(self._fd, length, offset)
        except OSError as error:
            raise self._failed(error) from error
        if len(data) == length or not data:
            return data
        # A signal or a network file system may cut a read short.
        return data + self.read_at(offset + len(data), length - len(data))

    def _check(self, member: WrittenMember) -> None:
        self._crc = 0
        end = member.offset + member.length
        pieces = self._hashed(ByteRange(self, member.offset, end, PIECE).take(member.length))
        counted = tally(decode_member(pieces, member.offset, member.raw_bytes))
        if self._crc != member.crc:
            raise DamagedError(
                f"{self._path} is not what was written",
                cause=f"the disk gives back something else after byte {member.offset}",
                fix="see the system's log for errors of the disk; take a new backup elsewhere",
            )
        self.members.append(Member(member.offset, counted.raw_bytes, counted.newlines))
        self.raw_bytes += counted.raw_bytes
        self.size += member.length

    def _hashed(self, pieces: Iterator[memoryview]) -> Iterator[memoryview]:
        for piece in pieces:
            self._sha256.update(piece)
            self._crc = isal_zlib.crc32(piece, self._crc)
            yield piece

    def _failed(self, error: OSError) -> StorageError:
        return StorageError(
            f"{self._path} can't be read back",
            cause=error.strerror or str(error),
            fix="free space on the file system, or see the system's log",
        )
