"""The copy of a dump that is to be restored: in a listing, or anywhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.signatures import read_manifest, refuse_stripped
from pgconsole.dumps.layout import layout_of_copy
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, BackupName, parse_name
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.local import LocalStorage
from pgconsole.untrusted import modified

RESTORED = "restored"  # the directory of downloads, in BACKUP_DIR
SAFETY = "safety"  # that of safety backups


@dataclass(frozen=True, slots=True)
class FoundCopy:
    """A copy as it is now.

    Attributes:
        place: Where it lies.
        location: Its absolute path, or its key in the bucket.
        size: Compressed bytes.
        modified: When it was last written, as listings say it, UTC.
        name: What its file name says; None for safety backups and foreign names.
        stored: As listings show it; None if it lies elsewhere than backups do.
    """

    place: Place
    location: str
    size: int
    modified: datetime
    name: BackupName | None
    stored: StoredBackup | None


def find_copy(settings: Settings, place: Place, location: str) -> FoundCopy:
    """Look at a copy.

    Args:
        settings: Whose backup directory and bucket.
        place: Where it lies.
        location: Its absolute path, or its whole key.

    Raises:
        ConfigurationError: S3 is off, or the location can't be one.
        StorageError: There is no such copy, or it can't be looked at.
    """
    if place is Place.LOCAL:
        return _local(settings, Path(location))
    return _s3(settings, check_key(settings, location))


def listed(backup: StoredBackup) -> FoundCopy:
    """A copy as a listing shows it; nothing is looked at."""
    return FoundCopy(
        backup.place, backup.location, backup.size, backup.modified, backup.name, backup
    )


def find_local(settings: Settings, file: str) -> Path:
    """The file that an operator means: a path, or a name in one of the directories of backups.

    Names are looked for among the backups, the safety backups and the downloads. Nothing may be
    there: `find_copy` says so.
    """
    path = Path(file)
    if "/" not in file and not os.path.lexists(path):
        for directory in (*map(str, BackupClass), SAFETY, RESTORED):
            candidate = settings.backup_dir / directory / file
            if os.path.lexists(candidate):
                return candidate
    return Path(os.path.realpath(path))


def manifest_of(settings: Settings, copy: FoundCopy) -> Manifest | None:
    """The manifest beside a copy, wherever it lies; None if there is none.

    Raises:
        StorageError: It can't be read.
        AlteredError: It is not what was signed, or nobody signed it and somebody should have.
        DamagedError: It is no manifest, is of another file, or of a version that we don't know.
        ConfigurationError: The signing key's file can't be used.
    """
    if copy.place is Place.LOCAL:
        manifest = beside(settings, Path(copy.location))
    else:
        storage = s3_storage(settings)
        there = storage.find(copy.location + MANIFEST_SUFFIX) is not None
        manifest = read_manifest(settings, storage, copy.location) if there else None
    if manifest is not None:
        layout_of_copy(manifest, copy.size)
    refuse_stripped(settings, copy.stored, copy.location, manifest)
    return manifest


def beside(settings: Settings, path: Path) -> Manifest | None:
    """The manifest beside a local dump; None for a file of the old scripts.

    Raises:
        StorageError: It can't be read.
        AlteredError: It is not what was signed.
        DamagedError: It is no manifest, or of a version that this pgconsole does not know.
        ConfigurationError: The signing key's file can't be used.
    """
    if not os.path.lexists(f"{path}{MANIFEST_SUFFIX}"):
        return None
    return read_manifest(settings, LocalStorage(path.parent), str(path))


def check_key(settings: Settings, key: str) -> str:
    """A whole key, as `aws s3 ls` and listings show it; also as `s3://<bucket>/<key>`.

    Raises:
        ConfigurationError: It can't be the key of a dump, or its last part no file name here.
    """
    key = key.removeprefix(f"s3://{settings.s3_bucket}/")
    parts = key.split("/")
    cause = ""
    if not key.isprintable():
        cause = "it has characters that can't be printed"
    elif "" in parts or "." in parts or ".." in parts:
        cause = "it has an empty part, `.` or `..`"
    elif parts[-1].startswith(".") or not parts[-1].endswith((".gz", ".gz.age")):
        cause = "its last part is no name of a dump (.sql.gz, .sql.gz.age)"
    if cause:
        raise ConfigurationError(
            f"{key!r} can't be the key of a backup",
            cause=cause,
            fix="give a whole key, e.g. backups/daily/thinktank_daily_20260225_020000.sql.gz; "
            "`pgconsole restore --list-s3` lists the backups",
        )
    return key


def _local(settings: Settings, path: Path) -> FoundCopy:
    if not path.is_absolute():
        raise ConfigurationError(f"{path} is no absolute path", fix="give the whole path")
    with files.translated(f"{path} can't be restored"):
        status = path.lstat()
    name = parse_name(path.name)
    written = modified(status)
    stored = None
    if name is not None and LocalStorage(settings.backup_dir).path(name) == path:
        has_manifest = os.path.lexists(f"{path}{MANIFEST_SUFFIX}")
        stored = StoredBackup(name, Place.LOCAL, str(path), status.st_size, written, has_manifest)
    return FoundCopy(Place.LOCAL, str(path), status.st_size, written, name, stored)


def _s3(settings: Settings, key: str) -> FoundCopy:
    storage = s3_storage(settings)
    found = storage.find(key)
    if found is None:
        raise StorageError(
            f"{key} can't be restored",
            cause=f"bucket {settings.s3_bucket!r} has no such object",
            fix="give a whole key, with the prefix; `pgconsole restore --list-s3` lists them",
        )
    name = parse_name(key.rpartition("/")[2])
    stored = None
    if name is not None and settings.s3_prefix + name.relative_path == key:
        has_manifest = storage.find(key + MANIFEST_SUFFIX) is not None
        stored = StoredBackup(name, Place.S3, key, found.size, found.modified, has_manifest)
    return FoundCopy(Place.S3, key, found.size, found.modified, name, stored)
