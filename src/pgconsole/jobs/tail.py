"""Reads a journal from where it was, as often as one likes, without ever waiting."""

from __future__ import annotations

import os
from pathlib import Path

from pgconsole.jobs.journal import EVENTS, JournalEntry, parse_line
from pgconsole.untrusted import open_regular

_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 20  # bytes; the journal's own lines are at most a tenth of that
MOST = 256 << 20  # bytes of a journal that are read, from its end: three days of a job's progress


class Tail:
    """The new entries of a job's journal since the last `read`.

    A line that is not complete yet is kept until it is. Lines that are no entries are passed
    over. A file that was replaced or has become shorter is read from its start. Of a journal that
    is larger than 256 MiB when it is found only the end is read.

    Args:
        directory: The job's directory. Its journal need not exist yet.
        last_bytes: Begin so many bytes before the end, at the start of a line; 0 for new entries
            only. None begins at the start.
    """

    def __init__(self, directory: Path, last_bytes: int | None = None) -> None:
        self._path = directory / EVENTS
        self._offset = 0
        self._rest = b""
        self._skipping = False  # inside a line that is too long to be ours
        self._file: tuple[int, int] | None = None
        if last_bytes is not None:
            self._begin_near_the_end(last_bytes)

    def read(self) -> list[JournalEntry]:
        """The entries that were completed since the last call, about a MiB of them at most.

        An empty list means that all there is was read.

        Raises:
            OSError: The journal can't be read.
        """
        fd = self._open()
        if fd is None:
            return []
        try:
            while chunk := os.pread(fd, _CHUNK, self._offset):
                self._offset += len(chunk)
                if entries := self._entries(chunk):
                    return entries
            return []
        finally:
            os.close(fd)

    def _open(self) -> int | None:
        try:
            fd = open_regular(self._path)
        except FileNotFoundError:
            return None
        status = os.fstat(fd)
        file = (status.st_dev, status.st_ino)
        if file != self._file or status.st_size < self._offset:
            self._file, self._rest = file, b""
            self._offset = max(0, status.st_size - MOST)
            self._skipping = self._offset > 0
        return fd

    def _begin_near_the_end(self, last_bytes: int) -> None:
        fd = self._open()
        if fd is None:
            return
        try:
            start = max(0, os.fstat(fd).st_size - last_bytes)
            before = max(0, start - _LONGEST_LINE)
            # The line that `start` is in, from its first byte.
            self._offset = before + os.pread(fd, start - before, before).rfind(b"\n") + 1
            self._skipping = False
        finally:
            os.close(fd)

    def _entries(self, chunk: bytes) -> list[JournalEntry]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        if len(self._rest) > _LONGEST_LINE:
            self._rest, self._skipping = b"", True
        elif self._skipping:
            self._rest = b""
        return [entry for line in lines if (entry := parse_line(line)) is not None]
