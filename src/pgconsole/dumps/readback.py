"""Re-reads from the disk what the writer wrote, while it writes on."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isal import isal_zlib

from pgconsole.dumps.hashed import Hashed
from pgconsole.dumps.manifest import Member
from pgconsole.dumps.members import PIECE, ByteRange, decode_member, tally
from pgconsole.errors import DamagedError, SealedError, StorageError

if TYPE_CHECKING:
    from pgconsole.dumps.age_file import AgeFile
    from pgconsole.dumps.age_write import Sealer

# Compressed bytes that are brought to the disk at once, before they are read back. Larger steps
# leave more to do after the last byte.
_STEP = 16 << 20
_GROWS = 1 << 62  # bytes; the size of a file to which more will be written


class WrittenMember(NamedTuple):
    """A member that lies in the file, or in what an encrypted file holds.

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
    member, which ISA-L checks while decoding. All of that is true of an encrypted file too: its
    SHA-256 is that of what lies on the disk, and what is decoded was decrypted from there.

    Args:
        fd: The file, open for reading; it stays the caller's.
        path: Its path, for errors.
        sealer: What encrypts the file; None: nothing does.

    Attributes:
        members: What was proven, in the file's order; `rows` are newlines.
        raw_bytes: Their uncompressed size.
        size: Their compressed size.
    """

    def __init__(self, fd: int, path: Path, sealer: Sealer | None = None) -> None:
        self.members: list[Member] = []
        self.raw_bytes = 0
        self.size = 0
        self._disk = _Disk(fd, path)
        self._file = Hashed(self._disk)
        self._sealer = sealer
        self._opened: AgeFile | None = None
        self._path = path
        self._crc = 0  # of the member that is being read
        self._waiting: deque[WrittenMember] = deque()

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read back of the file so far, in hexadecimal."""
        return self._file.sha256

    @property
    def file_bytes(self) -> int:
        """How much that is."""
        return self._file.hashed

    def add(self, member: WrittenMember, written: int) -> None:
        """The next member; it is read back when enough have come together.

        Args:
            member: It was handed to whoever writes the file.
            written: Bytes that are in the file by now.

        Raises:
            StorageError: The file can't be flushed or read.
            DamagedError: The disk doesn't give back what was written.
        """
        self._waiting.append(member)
        if member.offset + member.length - self.size >= _STEP:
            self._read_back(written)

    def finish(self, written: int) -> None:
        """All is written: read back the rest; raises what `add` raises."""
        self._disk.size = written
        self._read_back(written)
        holds = written
        if self._opened is not None:
            self._opened.check_end()
            holds = self._opened.size
        if (holds, self._file.hashed) != (self.size, written):
            raise self._other(self._file.hashed)

    def _read_back(self, written: int) -> None:
        if not self._waiting:
            return
        self._disk.settle(self._file.hashed, written)
        source, readable = self._source(written)
        while self._waiting and self._waiting[0].offset + self._waiting[0].length <= readable:
            self._check(source, self._waiting.popleft())

    def _source(self, written: int) -> tuple[Hashed | AgeFile, int]:
        """Where members are read from, and how many bytes of it can be read by now."""
        if self._sealer is None:
            return self._file, written
        from pgconsole.dumps.age_file import AgeFile  # noqa: PLC0415 - only where it is encrypted

        if self._opened is None:
            try:
                self._opened = AgeFile(self._file, [self._sealer.identity], grows=True)
            except SealedError as error:
                raise self._other(0) from error
        whole = self._disk.size == written
        return self._opened, self._opened.size if whole else self._opened.readable(written)

    def _check(self, source: Hashed | AgeFile, member: WrittenMember) -> None:
        self._crc = 0
        end = member.offset + member.length
        pieces = self._watched(ByteRange(source, member.offset, end, PIECE).take(member.length))
        counted = tally(decode_member(pieces, member.offset, member.raw_bytes))
        if self._crc != member.crc:
            raise self._other(member.offset)
        self.members.append(Member(member.offset, counted.raw_bytes, counted.newlines))
        self.raw_bytes += counted.raw_bytes
        self.size += member.length

    def _watched(self, pieces: Iterator[memoryview]) -> Iterator[memoryview]:
        for piece in pieces:
            self._crc = isal_zlib.crc32(piece, self._crc)
            yield piece

    def _other(self, offset: int) -> DamagedError:
        return DamagedError(
            f"{self._path} is not what was written",
            cause=f"the disk gives back something else after byte {offset}",
            fix="see the system's log for errors of the disk; take a new backup elsewhere",
        )


class _Disk:
    """The file as the disk has it.

    Attributes:
        size: Its bytes, once all are written.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self.size = _GROWS
        self._fd = fd
        self._path = path

    def settle(self, begin: int, end: int) -> None:
        """Bring to the disk what was written, and drop a range of it from the page cache.

        Raises:
            StorageError: It can't be flushed.
        """
        try:
            os.fdatasync(self._fd)
            os.posix_fadvise(self._fd, begin, end - begin, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise self._failed(error) from error

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

    def _failed(self, error: OSError) -> StorageError:
        return StorageError(
            f"{self._path} can't be read back",
            cause=error.strerror or str(error),
            fix="free space on the file system, or see the system's log",
        )
