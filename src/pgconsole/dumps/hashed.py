"""Hashes a file while it is read from front to back."""

from __future__ import annotations

import hashlib

from pgconsole.dumps.source import RangedSource


class Hashed:
    """A source that hashes what is read of it. To be used by one thread at a time.

    Reading may go back; it must not leave a gap, or what follows is not hashed.

    Args:
        source: The file.

    Attributes:
        hashed: How many bytes, from the first on, were hashed.
    """

    def __init__(self, source: RangedSource) -> None:
        self._source = source
        self._sha256 = hashlib.sha256()
        self.hashed = 0

    @property
    def size(self) -> int:
        """Total bytes."""
        return self._source.size

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes hashed so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def read_at(self, offset: int, length: int) -> bytes:
        """As `RangedSource.read_at`."""
        data = self._source.read_at(offset, length)
        known = self.hashed - offset
        if 0 <= known < len(data):
            self._sha256.update(memoryview(data)[known:])
            self.hashed = offset + len(data)
        return data
