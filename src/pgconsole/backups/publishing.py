"""The publish stage: a verified dump gets its final names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgconsole.backups.interruption import uninterrupted
from pgconsole.backups.naming import NewName
from pgconsole.dumps.manifest import Manifest
from pgconsole.errors import StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage


@dataclass(frozen=True, slots=True)
class Published:
    """Where a backup lies now.

    Attributes:
        paths: One file for each class that worked, daily first.
        failure: Why a class after the first is missing; of several, the last.
    """

    paths: tuple[Path, ...]
    failure: StorageError | None


def publish(settings: Settings, new: NewName, manifest: Manifest, report: Report) -> Published:
    """Give the verified partial file its name, and its names in the other classes.

    A class that fails takes nothing from the backup itself: it is kept as `failure`.

    Raises:
        StorageError: The backup itself can't get its name; it is not published then.
    """
    storage = LocalStorage(settings.backup_dir)
    failure = None
    # A signal waits: a published backup is in all its classes.
    with uninterrupted():
        paths = [storage.publish(new.name, manifest)]
        for other in new.classes[1:]:
            try:
                paths.append(storage.add_class(new.name, other))
            except StorageError as error:
                failure = error
    for path in paths:
        report(Event("publish", f"published {path}"))
    if failure is not None:
        report(Event("publish", str(failure), Level.ERROR))
    return Published(tuple(paths), failure)
