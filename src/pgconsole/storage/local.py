"""Backups in a local directory: `BACKUP_DIR/{daily,weekly,monthly}/`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass, BackupName, check_database_name
from pgconsole.errors import StorageError
from pgconsole.storage import files
from pgconsole.storage.base import Listing, Place, Removed, StoredBackup
from pgconsole.storage.local_file import LocalFile
from pgconsole.storage.local_scan import (
    Scan,
    as_listed,
    is_as_listed,
    leftover_name,
    manifest_path,
    own_partial_path,
    partial_path,
    scan_directory,
)
from pgconsole.untrusted import open_regular

_SMALL = 64 << 20  # bytes; the most that read_small reads


class LocalStorage:
    """The backup directory. Its class directories may be symbolic links; what lies in them not.

    Whoever writes holds the database's lock. What a method has written is on the disk when it
    returns.

    Args:
        backup_dir: BACKUP_DIR, absolute.
    """

    place = Place.LOCAL

    def __init__(self, backup_dir: Path) -> None:
        self.backup_dir = backup_dir

    def listing(self) -> Listing:
        """All that lies here, the newest backup first.

        Raises:
            StorageError: BACKUP_DIR or a class's directory is missing or unreadable.
        """
        scans = [self._scan(backup_class) for backup_class in self._classes()]
        backups = list(chain.from_iterable(scan.backups for scan in scans))
        backups.sort(key=lambda backup: backup.name.taken_at, reverse=True)
        return Listing(
            tuple(backups),
            tuple(chain.from_iterable(scan.foreign for scan in scans)),
            tuple(str(path) for scan in scans for path in scan.leftovers),
        )

    def pages(self) -> Iterator[list[StoredBackup]]:
        """The backups class by class.

        Raises:
            StorageError: As `listing`.
        """
        for backup_class in self._classes():
            yield self._scan(backup_class).backups

    def find(self, name: BackupName) -> StoredBackup | None:
        """One backup as a listing shows it, or None if it is not there or no regular file.

        Raises:
            StorageError: Its directory can't be read.
        """
        path = self.path(name)
        with files.translated(f"{path} can't be looked for"):
            try:
                status = path.lstat()
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(status.st_mode):
                return None
            has_manifest = os.path.lexists(manifest_path(path))
        return as_listed(name, str(path), status, has_manifest=has_manifest)

    def open(self, location: str) -> LocalFile:
        """One file for ranged reading.

        Raises:
            StorageError: It is missing, unreadable or not a regular file.
        """
        return LocalFile(location)

    def read_small(self, location: str) -> bytes:
        """A whole small file (a manifest; at most 64 MiB).

        Raises:
            StorageError: It is missing, unreadable, not a regular file, or larger.
        """
        file = LocalFile(location)
        try:
            if file.size > _SMALL:
                raise StorageError(
                    f"{location} is no manifest",
                    cause=f"it has {file.size} bytes, more than {_SMALL}",
                    fix="remove it and verify the backup: that writes a new one",
                )
            return file.read_at(0, file.size)
        finally:
            file.close()

    def free_bytes(self) -> int:
        """Bytes that an unprivileged user can still write.

        Raises:
            StorageError: BACKUP_DIR is missing.
        """
        with files.translated(f"Backup directory {self.backup_dir} can't be used"):
            status = os.statvfs(self.backup_dir)
        return status.f_bavail * status.f_frsize

    def path(self, name: BackupName) -> Path:
        """Where a backup lies, or would lie, under its final name."""
        return self.backup_dir / name.relative_path

    def partial_path(self, name: BackupName) -> Path:
        """Where a backup is written before it gets its name; its directory is there then.

        Raises:
            ConfigurationError: The database's name can't be part of a file name.
            StorageError: The directory can't be made.
        """
        check_database_name(name.database)
        path = self.path(name)
        with files.translated(f"Directory {path.parent} can't be made"):
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700)
                files.fsync_directory(self.backup_dir)
        return partial_path(path)

    def publish(self, name: BackupName, manifest: Manifest) -> Path:
        """Give the finished partial file its final name, after its manifest.

        Returns:
            The final path.

        Raises:
            StorageError: A backup of this name exists, or the disk fails. `discard` then removes
                what is there, unless the dump got its name in the last step.
        """
        final = self.path(name)
        _must_be_free(final)
        with files.translated(f"Backup {final} can't be published"):
            _settle(partial_path(final))
            _write_manifest(manifest_path(final), manifest)
            try:
                files.move(partial_path(final), final)
            except FileExistsError:
                manifest_path(final).unlink()  # it would describe another dump
                raise _exists(final) from None
            files.fsync_directory(final.parent)
        return final

    def add_manifest(self, name: BackupName, manifest: Manifest) -> None:
        """Write the manifest of a published dump; one that is there is replaced.

        The dump may be deleted meanwhile: then nothing stays.

        Raises:
            StorageError: It can't be written; what was there is still there.
        """
        final = self.path(name)
        target = manifest_path(final)
        with files.translated(f"Manifest {target} can't be written"):
            # Two may verify it at once; they hold no lock.
            partial = own_partial_path(target)
            files.write_durably(partial, manifest.to_json())
            try:
                partial.rename(target)
            except OSError:
                partial.unlink(missing_ok=True)
                raise
            if not os.path.lexists(final):
                target.unlink(missing_ok=True)
            files.fsync_directory(target.parent)

    def add_class(self, name: BackupName, backup_class: BackupClass) -> Path:
        """Make a published backup a member of another class too, by hard link or else by copy.

        Does nothing if that hard link is there.

        Args:
            name: The published backup.
            backup_class: The other class.

        Returns:
            The path in the other class.

        Raises:
            StorageError: Another file has the name, or the disk fails; no dump lies there under
                its final name that did not before.
        """
        source, target = self.path(name), self.path(name.in_class(backup_class))
        self.partial_path(name.in_class(backup_class))
        with files.translated(f"{source} can't be added to the {backup_class} backups"):
            if _is_same(source, target):
                return target
            _must_be_free(target)
            manifest_path(target).unlink(missing_ok=True)  # an orphan: there is no dump
            try:
                if os.path.lexists(manifest_path(source)):
                    _link(manifest_path(source), manifest_path(target))
                _link(source, target)
            except BaseException:
                if not _is_same(source, target):
                    manifest_path(target).unlink(missing_ok=True)
                raise
        return target

    def discard(self, name: BackupName) -> None:
        """Remove what an aborted backup wrote; a published dump stays, with its manifest.

        Raises:
            StorageError: It can't be removed.
        """
        final = self.path(name)
        with files.translated(f"{partial_path(final)} can't be removed"):
            if not final.parent.is_dir():
                return
            partial_path(final).unlink(missing_ok=True)
            partial_path(manifest_path(final)).unlink(missing_ok=True)
            if not os.path.lexists(final):
                manifest_path(final).unlink(missing_ok=True)
            files.fsync_directory(final.parent)

    def remove_leftovers(self, database: str) -> list[str]:
        """Remove what killed backups of exactly this database left; the caller holds its lock.

        Returns:
            The paths of the removed files: partial files, and manifests without a dump.

        Raises:
            StorageError: A directory can't be read, or a file can't be removed.
        """
        removed = []
        for backup_class in self._classes():
            for path in self._scan(backup_class).leftovers:
                name = leftover_name(path.name)
                if name is not None and name.database == database:
                    with files.translated(f"{path} can't be removed"):
                        path.unlink(missing_ok=True)
                        files.fsync_directory(path.parent)
                    removed.append(str(path))
        return removed

    def remove(self, backup: StoredBackup) -> Removed:
        """Delete one file and its manifest, the dump first. Its other hard links stay.

        Raises:
            StorageError: The file is not what was listed any more (then it stays), or it can't be
                deleted.
        """
        path = self.path(backup.name)
        freed = 0
        with files.translated(f"{path} can't be deleted"):
            if os.path.lexists(path):
                status = path.lstat()
                if not is_as_listed(status, backup):
                    raise StorageError(
                        f"{path} is not deleted",
                        cause="it is not the file any more that was there a moment ago",
                        fix="see who writes there, then prune again",
                    )
                path.unlink()
                # On the disk first: a manifest without a dump is swept, a dump without its
                # manifest would pass for a file of the old scripts.
                files.fsync_directory(path.parent)
                freed = status.st_size if status.st_nlink == 1 else 0
            manifest_path(path).unlink(missing_ok=True)
            files.fsync_directory(path.parent)
        return Removed(freed)

    def _classes(self) -> list[BackupClass]:
        """The classes whose directories exist."""
        with files.translated(f"Backup directory {self.backup_dir} can't be read"):
            present = set(os.listdir(self.backup_dir))  # noqa: PTH208 - names only
        return [backup_class for backup_class in BackupClass if backup_class in present]

    def _scan(self, backup_class: BackupClass) -> Scan:
        directory = self.backup_dir / backup_class
        with files.translated(f"Directory {directory} can't be read"):
            return scan_directory(directory, backup_class)


def _settle(partial: Path) -> None:
    """Put a partial file's bytes on the disk and its mode right."""
    fd = open_regular(partial)
    try:
        os.fchmod(fd, 0o600)
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest of a dump that is not published yet; an orphan in its place goes."""
    files.write_durably(partial_path(path), manifest.to_json())
    path.unlink(missing_ok=True)
    files.move(partial_path(path), path)
    files.fsync_directory(path.parent)


def _link(source: Path, target: Path) -> None:
    files.link_or_copy(source, target, partial_path(target))
    files.fsync_directory(target.parent)


def _is_same(source: Path, target: Path) -> bool:
    """Whether both names are one file. A symbolic link is not the file it points to."""
    return os.path.lexists(target) and os.path.samestat(source.lstat(), target.lstat())


def _must_be_free(final: Path) -> None:
    if os.path.lexists(final):
        raise _exists(final)


def _exists(path: Path) -> StorageError:
    return StorageError(
        f"Backup {path} can't be published",
        cause="a file of this name exists",
        fix="move it away if it is not wanted, then take the backup again",
    )
