"""One file of a log: held open, read as it grows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pgconsole.jobs.tail import MOST
from pgconsole.logs.lines import outline

LONGEST_LINE = 1 << 20  # bytes; the journal's own lines are at most a tenth of that
_CHUNK = 1 << 20
_BLOCK = 1 << 18  # bytes that are read at once when lines are read again
_BEGINNING = 128  # bytes by which a file is known again: its first line's time is among them


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log is.

    Attributes:
        path: The file. It need not be there.
        job: The id of its job; empty for the scheduler's.
        kind: The job's kind, or `service`.
    """

    path: Path
    job: str
    kind: str


class Row(NamedTuple):
    """A line in the index."""

    ms: int
    segment: int
    offset: int
    length: int
    rank: int


class Segment:
    """A file, whatever name it has by now. As long as it is open, no other has its identity.

    Args:
        number: Of this segment.
        place: Where it was found.
        fd: The open file, which is its own from now on.
    """

    def __init__(self, number: int, place: Place, fd: int) -> None:
        self.number = number
        self.place = place
        self._fd = fd
        # The first byte of the first line that is not complete yet.
        self._offset = max(0, os.fstat(fd).st_size - MOST)
        self._skipping = self._offset > 0  # inside a line that began before, or is none of ours
        self._latest = 0
        self._beginning = b""
        self._block = b""
        self._block_at = 0

    @property
    def unread(self) -> int:
        """Bytes that were not looked at yet; half a line counts."""
        return max(0, os.fstat(self._fd).st_size - self._offset)

    def is_another(self) -> bool:
        """Whether the file was cut off or written anew, so that its known lines are gone.

        Raises:
            OSError: It can't be read.
        """
        if os.fstat(self._fd).st_size < self._offset:
            return True
        return self._beginning != os.pread(self._fd, len(self._beginning), 0)

    def grown(self) -> list[Row]:
        """The lines that were completed since the last call, about a MiB of them at most.

        Raises:
            OSError: It can't be read.
        """
        chunk = os.pread(self._fd, _CHUNK, self._offset)
        end = chunk.rfind(b"\n") + 1
        if not end:
            if len(chunk) >= LONGEST_LINE:
                self._offset += len(chunk)
                self._skipping = True
            return []
        if len(self._beginning) < _BEGINNING:
            self._beginning = os.pread(self._fd, _BEGINNING, 0)
        rows = self._rows(chunk[:end])
        self._offset += end
        return rows

    def line(self, offset: int, length: int) -> bytes:
        """The bytes of a line; fewer if they are gone.

        Raises:
            OSError: It can't be read.
        """
        at = offset - self._block_at
        if at < 0 or at + length > len(self._block):
            self._block = os.pread(self._fd, max(_BLOCK, length), offset)
            self._block_at, at = offset, 0
        return self._block[at : at + length]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _rows(self, chunk: bytes) -> list[Row]:
        rows = []
        offset, latest = self._offset, self._latest
        for line in chunk.split(b"\n")[:-1]:
            found = None if self._skipping else outline(line)
            self._skipping = False
            if found is not None:
                latest = max(latest, found[0])
                rows.append(Row(latest, self.number, offset, len(line), found[1]))
            offset += len(line) + 1
        self._latest = latest
        return rows
