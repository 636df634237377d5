"""The copy of a new backup in S3. It may fail; the local backup may not fail with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, BackupName
from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage, Upload

_PROGRESS_EVERY = 0.2  # seconds


class S3Copy:
    """Uploads a dump while it is written, and completes it when it is proven good.

    The first failure is kept and reported; every later step does nothing then.

    Args:
        settings: Where to.
        report: Told of the failure, and of what was uploaded.
    """

    def __init__(self, settings: Settings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._storage: S3Storage | None = None
        self._upload: Upload | None = None
        self._completed = False
        self.failure: PgconsoleError | None = None

    def connect(self) -> None:
        """See whether the bucket can be used, and abort what killed jobs left there.

        The caller holds the database's lock.
        """
        from pgconsole.storage.s3 import S3Storage  # noqa: PLC0415 - boto3 only where S3 is used

        try:
            storage = S3Storage(self._settings)
            storage.check()
        except Exception as error:
            self._failed(error)
        else:
            self._storage = storage
            abort_leftovers(storage, self._settings.pgdatabase, self._report)

    def begin(self, name: BackupName, path: Path, expected_bytes: int) -> None:
        """Begin the upload of the file that is being written at `path`.

        Args:
            name: The backup in its first class.
            path: The partial file.
            expected_bytes: Estimate of its final size.
        """
        if self._storage is None or self.failure is not None:
            return
        try:
            self._upload = self._storage.begin_upload(
                object_key(self._settings, name), path, expected_bytes=expected_bytes
            )
        except Exception as error:
            self._failed(error)

    def advance(self, written_bytes: int) -> None:
        """Upload what the file has by now. Any thread may call it; it never raises.

        Args:
            written_bytes: Length of the part of the file that will not change any more.
        """
        if self._upload is not None and self.failure is None:
            self._upload.advance(written_bytes)

    def look(self) -> None:
        """Keep and report a failure of the upload's threads, if there is a new one."""
        if self._upload is not None and self.failure is None and self._upload.error is not None:
            self._failed(self._upload.error)

    def complete(
        self, name: BackupName, classes: Sequence[BackupClass], manifest: Manifest
    ) -> list[str]:
        """Make the dump and its manifest visible in S3, in every class.

        Args:
            name: The backup in its first class; it is published locally.
            classes: All its classes, the first included.
            manifest: Its manifest.

        Returns:
            The keys of the dump that are there; after a failure `failure` holds the reason.
        """
        keys: list[str] = []
        if self._upload is None or self._storage is None or self.failure is not None:
            return keys
        size = manifest.compressed_bytes
        try:
            send_rest(self._upload, size, self._report)
            for backup_class in classes:
                key = object_key(self._settings, name.in_class(backup_class))
                if backup_class is classes[0]:
                    self._storage.put_small(key + MANIFEST_SUFFIX, manifest.to_json())
                    self._upload.complete()
                else:  # the copy's manifest follows it: no record would tell of a lone one
                    self._storage.copy(keys[0], key, size)
                    self._storage.put_small(key + MANIFEST_SUFFIX, manifest.to_json())
                keys.append(key)
                self._report(Event("upload", f"uploaded to s3://{self._settings.s3_bucket}/{key}"))
            self._completed = True
        except Exception as error:
            self._failed(error)
        return keys

    def abort(self) -> None:
        """Leave nothing unfinished in S3. Does nothing after a successful `complete`."""
        if self._upload is None or self._storage is None or self._completed:
            return
        try:
            self._upload.abort()
        except StorageError as error:
            text = f"the unfinished upload stays until the next backup: {error}"
            self._report(Event("upload", text, Level.WARNING))
        else:  # a copy to another class may have been interrupted
            abort_leftovers(self._storage, self._settings.pgdatabase, self._report)

    def _failed(self, error: Exception) -> None:
        # Even a fault in boto3 must not cost the local backup.
        if not isinstance(error, PgconsoleError):
            error = StorageError(
                "The upload met a fault",
                cause=f"{type(error).__name__}: {error}",
                fix="report it if it comes again",
            )
        self.failure = error
        self._report(Event("upload", f"no copy in S3: {error}", Level.WARNING))


def send_rest(upload: Upload, size: int, report: Report) -> None:
    """Send all parts of a finished file, and wait for them with progress.

    Args:
        upload: On its way, or just begun.
        size: The file's size in bytes.
        report: Told the bytes that the store has confirmed.

    Raises:
        StorageError: A part could not be sent.
    """
    upload.advance(size)
    full_parts = size // upload.part_size * upload.part_size  # the last one goes within `finish`
    while upload.error is None and upload.sent < full_parts:
        report(Event("upload", bytes_done=upload.sent, bytes_expected=size))
        time.sleep(_PROGRESS_EVERY)
    upload.finish(size)
    report(Event("upload", bytes_done=size, bytes_expected=size))


def abort_leftovers(storage: S3Storage, database: str, report: Report) -> None:
    """Abort what killed jobs of a database left in S3. The caller holds the database's lock.

    Nothing depends on it: what can't be aborted now is tried again by the next backup.
    """
    try:
        for key in storage.abort_leftovers(database):
            report(Event("lock", f"aborted what a killed job left in S3: {key}", Level.WARNING))
    except StorageError as error:
        report(Event("lock", str(error), Level.WARNING))


def object_key(settings: Settings, name: BackupName) -> str:
    """The key of a backup in the bucket."""
    return settings.s3_prefix + name.relative_path
