"""Cleaning up after jobs that were killed. Only under the lock of their database."""

from __future__ import annotations

from pgconsole.errors import StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage


def remove_local_leftovers(settings: Settings, report: Report) -> None:
    """Remove the partial files that killed jobs of this database left, and say so.

    Raises:
        StorageError: The backup directory can't be read or written.
    """
    for location in LocalStorage(settings.backup_dir).remove_leftovers(settings.pgdatabase):
        report(Event("lock", f"removed what a killed job left: {location}", Level.WARNING))


def abort_s3_leftovers(settings: Settings, report: Report) -> None:
    """Abort the multipart uploads that killed jobs of this database left, and say so.

    Nothing depends on it: what can't be aborted now is tried again by the next backup.
    """
    from pgconsole.storage.s3 import S3Storage  # noqa: PLC0415 - boto3 only where S3 is used

    try:
        for upload in S3Storage(settings).abort_leftovers(settings.pgdatabase):
            report(
                Event("upload", f"aborted what a killed job left in S3: {upload}", Level.WARNING)
            )
    except StorageError as error:
        report(Event("upload", f"unfinished uploads of killed jobs stay: {error}", Level.WARNING))
