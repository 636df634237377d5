"""What can be verified: a local file with all its names, an object in S3."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pgconsole.backups.signatures import read_manifest
from pgconsole.dumps.manifest import LaterManifestError, Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, BackupName, parse_name
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import AlteredError, DamagedError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.local import LocalStorage
from pgconsole.storage.local_file import LocalFile

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage


class Subject(Protocol):
    """Something that is read once, and the copies of backups that are proven by it.

    Attributes:
        location: Path or key.
        size: Bytes of it.
        manifest: What it should be, if that is known.
        altered: Why what lies beside it is not what was signed; None if it is, or nobody signed.
        copies: What it is listed as; empty for a file that lies elsewhere.
        undescribed: Those of them that have no manifest, or one that is of no use.
    """

    location: str
    size: int
    manifest: Manifest | None
    altered: AlteredError | None
    copies: tuple[StoredBackup, ...]
    undescribed: tuple[BackupName, ...]

    def open(self) -> RangedSource:
        """Its bytes, until `close`.

        Raises:
            StorageError: It can't be read.
        """
        ...

    def close(self) -> None:
        """Nothing more is read."""
        ...

    def check_unchanged(self) -> None:
        """See that what was read is still what lies there.

        Raises:
            StorageError: It was changed or deleted meanwhile; or it can't be looked for.
        """
        ...

    def add_manifest(self, name: BackupName, manifest: Manifest) -> None:
        """Write a manifest beside one of the copies.

        Raises:
            StorageError: It can't be written.
        """
        ...


class LocalSubject:
    """A local file. Its hard links in other classes are proven with it, if their manifest agrees.

    Args:
        settings: The backup directory, and whose signatures count.
        location: Absolute path, also of a file that lies elsewhere.
        report: Told of manifests that can't be used.

    Raises:
        StorageError: It is not there.
        ConfigurationError: The signing key's file can't be used.
    """

    def __init__(self, settings: Settings, location: str, report: Report) -> None:
        self.location = location
        self._settings = settings
        self._storage = storage = LocalStorage(settings.backup_dir)
        self._file: LocalFile | None = None
        self._status = self._look()
        self.size = self._status.st_size
        found = {copy: _manifest(settings, storage, copy, report) for copy in self._names()}
        beside = list(found.values()) if found else self._beside(report)
        self.altered = beside[0].altered if beside else None
        usable = [one.manifest for one in beside if one.manifest is not None]
        self.manifest = usable[0] if usable else None
        self.copies = tuple(
            copy for copy, one in found.items() if one is beside[0] or one.agrees(self.manifest)
        )
        self.undescribed = tuple(copy.name for copy, one in found.items() if one.is_wanted)

    def open(self) -> LocalFile:
        """See `Subject`."""
        self._file = LocalFile(self.location)
        return self._file

    def close(self) -> None:
        """See `Subject`."""
        if self._file is not None:
            self._file.close()

    def check_unchanged(self) -> None:
        """See `Subject`."""
        if _identity(self._look()) != _identity(self._status):
            raise _changed(self.location)

    def add_manifest(self, name: BackupName, manifest: Manifest) -> None:
        """See `Subject`."""
        self._storage.add_manifest(name, manifest)

    def _look(self) -> os.stat_result:
        with files.translated(f"{self.location} can't be read"):
            try:
                return Path(self.location).lstat()
            except FileNotFoundError:
                raise _gone(self.location) from None

    def _names(self) -> list[StoredBackup]:
        """The file in each class that it is in, its own first."""
        name = parse_name(Path(self.location).name)
        if name is None:
            return []
        others = [other for other in BackupClass if other is not name.backup_class]
        found = [self._storage.find(name.in_class(c)) for c in (name.backup_class, *others)]
        return [copy for copy in found if copy is not None and self._is_me(copy.location)]

    def _is_me(self, location: str) -> bool:
        try:
            return os.path.samestat(Path(location).lstat(), self._status)
        except OSError:  # deleted just now
            return False

    def _beside(self, report: Report) -> list[_Beside]:
        """The manifest of a file that lies elsewhere, such as a safety backup."""
        if not os.path.lexists(self.location + MANIFEST_SUFFIX):
            return []
        return [_read(self._settings, self._storage, self.location, report)]


class S3Subject:
    """An object in the bucket.

    Args:
        settings: Whose signatures count.
        storage: The bucket.
        backup: The object as it is listed.
        report: Told of a manifest that can't be used.

    Raises:
        StorageError: The bucket can't be read.
        ConfigurationError: The signing key's file can't be used.
    """

    def __init__(
        self, settings: Settings, storage: S3Storage, backup: StoredBackup, report: Report
    ) -> None:
        self.location = backup.location
        self.size = backup.size
        self.copies: tuple[StoredBackup, ...] = (backup,)
        self._backup = backup
        self._storage = storage
        beside = _manifest(settings, storage, backup, report)
        self.manifest, self.altered = beside.manifest, beside.altered
        self.undescribed: tuple[BackupName, ...] = (backup.name,) if beside.is_wanted else ()

    def open(self) -> RangedSource:
        """See `Subject`."""
        return self._storage.open(self.location)

    def close(self) -> None:
        """See `Subject`: every request stands for itself."""

    def check_unchanged(self) -> None:
        """See `Subject`."""
        found = self._storage.find(self.location)
        if found is None:
            raise _gone(self.location)
        if (found.size, found.modified) != (self._backup.size, self._backup.modified):
            raise _changed(self.location)

    def add_manifest(self, name: BackupName, manifest: Manifest) -> None:
        """See `Subject`."""
        assert self._backup.name == name
        self._storage.add_manifest(self._backup, manifest.to_json())


def find_in_s3(storage: S3Storage, name: BackupName, key: str) -> StoredBackup:
    """An object as it is listed.

    Raises:
        StorageError: It is not there, or the store can't be asked.
    """
    found = storage.find(key)
    if found is None:
        raise _gone(key)
    has_manifest = storage.find(key + MANIFEST_SUFFIX) is not None
    return StoredBackup(name, Place.S3, key, found.size, found.modified, has_manifest)


class _Beside(NamedTuple):
    """What lies beside a copy.

    Attributes:
        manifest: Its manifest, if it is of use.
        is_wanted: Whether one is missing, or has to be replaced.
        altered: Why it is not what was signed.
    """

    manifest: Manifest | None
    is_wanted: bool = False
    altered: AlteredError | None = None

    def agrees(self, other: Manifest | None) -> bool:
        """Whether nothing speaks against it that another manifest holds for this copy too."""
        mine = self.manifest
        if mine is None or other is None:
            return self.altered is None
        return (mine.sha256, mine.signature) == (other.sha256, other.signature)


def _manifest(
    settings: Settings, storage: LocalStorage | S3Storage, backup: StoredBackup, report: Report
) -> _Beside:
    """What lies beside a copy."""
    if not backup.has_manifest:
        return _Beside(None, is_wanted=True)
    return _read(settings, storage, backup.location, report)


def _read(
    settings: Settings, storage: LocalStorage | S3Storage, dump: str, report: Report
) -> _Beside:
    """A manifest that is there."""
    try:
        return _Beside(read_manifest(settings, storage, dump))
    except AlteredError as error:
        return _Beside(None, altered=error)
    except (DamagedError, StorageError) as error:
        text = f"{error.problem}: {error.cause}. The dump is checked without it"
        report(Event("verify", text, Level.WARNING))
        damaged = isinstance(error, DamagedError) and not isinstance(error, LaterManifestError)
        return _Beside(None, is_wanted=damaged)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _gone(location: str) -> StorageError:
    return StorageError(
        f"{location} can't be read",
        cause="it is not there; it may just have been deleted",
        fix="list the backups again",
    )


def _changed(location: str) -> StorageError:
    return StorageError(
        f"{location} is not proven",
        cause="it was changed while it was read",
        fix="see who writes there, then verify it again",
    )
