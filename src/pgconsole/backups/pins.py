"""Backups that are kept whatever retention says: `state_dir/pins.json`.

A pin is of a backup, not of a copy: all its classes, locally and in S3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgconsole.dumps.naming import BackupName
from pgconsole.settings import Settings

PINS = "pins.json"


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned backup.

    Attributes:
        backup: As `backup_id` says it.
        note: Why, in the operator's words; may be empty.
        by: Who pinned it.
        at: When, UTC.
    """

    backup: str
    note: str
    by: str
    at: datetime


def backup_id(name: BackupName) -> str:
    """A backup's name without its class: `<database>_<YYYYMMDD>_<HHMMSS>`."""
    return f"{name.database}_{name.taken_at:%Y%m%d_%H%M%S}"


def pin(settings: Settings, name: BackupName, note: str, actor: str) -> Pin:
    """Keep a backup; a pin that is there gets the new note.

    Raises:
        StorageError: It can't be written.
    """
    raise NotImplementedError


def unpin(settings: Settings, name: BackupName, actor: str) -> None:
    """Leave a backup to retention again.

    Raises:
        ConfigurationError: It is not pinned.
        StorageError: It can't be written.
    """
    raise NotImplementedError


def read_pins(settings: Settings) -> dict[str, Pin]:
    """All pins by `backup_id`.

    Raises:
        StorageError: The file is there and can't be read or understood: then nothing may be
            deleted.
    """
    raise NotImplementedError
