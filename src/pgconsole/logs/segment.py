"""One file of a log: held open, read as it grows."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pgconsole.jobs.tail import MOST
from pgconsole.logs.lines import outline

LONGEST_LINE = 1 << 20  # bytes; the journal's own lines are at most a tenth of that
_CHUNK = 1 << 20
_BLOCK = 1 << 16  # bytes that are read at once when lines are read again
_BEGINNING = 128  # bytes by which a file is known again: its first line's time is among them
_UNKNOWN = 1 << 62  # milliseconds


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

    It is read from its end: the newest lines first, then what is written after them and, as far
    as that is wanted, what was written before.

    Args:
        number: Of this segment.
        place: Where it was found.
        fd: The open file, which is its own from now on.
    """

    def __init__(self, number: int, place: Place, fd: int) -> None:
        self.number = number
        self.place = place
        self.earliest = _UNKNOWN
        """When the oldest line was written that was read; later than any, if none was."""
        self._fd = fd
        # Whoever read the log may just go, as a pane does that is left.
        self._close = weakref.finalize(self, os.close, fd)
        self._begun = False
        self._older = 0  # bytes from the front that were not looked at
        self._front = 0  # what is before is never looked at: the file is too large to be a log
        self._next = 0  # the first byte of the first line that is not complete yet
        self._in_long_older = False  # what is before was the end of a line too long to be ours
        self._in_long_newer = False
        self._latest = 0
        self._beginning = b""
        self._block = b""
        self._block_at = 0

    @property
    def older(self) -> int:
        """Bytes of older lines that were not looked at yet."""
        self._begin()
        return self._older - self._front

    @property
    def newer(self) -> int:
        """Bytes of newer lines that were not looked at yet; half a line counts."""
        self._begin()
        return max(0, os.fstat(self._fd).st_size - self._next)

    def is_another(self) -> bool:
        """Whether the file was cut off or written anew, so that its known lines are gone.

        Raises:
            OSError: It can't be read.
        """
        if os.fstat(self._fd).st_size < self._next:
            return True
        return self._beginning != os.pread(self._fd, len(self._beginning), 0)

    def read_newer(self) -> list[Row]:
        """The lines that were completed since, about a MiB of them at most.

        Raises:
            OSError: It can't be read.
        """
        self._begin()
        at = self._next
        chunk = os.pread(self._fd, _CHUNK, at)
        end = chunk.rfind(b"\n") + 1
        if not end:
            if len(chunk) >= LONGEST_LINE:
                self._next += len(chunk)
                self._in_long_newer = True
            return []
        self._know_the_beginning()
        self._next += end
        begin = chunk.find(b"\n") + 1 if self._in_long_newer else 0
        self._in_long_newer = False
        rows = self._rows(chunk[begin:end], at + begin)
        for number, row in enumerate(rows):
            if row.ms < self._latest:
                rows[number] = row._replace(ms=self._latest)
            else:
                self._latest = row.ms
        if rows:
            self.earliest = min(self.earliest, rows[0].ms)
        return rows

    def read_older(self) -> list[Row]:
        """The lines before those that were read, about a MiB of them.

        Raises:
            OSError: It can't be read.
        """
        self._begin()
        at = max(self._front, self._older - _CHUNK)
        chunk = os.pread(self._fd, self._older - at, at)
        if self._in_long_older:
            end = chunk.rfind(b"\n") + 1
            self._in_long_older = not end
            self._older = at + end
            return []
        begin = chunk.find(b"\n") + 1 if at else 0
        self._in_long_older = begin == len(chunk)
        self._older = at if self._in_long_older or at == self._front else at + begin
        rows = self._rows(chunk[begin:], at + begin)
        if rows:
            self._latest = max(self._latest, rows[-1].ms)
        for number in range(len(rows) - 1, -1, -1):
            if rows[number].ms > self.earliest:
                rows[number] = rows[number]._replace(ms=self.earliest)
            else:
                self.earliest = rows[number].ms
        return rows

    def forget_older(self) -> None:
        """Older lines are not wanted."""
        self._begin()
        self._older = self._front

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

    def forget_block(self) -> None:
        """Let go of what was kept for lines beside the last one."""
        self._block = b""

    def close(self) -> None:
        """Let go of the file."""
        self._close()

    def _begin(self) -> None:
        """Find the end of the last whole line."""
        if self._begun:
            return
        self._begun = True
        self._know_the_beginning()
        size = os.fstat(self._fd).st_size
        self._front = max(0, size - MOST)
        at = max(0, size - _CHUNK)
        end = os.pread(self._fd, size - at, at).rfind(b"\n") + 1
        self._older = self._next = at + end
        if at and not end:
            self._next = size
            self._in_long_older = self._in_long_newer = True

    def _know_the_beginning(self) -> None:
        if len(self._beginning) < _BEGINNING:
            self._beginning = os.pread(self._fd, _BEGINNING, 0)

    def _rows(self, chunk: bytes, offset: int) -> list[Row]:
        rows = []
        for line in chunk.split(b"\n")[:-1]:
            found = outline(line)
            if found is not None:
                rows.append(Row(found[0], self.number, offset, len(line), found[1]))
            offset += len(line) + 1
        return rows
