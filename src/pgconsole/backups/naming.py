"""The name of a new backup: its slot, its classes, and a second that nobody has taken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pgconsole.dumps.naming import BackupClass, BackupName, classes_of
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage


@dataclass(frozen=True, slots=True)
class NewName:
    """What a backup will be called, and which classes it belongs to (daily first)."""

    name: BackupName
    classes: tuple[BackupClass, ...]


def new_name(settings: Settings, slot: datetime) -> NewName:
    """The name of a backup of this slot. The caller holds the database's lock.

    A second that an older backup bears already is passed over, whatever class it is in: two
    backups within one second, or a slot that is repeated, never meet.

    Args:
        settings: Whose database, directory and time zone.
        slot: When the backup was due; timezone-aware. Its day decides the classes.
    """
    classes = classes_of(slot, settings.backup_timezone)
    storage = LocalStorage(settings.backup_dir)
    encrypted = bool(settings.age_recipients)
    taken_at = slot.astimezone(UTC).replace(microsecond=0)
    while True:
        name = BackupName(settings.pgdatabase, taken_at, BackupClass.DAILY, encrypted)
        if not any(os.path.lexists(storage.path(taken)) for taken in _of_that_second(name)):
            return NewName(name, classes)
        taken_at += timedelta(seconds=1)


def _of_that_second(name: BackupName) -> Iterator[BackupName]:
    """All names that backups of this second may bear, in every class, encrypted or not."""
    for backup_class in BackupClass:
        for encrypted in (False, True):
            yield replace(name, backup_class=backup_class, encrypted=encrypted)
