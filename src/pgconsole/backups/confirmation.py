"""The operator's yes, bound to what it was said to. Checked in the core, not only in the dialog."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Protocol

from pgconsole.errors import ConfigurationError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

WORD = "yes"


class Copy(Protocol):
    """What identifies a copy of a dump: a `StoredBackup`, or a file outside the listings."""

    @property
    def place(self) -> Place:
        """Where it lies."""
        ...

    @property
    def location(self) -> str:
        """Its absolute path, or its key in the bucket."""
        ...

    @property
    def size(self) -> int:
        """Compressed bytes."""
        ...

    @property
    def modified(self) -> datetime:
        """When it was last written, as a listing says it, UTC."""
        ...


def word_for(settings: Settings, database: str) -> str:
    """What has to be typed for a restore: `yes`, or the target's name where it is protected."""
    return database if settings.protected else WORD


def confirm_restore(typed: str, settings: Settings, database: str, backup: Copy) -> str:
    """Turn the typed word into the token that `run_restore` wants.

    Args:
        typed: What the operator typed; exactly the word of `word_for` counts.
        settings: The target server.
        database: The target database.
        backup: The copy that is to be restored.

    Raises:
        ConfigurationError: Something else was typed.
    """
    word = word_for(settings, database)
    if typed != word:
        raise ConfigurationError(
            "Restore not confirmed",
            cause=f"{typed!r} was typed, not {word!r}"
            + (", the name of the protected target" if settings.protected else ""),
            fix=f"start it again and type {word}",
        )
    return restore_token(settings, database, backup)


def restore_token(settings: Settings, database: str, backup: Copy) -> str:
    """The token for this target and this very copy (a file that changed since needs a new yes)."""
    said_to = [
        "restore", word_for(settings, database), settings.pghost, settings.pgport, database,
        backup.place, backup.location, backup.size, backup.modified.isoformat(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said_to).encode()).hexdigest()
