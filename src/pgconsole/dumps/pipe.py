"""Reads pg_dump's pipe in large pieces, although pg_dump writes 4 KiB at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import time
from collections.abc import Callable

from pgconsole.errors import StorageError

_PIPE_SIZE = 1 << 20  # bytes; what an unprivileged process may ask for (fs.pipe-max-size)
_LOOK_UP = 200  # milliseconds; how often a silent pipe lets us look at anything else
# After a small read, time for pg_dump to write on: one wake-up for some 200 KiB instead of one
# for 4 KiB, which also spares pg_dump the waking. At 1 GB/s the pipe would just not be full.
_SMALL = _PIPE_SIZE // 4
_PAUSE = 0.001  # seconds


class Pipe:
    """The reading end of a pipe (or any other descriptor).

    Args:
        fd: The descriptor; it stays the caller's.
        tick: Called with the number of bytes read so far after every read, and five times a
            second while nothing comes. May raise.
    """

    def __init__(self, fd: int, tick: Callable[[int], None]) -> None:
        self._fd = fd
        self._tick = tick
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self.bytes_read = 0
        # No pipe, or the user has too many: slower, not wrong.
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)

    def fill(self, buffer: memoryview) -> int:
        """Read until the buffer is full or the pipe ends.

        Returns:
            How many bytes were read; fewer than fit only at the end.

        Raises:
            StorageError: The pipe can't be read.
        """
        end = 0
        while end < len(buffer):
            while not self._poll.poll(_LOOK_UP):
                self._tick(self.bytes_read)
            read = self._read(buffer[end:])
            if read == 0:
                break
            end += read
            self.bytes_read += read
            self._tick(self.bytes_read)
            if read < _SMALL:
                time.sleep(_PAUSE)
        return end

    def _read(self, buffer: memoryview) -> int:
        try:
            return os.readv(self._fd, [buffer])
        except OSError as error:
            raise StorageError(
                "The output of pg_dump can't be read",
                cause=error.strerror or str(error),
                fix="see the log of the system; take the backup again",
            ) from error
