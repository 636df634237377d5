"""Cleaning up after jobs that were killed. Only under the lock of their database."""

from __future__ import annotations

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
