"""How our own small files are written so that they survive any crash."""

from __future__ import annotations

import os
from pathlib import Path

from pgconsole.untrusted import open_regular

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def make_directory(path: Path) -> None:
    """Make the directory and its missing parents, for our eyes only whatever the umask is.

    Raises:
        OSError: It can't be made.
    """
    for directory in [*reversed(path.parents), path]:
        if not directory.is_dir():
            directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, down to the disk.

    Raises:
        OSError: It exists or can't be written.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        _write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)


def replace(path: Path, content: bytes) -> None:
    """Replace a file at once: readers see the old content or the new, also after a power loss.

    Raises:
        OSError: It can't be written; the old content is still there.
    """
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)  # of a writer that was killed
    write_new(aside, content)
    aside.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Bring the directory's entries to the disk.

    Raises:
        OSError: The disk refuses.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_to_append(path: Path) -> int:
    """A descriptor whose every write lands at the end of the file, whoever else writes.

    Raises:
        OSError: The file can't be opened, or it is no regular one.
    """
    return open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
