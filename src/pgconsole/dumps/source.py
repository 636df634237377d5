"""Where a dump's bytes are read from."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pgconsole.errors import StorageError


class RangedSource(Protocol):
    """Bytes that can be read from any offset: a local file, an object in S3."""

    @property
    def size(self) -> int:
        """Total bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; fewer only at the end. Any thread may call it.

        Raises:
            StorageError: The bytes can't be read.
        """
        ...


class FileSource:
    """A local file. Symbolic links are not followed.

    Args:
        path: The file.

    Raises:
        StorageError: It can't be opened, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = FileIO(path, "r", opener=_open_no_follow)
            self._size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise _unreadable(path, error) from error

    @property
    def size(self) -> int:
        """Bytes of the file when it was opened."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; fewer only at the end.

        Raises:
            StorageError: The file can't be read.
        """
        try:
            return pread_all(self._file.fileno(), offset, length)
        except OSError as error:
            raise _unreadable(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def pread_all(fd: int, offset: int, length: int) -> bytes:
    """Exactly `length` bytes from `offset` of a file; fewer only at its end."""
    data = os.pread(fd, length, offset)
    if len(data) == length or not data:
        return data
    # A signal or a network file system may cut a read short.
    return data + pread_all(fd, offset + len(data), length - len(data))


def _open_no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} can't be read",
        cause=error.strerror or str(error),
        fix="check that it exists, is a regular file, and that this user may read it",
    )
