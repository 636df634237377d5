"""File locks that the kernel releases when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pgconsole.durable import PRIVATE_FILE, make_directory
from pgconsole.untrusted import open_regular, parse_time

_ONLOOKERS_TAKE = 5.0  # seconds, at most
_BETWEEN_TRIES = 0.005  # seconds; an onlooker is done within microseconds


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock. Written into the lock file by the holder itself.

    Attributes:
        who: The person or service, as `current_actor` says it.
        what: What the lock is held for, e.g. `backup`.
        since: ISO 8601, UTC.
        host: Host name.
        pid: Process id on that host.
        job: The job's id, or empty.
    """

    who: str
    what: str
    since: str
    host: str
    pid: int
    job: str = ""

    @property
    def since_time(self) -> datetime:
        """When the lock was taken; timezone-aware."""
        return parse_time(self.since)


class LockedError(Exception):
    """The lock is held. `holder` is None if the holder did not get to write its name."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def hold(path: Path, holder: Holder) -> Iterator[None]:
    """Hold the lock for the duration of the block. Waits for onlookers only, never for a holder.

    The file stays: removing it would let two processes lock two files of one name. The
    descriptor is not inherited by children, so a surviving pg_dump never keeps a lock.

    Raises:
        LockedError: Somebody else holds it.
        OSError: The file can't be opened.
    """
    make_directory(path.parent)
    fd = open_regular(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        if not _take(fd):
            raise LockedError(_read(fd))
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(asdict(holder)).encode(), 0)
        yield
    finally:
        os.close(fd)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock right now. A missing file is not held."""
    try:
        fd = open_regular(path)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two onlookers never see each other.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def read_holder(path: Path) -> Holder | None:
    """Who took the lock last, as far as the file says. Only while `is_held` is it theirs."""
    try:
        fd = open_regular(path)
    except FileNotFoundError:
        return None
    try:
        return _read(fd)
    finally:
        os.close(fd)


def _take(fd: int) -> bool:
    """Take the lock unless somebody holds it for good.

    An onlooker's `is_held` has it shared for an instant, which is longer on a busy machine. That
    can be told: beside a holder nobody gets it shared.
    """
    give_up = time.monotonic() + _ONLOOKERS_TAKE
    while not _try(fd, fcntl.LOCK_EX):
        if not _try(fd, fcntl.LOCK_SH) or time.monotonic() > give_up:
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
        time.sleep(_BETWEEN_TRIES)
    return True


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(fd: int) -> Holder | None:
    try:
        holder = Holder(**json.loads(os.pread(fd, 65536, 0)))
        _ = holder.since_time
    except (ValueError, TypeError, RecursionError):  # whatever else somebody wrote there
        return None
    texts = (holder.who, holder.what, holder.host, holder.job)
    return holder if all(isinstance(text, str) for text in texts) else None
