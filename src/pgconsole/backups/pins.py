"""Backups that are kept whatever retention says: `state_dir/pins.json`.

A pin is of a backup, not of a copy: all its classes, locally and in S3.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgconsole import durable, locks
from pgconsole.dumps.naming import BackupName
from pgconsole.errors import BusyError, ConfigurationError, StorageError
from pgconsole.mutations import refuse_if_read_only
from pgconsole.settings import Settings
from pgconsole.untrusted import parse_time, read_whole

PINS = "pins.json"
_FORMAT = "pgconsole-pins"
_VERSION = 1
_PATIENCE = 30.0  # seconds; the lock is held for one write, or one deletion (in S3 a few requests)
_BETWEEN_TRIES = 0.02  # seconds


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
        ReadOnlyError: This is read-only mode.
        BusyError: Somebody holds the pins for longer than half a minute.
        StorageError: The pins can't be read or written.
    """
    refuse_if_read_only(settings, "pin")
    new = Pin(backup_id(name), note, actor, datetime.now(UTC))
    with held_pins(settings, actor) as pins:
        _write(settings, pins | {new.backup: new})
    return new


def unpin(settings: Settings, name: BackupName, actor: str) -> None:
    """Leave a backup to retention again.

    Raises:
        ReadOnlyError: This is read-only mode.
        ConfigurationError: It is not pinned.
        BusyError: Somebody holds the pins for longer than half a minute.
        StorageError: The pins can't be read or written.
    """
    refuse_if_read_only(settings, "unpin")
    with held_pins(settings, actor) as pins:
        if pins.pop(backup_id(name), None) is None:
            raise ConfigurationError(
                f"Backup {name.filename} is not pinned",
                cause=f"pinned are: {', '.join(sorted(pins)) or 'none'}",
                fix="give a backup that `pgconsole list` shows as pinned",
            )
        _write(settings, pins)


def read_pins(settings: Settings) -> dict[str, Pin]:
    """All pins by `backup_id`.

    Raises:
        StorageError: The file is there and can't be read or understood: then nothing may be
            deleted.
    """
    path = pins_path(settings)
    try:
        return _parse(read_whole(path))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _unusable(path, f"it is not what pgconsole wrote: {error}") from error


@contextmanager
def held_pins(settings: Settings, actor: str) -> Iterator[dict[str, Pin]]:
    """All pins by `backup_id`, which nobody changes while the block runs.

    Raises:
        BusyError: Somebody holds the pins for longer than half a minute.
        StorageError: They can't be read, or the lock can't be taken.
    """
    # Beside the databases' locks it could be the lock of a database called `pins`.
    path = settings.state_dir / "pins.lock"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = locks.Holder(actor, "pins", now, socket.gethostname(), os.getpid())
    with ExitStack() as stack:
        try:
            _wait_for(stack, path, holder)
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        yield read_pins(settings)


def pins_path(settings: Settings) -> Path:
    """Where the pins lie."""
    return settings.state_dir / PINS


def _wait_for(stack: ExitStack, path: Path, holder: locks.Holder) -> None:
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            stack.enter_context(locks.hold(path, holder))
        except locks.LockedError as error:
            if time.monotonic() > give_up:
                raise BusyError(
                    "The pins are busy",
                    cause=f"{error.holder.who if error.holder else 'somebody'} is changing them "
                    "or deleting old backups",
                    fix="try again when it has finished; `pgconsole jobs` shows what runs",
                ) from None
            time.sleep(_BETWEEN_TRIES)
        else:
            return


def _write(settings: Settings, pins: Mapping[str, Pin]) -> None:
    path = pins_path(settings)
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "pins": [asdict(one) | {"at": one.at.isoformat()} for one in pins.values()],
    }
    try:
        durable.make_directory(path.parent)
        durable.replace(path, json.dumps(content, indent=1).encode())
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _parse(content: bytes) -> dict[str, Pin]:
    document = json.loads(content)
    if (document["format"], document["version"]) != (_FORMAT, _VERSION):
        raise ValueError("its format is another one, or newer than this pgconsole")
    found = {}
    for item in document["pins"]:
        one = Pin(**item | {"at": parse_time(item["at"])})
        if not all(isinstance(text, str) for text in (one.backup, one.note, one.by)):
            raise TypeError("a pin has a field of the wrong type")
        found[one.backup] = one
    return found


def _unusable(path: Path, cause: str) -> StorageError:
    return StorageError(
        f"{path} can't be used",
        cause=cause,
        fix="repair it or its permissions; until then retention deletes nothing. Without the file "
        "no backup is pinned",
    )
