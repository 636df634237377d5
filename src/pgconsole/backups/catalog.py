"""Which backups there are, locally and in S3, and what their manifests say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgconsole.backups.signatures import read_manifest
from pgconsole.dumps.manifest import Manifest
from pgconsole.errors import ConfigurationError, DamagedError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, Place, StoredBackup
from pgconsole.storage.local import LocalStorage

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage


def local_backups(settings: Settings) -> Listing:
    """What BACKUP_DIR holds, the newest first.

    Raises:
        StorageError: The directory can't be read.
    """
    return LocalStorage(settings.backup_dir).listing()


def s3_backups(settings: Settings) -> Listing:
    """What the bucket holds, the newest first.

    Raises:
        ConfigurationError: No bucket is set.
        StorageError: The bucket is unreachable, refuses us or is missing.
    """
    return s3_storage(settings).listing()


def load_manifest(settings: Settings, backup: StoredBackup) -> Manifest | None:
    """The manifest beside a backup, or None if it has none (a file of the shell scripts).

    Raises:
        StorageError: It can't be read.
        AlteredError: It is not what was signed.
        DamagedError: It is no manifest, or of a version that this pgconsole does not know.
        ConfigurationError: The signing key's file can't be used.
    """
    if not backup.has_manifest:
        return None
    return read_manifest(settings, storage_of(settings, backup.place), backup.location)


def latest_manifest(settings: Settings) -> Manifest | None:
    """The newest local manifest of the configured database that is of its file, or None."""
    try:
        backups = local_backups(settings).backups
    except StorageError:
        return None  # whoever needs the directory says so; this is for estimates only
    for backup in backups:
        if backup.name.database == settings.pgdatabase:
            try:
                manifest = load_manifest(settings, backup)
            except (StorageError, DamagedError, ConfigurationError):
                continue
            if manifest is not None and manifest.compressed_bytes == backup.size:
                return manifest
    return None


def storage_of(settings: Settings, place: Place) -> LocalStorage | S3Storage:
    """BACKUP_DIR, or the bucket: a client of its own, so ask once for what belongs together.

    Raises:
        ConfigurationError: No bucket is set.
    """
    return LocalStorage(settings.backup_dir) if place is Place.LOCAL else s3_storage(settings)


def s3_storage(settings: Settings) -> S3Storage:
    """The bucket of the settings; boto3 is imported here.

    Raises:
        ConfigurationError: No bucket is set.
    """
    if not settings.s3_enabled:
        raise ConfigurationError(
            "S3 is not set up", cause="no bucket is set", fix="set S3_BACKUP_BUCKET"
        )
    from pgconsole.storage.s3 import S3Storage  # noqa: PLC0415 - boto3 only where S3 is used

    return S3Storage(settings)
