"""Steps on files that are on the disk when they return, and that never overwrite anything."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pgconsole.errors import StorageError
from pgconsole.untrusted import open_regular

_CHUNK = 4 << 20  # bytes
_AT_FDCWD = -100  # fcntl.h
_RENAME_NOREPLACE = 1  # linux/fs.h
_libc = ctypes.CDLL(None, use_errno=True)

# link(2) and rename(2): what says "not here" rather than "not at all".
_NO_HARD_LINK = {errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK,
                 errno.ENOSYS, errno.EINVAL}  # fmt: skip

_CAUSES = {
    errno.ENOENT: ("it does not exist", "create it, or mount the volume it belongs to"),
    errno.ENOTDIR: ("part of the path is not a directory", "correct BACKUP_DIR"),
    errno.ENOSPC: ("the disk is full", "free some space or use a larger volume"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or raise the quota"),
    errno.EROFS: ("the file system is read-only", "mount it writable; look for disk errors"),
    errno.EIO: ("the disk reported a fault", "check the disk (dmesg) before you rely on it"),
    errno.ELOOP: ("it is a symbolic link", "replace it by the file itself"),
    errno.EMLINK: ("it has another name, a hard link", "replace it by a copy of itself"),
}


@contextlib.contextmanager
def translated(problem: str) -> Iterator[None]:
    """Turn an OSError of the block into a StorageError with cause and fix.

    Args:
        problem: What can't be done, with the name of the thing.
    """
    try:
        yield
    except OSError as error:
        raise storage_error(problem, error) from error


def storage_error(problem: str, error: OSError) -> StorageError:
    """The StorageError that says what an OSError means for the operator."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        user = f"user id {os.geteuid()}"
        return StorageError(
            problem, cause=f"{user} has no permission", fix=f"give {user} access to it"
        )
    if error.errno in _CAUSES:
        cause, fix = _CAUSES[error.errno]
        return StorageError(problem, cause=cause, fix=fix)
    return StorageError(
        problem, cause=error.strerror or str(error), fix="check the disk and its file system"
    )


def fsync_directory(path: Path) -> None:
    """Put the names in a directory on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def create(path: Path) -> int:
    """Create a file of mode 0600 for writing, in the place of what a killed job left there."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def write_durably(path: Path, data: bytes) -> None:
    """Write a small file and put its bytes on the disk; remove it again if that fails."""
    fd = create(path)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def move(source: Path, target: Path) -> None:
    """Give a file its final name. Never overwrites, on any file system.

    A hard link does it everywhere but on file systems without them (FAT, some network mounts).
    There `renameat2` does; where that is missing too, a check and a rename, which the caller's
    lock makes safe against every other pgconsole.

    Raises:
        FileExistsError: The target exists.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINK:
            raise
        if not _rename_without_replacing(source, target):
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, "File exists", str(target)) from None
            source.rename(target)
    else:
        source.unlink()


def _rename_without_replacing(source: Path, target: Path) -> bool:
    """Whether `renameat2` did it; False where libc, kernel or file system don't know how."""
    renameat2 = getattr(_libc, "renameat2", None)  # missing in older musl
    if renameat2 is None:
        return False
    old, new = os.fsencode(source), os.fsencode(target)
    if renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.EINVAL, errno.ENOSYS}:
        return False
    raise OSError(number, os.strerror(number), str(target))


def link_or_copy(source: Path, target: Path, partial: Path) -> None:
    """Give a file a second name by a hard link, or by a copy where links don't work.

    The copy is written to `partial`, read back and compared before it gets its name.

    Raises:
        FileExistsError: The target exists.
        OSError: Neither can be done; nothing is left behind.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINK:
            raise
    else:
        return
    try:
        _copy(source, partial)
        move(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _copy(source: Path, target: Path) -> None:
    """Copy the bytes to a new file, put them on the disk, and compare what the disk has."""
    digest = hashlib.sha256()
    with (
        os.fdopen(open_regular(source), "rb", buffering=0) as reader,
        os.fdopen(create(target), "wb", buffering=0) as writer,
    ):
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            _write_all(writer.fileno(), chunk)
        os.fsync(writer.fileno())
        # Else the comparison would read the page cache, not the disk.
        os.posix_fadvise(writer.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with os.fdopen(open_regular(target), "rb", buffering=0) as reader:
        if hashlib.file_digest(reader, "sha256").digest() != digest.digest():
            raise OSError(errno.EIO, "the copy is not what was written", str(target))


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
