"""Symbolic links by which somebody else could lead what we write out of BACKUP_DIR."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pgconsole.errors import StorageError
from pgconsole.storage import files

_STATE = ".pgconsole"  # as Settings.state_dir; wal-push has no time to import that


def refuse_strange_links(backup_dir: Path) -> None:
    """See that no third person decides where the directories of BACKUP_DIR lie.

    Raises:
        StorageError: A link in it is a stranger's, or it can't be read.
    """
    for directory in (backup_dir, backup_dir / _STATE):  # the second may be a link in the first
        with files.translated(f"Directory {directory} can't be read"):
            try:
                with os.scandir(directory) as entries:
                    links = [Path(entry.path) for entry in entries if entry.is_symlink()]
            except (FileNotFoundError, NotADirectoryError):  # for whoever wants to write there
                continue
        for link in sorted(links):
            refuse_strange_link(link)


def refuse_strange_link(path: Path) -> None:
    """The same for one path in it; what is no link, or not there, is fine.

    A directory may be a link, so that one class can lie on another disk. As the kernel does where
    everybody may write (proc(5), protected_symlinks), we follow one only if we made it ourselves,
    or root, or the owner of the directory that it is in, who could do as he likes anyway. Files
    are never reached by a link: they are opened with O_NOFOLLOW.

    Raises:
        StorageError: It is a link of somebody else's.
    """
    with files.translated(f"{path} can't be looked at"):
        try:
            status = path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISLNK(status.st_mode):
            return
        user = os.geteuid()
        if status.st_uid in {0, user, path.parent.stat().st_uid}:
            return
    raise StorageError(
        f"{path} is a symbolic link of user id {status.st_uid}",
        cause="they would decide where backups are written, and they own neither the link's "
        "directory nor this process",
        fix="see where it leads, and who may write there; then put a directory in its place, or "
        f"make the link again as user id {user}",
    )
