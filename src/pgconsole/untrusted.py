"""Reads what somebody else may have put where a file of ours should be.

Whoever can write to the backup directory, or could once, can leave anything under any name: a pipe
that nobody writes, a device without an end, a link to another place, a time or a number at which
arithmetic fails. Reading it must end, and say what is wrong.
"""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

SMALL = 32 << 20  # bytes; a state that tells of 100,000 verified copies has 20 MB

# Far from the ends of what datetime can do: a time zone or a duration more never leads beyond them.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def open_regular(path: Path | str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file; a symbolic link, a pipe or a device is refused, and never waited for.

    One that has another name is not opened for writing: that may lie outside the backup
    directory, and would be written to as well (as Postfix's `safe_open` does it).

    Args:
        path: The file.
        flags: Of `os.open`, e.g. `O_WRONLY | O_CREAT`.
        mode: Of a file that is made.

    Raises:
        OSError: With ELOOP for a symbolic link, EINVAL for what else is not a regular file,
            EMLINK for one that is to be written to and has another name.
    """
    # Without O_NONBLOCK opening a pipe would wait for whoever is at its other end.
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags, mode)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a pipe that nobody reads, a socket
            raise _irregular(path) from error
        raise
    status = os.fstat(fd)
    writes = flags & os.O_ACCMODE != os.O_RDONLY
    refused = None
    if not stat.S_ISREG(status.st_mode):
        refused = _irregular(path)
    elif writes and status.st_nlink > 1:
        refused = _linked(path)
    if refused is not None:
        os.close(fd)
        raise refused
    return fd


def read_whole(path: Path, most: int = SMALL) -> bytes:
    """All of a regular file.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        OSError: As `open_regular`; with EFBIG for a file that is larger.
    """
    fd = open_regular(path)
    try:
        size = os.fstat(fd).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {most:,}", str(path))
        parts = []
        while size >= 0 and (part := os.read(fd, size + 1)):  # one more: it may have grown
            parts.append(part)
            size -= len(part)
    finally:
        os.close(fd)
    return b"".join(parts)


def parse_time(text: str) -> datetime:
    """A point in time from ISO 8601.

    Raises:
        ValueError: It is none, has no time zone, or is one that no clock of ours has shown.
        TypeError: It is no text.
    """
    return possible(datetime.fromisoformat(text))


def possible(time: datetime) -> datetime:
    """The same time.

    Raises:
        ValueError: It has no time zone, or is one that no clock of ours has shown.
    """
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} has no time zone")
    if not EARLIEST.year <= time.year < LATEST.year:
        raise ValueError(f"the year {time.year} can't be")
    return time


def is_count(value: object) -> bool:
    """Whether it is a number of bytes or rows that can be: whole, not negative, of 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def modified(status: os.stat_result) -> datetime:
    """When a file was last written, UTC. A time that can't be becomes the nearest that can."""
    seconds = min(max(status.st_mtime, EARLIEST.timestamp()), LATEST.timestamp())
    return datetime.fromtimestamp(seconds, UTC)


def within(time: datetime) -> datetime:
    """A time in UTC; one that can't be becomes the nearest that can. Without a zone it is UTC."""
    if time.year < EARLIEST.year:
        return EARLIEST
    if time.year >= LATEST.year:
        return LATEST
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def _irregular(path: Path | str) -> OSError:
    return OSError(errno.EINVAL, "it is not a regular file", str(path))


def _linked(path: Path | str) -> OSError:
    return OSError(errno.EMLINK, "it has another name, a hard link", str(path))
