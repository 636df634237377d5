"""A local file as a source of byte ranges."""

from __future__ import annotations

import os

from pgconsole.storage import files
from pgconsole.untrusted import open_regular


class LocalFile:
    """A file that can be read from any offset. Closed when it is collected, or by `close`.

    Raises:
        StorageError: It is missing, unreadable or not a regular file.
    """

    def __init__(self, location: str) -> None:
        self._fd = -1
        self._location = location
        with files.translated(f"{location} can't be read"):
            self._fd = open_regular(location)
            self._size = os.fstat(self._fd).st_size

    @property
    def size(self) -> int:
        """Total bytes."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; fewer only at the end.

        Raises:
            StorageError: The disk can't deliver them.
        """
        parts = []
        with files.translated(f"{self._location} can't be read at byte {offset}"):
            while length > 0 and (part := os.pread(self._fd, length, offset)):
                parts.append(part)
                offset += len(part)
                length -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the file. Does nothing the second time."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()
