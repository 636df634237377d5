"""Keeps the file of proofs short: of each copy the last ones, of copies that are gone none.

It is read whole by every console and every `pgconsole list`, for years: 11 us a line, measured on
one core of a Xeon of 2023, 2.6 s for the 200,000 lines that verifying 20 backups every hour makes
in 14 months.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pgconsole import durable
from pgconsole.backups.evidence import LOCAL, MOST, Evidence, Proof, line_of, parse_lines
from pgconsole.settings import Settings
from pgconsole.untrusted import read_whole

_STEP = 1 << 20  # bytes; every time that the file has grown by so much it is looked through
_KEPT = 8  # proofs of a copy
_MOST_REMOTE = 20_000  # copies in S3; nobody tells us when one of them is deleted
_PATIENCE = 10.0  # seconds; who holds the lock needs it for milliseconds
_BETWEEN_TRIES = 0.01  # seconds


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The file, made if it is missing, for appending to it in the block.

    Raises:
        OSError: It can't be opened, or it is being rewritten and that doesn't end.
    """
    give_up = time.monotonic() + _PATIENCE
    while True:
        fd = durable.open_to_append(path)
        try:
            if _locked(fd, path, fcntl.LOCK_SH):
                yield fd
                return
        finally:
            os.close(fd)
        if time.monotonic() > give_up:
            raise OSError(errno.EBUSY, "it is being rewritten, and that does not end", str(path))
        time.sleep(_BETWEEN_TRIES)


def tidy(settings: Settings, path: Path, before: int, after: int) -> None:
    """Rewrite the file if it has just grown past another step. Whatever goes wrong can wait.

    Args:
        settings: Whose backups.
        path: The file.
        before: Its size before it grew, bytes.
        after: Its size now, bytes.
    """
    if before // _STEP != after // _STEP:
        with suppress(OSError):
            _rewrite(settings, path)


def _rewrite(settings: Settings, path: Path) -> None:
    fd = durable.open_to_append(path)
    try:
        if not _locked(fd, path, fcntl.LOCK_EX):
            return  # somebody writes; the next step comes
        kept = needed(settings, parse_lines(read_whole(path, MOST)))
        durable.replace(path, b"".join(map(line_of, kept)))
    finally:
        os.close(fd)


def needed(settings: Settings, proofs: dict[str, list[Evidence]]) -> list[Evidence]:
    """What is worth keeping, copy by copy; of each in the order in which it was written down.

    Not by `at`: a clock that was set back must not put an older proof in front of a newer one.
    """
    gone = {copy for copy in proofs if copy.startswith(LOCAL) and _is_gone(settings, copy)}
    remote = sorted(
        (copy for copy in proofs if not copy.startswith(LOCAL)),
        key=lambda copy: proofs[copy][-1].at,
    )
    gone.update(remote[:-_MOST_REMOTE])
    return [item for copy, items in proofs.items() if copy not in gone for item in _last(items)]


def _last(items: list[Evidence]) -> list[Evidence]:
    """The last proofs, and the last of each kind, in their order."""
    last_of: dict[Proof, int] = {item.proof: number for number, item in enumerate(items)}
    wanted = {*range(max(0, len(items) - _KEPT), len(items)), *last_of.values()}
    return [items[number] for number in sorted(wanted)]


def _is_gone(settings: Settings, copy: str) -> bool:
    """Whether a local copy was deleted. In an empty directory nothing was: a volume is missing."""
    path = settings.backup_dir / copy.removeprefix(LOCAL)
    try:
        return not os.path.lexists(path) and any(path.parent.iterdir())
    except OSError:
        return False


def _locked(fd: int, path: Path, kind: int) -> bool:
    """Lock the file unless somebody has it in a way that forbids it, or it was replaced."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(fd), path.lstat())
    except (BlockingIOError, FileNotFoundError):
        return False
