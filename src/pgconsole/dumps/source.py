"""Where a dump's bytes are read from."""

from __future__ import annotations

from typing import Protocol


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
