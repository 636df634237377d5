"""Archive a WAL file in a directory: whole, on the disk, and never in the place of another."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pgconsole import locks
from pgconsole.errors import BusyError, StorageError
from pgconsole.storage import files
from pgconsole.storage.links import refuse_strange_link
from pgconsole.untrusted import open_regular
from pgconsole.wal.content import GZIP, opened, same, write
from pgconsole.wal.segments import check_name

_LOCK = ".lock"


def push(source: Path, archive: Path, *, compress: bool = False) -> None:
    """Archive one file. When this returns, the disk has it, whole, under its final name.

    A file of that name with the same content (plain or gzipped) is success: the server asks again
    after a crash. One with another content is never touched.

    Args:
        source: What the server names with `%p`.
        archive: The directory; it is made if only itself is missing.
        compress: Whether to gzip it, as `<name>.gz`.

    Raises:
        ConfigurationError: The name is not a WAL file's.
        DamagedError: The content is not what the name says.
        BusyError: Another push works in this directory.
        StorageError: It can't be read or written, or another file of that name is there.
    """
    check_name(source.name)
    with opened(source) as file:
        with files.translated(f"{archive} can't be used"):
            _make(archive)
        aside = archive / f".{source.name}.aside"  # no WAL file's name begins with a dot
        with files.translated(f"{source.name} can't be archived in {archive}"), _alone(archive):
            if not _is_there(file, source.name, archive):
                _write(file, aside, compress=compress)
                files.move(aside, archive / f"{source.name}{GZIP if compress else ''}")
            aside.unlink(missing_ok=True)  # of a push that was killed
            files.fsync_directory(archive)


def different(name: str, where: str) -> StorageError:
    """The error for a file of this name and another content."""
    return StorageError(
        f"{name} is not archived",
        cause=f"{where} is there with another content, and is never overwritten",
        fix="see which server wrote it: each server needs an archive of its own, and so does one "
        "that was restored and began anew; move the old archive away only if nobody needs it",
    )


def _make(archive: Path) -> None:
    refuse_strange_link(archive)
    if not archive.is_dir():
        archive.mkdir(mode=0o700, exist_ok=True)
        files.fsync_directory(archive.parent)


@contextmanager
def _alone(archive: Path) -> Iterator[None]:
    """Be the only push in this directory: what lies aside is then a dead one's.

    Raises:
        BusyError: Another push is at work, for instance that of an archiver that was killed.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = locks.Holder("archiver", "wal-push", now, socket.gethostname(), os.getpid())
    try:
        with locks.hold(archive / _LOCK, holder):
            yield
    except locks.LockedError as error:
        by = f" (process {error.holder.pid} on {error.holder.host})" if error.holder else ""
        raise BusyError(
            f"Nothing is archived in {archive}",
            cause=f"another wal-push is at work there{by}",
            fix="the server tries again by itself; each server needs an archive of its own",
        ) from None


def _is_there(source: IO[bytes], name: str, archive: Path) -> bool:
    """Whether the archive has this very content under this name, on the disk.

    Raises:
        StorageError: It has another content.
    """
    found = False
    for path in (archive / name, archive / f"{name}{GZIP}"):
        if not os.path.lexists(path):
            continue
        with open(open_regular(path), "rb") as other:  # noqa: PTH123 - a descriptor
            if not same(source, other, compressed=path.suffix == GZIP):
                raise different(name, str(path))
            os.fsync(other.fileno())  # the push that wrote it may have been killed before
        found = True
    return found


def _write(source: IO[bytes], aside: Path, *, compress: bool) -> None:
    """Write the file aside, down to the disk, and compare what the disk has.

    Raises:
        OSError: It can't be written; nothing is left behind.
    """
    try:
        with open(files.create(aside), "wb") as target:  # noqa: PTH123 - a descriptor
            write(source, target, compress=compress)
            target.flush()
            os.fsync(target.fileno())
            # Else the comparison would read the page cache, not the disk.
            os.posix_fadvise(target.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with open(open_regular(aside), "rb") as written:  # noqa: PTH123 - a descriptor
            if not same(source, written, compressed=compress):
                raise StorageError(
                    f"{aside} is not what was written",
                    cause="the disk returned other bytes, or the server's file changed meanwhile",
                    fix="check the disk (dmesg) before you rely on it",
                )
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
