"""Names of backup files: `<database>_<class>_<YYYYMMDD>_<HHMMSS>.sql.gz`, in UTC.

One that is encrypted has `.age` behind that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pgconsole.errors import ConfigurationError
from pgconsole.redact import holds_password
from pgconsole.untrusted import EARLIEST, LATEST

SUFFIX = ".sql.gz"
AGE_SUFFIX = ".age"
MANIFEST_SUFFIX = ".manifest.json"
PARTIAL_SUFFIX = ".partial"
SUNDAY = 7  # datetime.isoweekday()

# Anchored at the right: everything before the last `_<class>_<date>_<time>` is the database, so
# that a database called `app_daily_2` works. DOTALL is not wanted: names with newlines are refused.
_NAME = re.compile(
    r"(?P<database>.+)_(?P<cls>daily|weekly|monthly)"
    r"_(?P<when>[0-9]{8}_(?!24)[0-9]{6})"  # fromisoformat may read 24:00 as the next day
    r"\.sql\.gz(?P<age>\.age)?"
)


class BackupClass(StrEnum):
    """The guide's three classes; each is also the name of a directory and a key prefix."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True, order=True)
class BackupName:
    """A parsed backup file name. Orders by database, then time, then class.

    Attributes:
        database: The database's name as PostgreSQL knows it.
        taken_at: The time of the slot, UTC, whole seconds.
        backup_class: Which class the file belongs to.
        encrypted: Whether it is an age file.
    """

    database: str
    taken_at: datetime
    backup_class: BackupClass
    encrypted: bool = False

    @property
    def filename(self) -> str:
        """The file's name, without directory."""
        stem = f"{self.database}_{self.backup_class}_{self.taken_at:%Y%m%d_%H%M%S}"
        return stem + suffix(encrypted=self.encrypted)

    @property
    def relative_path(self) -> str:
        """`<class>/<name>`: the path under BACKUP_DIR and the key under the S3 prefix."""
        return f"{self.backup_class}/{self.filename}"

    def in_class(self, backup_class: BackupClass) -> BackupName:
        """The same backup's name in another class."""
        return replace(self, backup_class=backup_class)


def parse_name(filename: str) -> BackupName | None:
    """What a file name says, or None for a foreign file (also one with an impossible date).

    It is the name of what is returned: `parse_name(name).filename == name`.
    """
    match = _NAME.fullmatch(filename)
    if match is None:
        return None
    try:  # not strptime: listings parse tens of thousands of names
        taken_at = datetime.fromisoformat(match["when"].replace("_", "T") + "Z")
    except ValueError:
        return None
    if not EARLIEST <= taken_at < LATEST:  # before the year 1000 strftime leaves out zeros, too
        return None
    encrypted = match["age"] is not None
    return BackupName(match["database"], taken_at, BackupClass(match["cls"]), encrypted)


def suffix(*, encrypted: bool) -> str:
    """How the name of a dump's file ends."""
    return SUFFIX + AGE_SUFFIX if encrypted else SUFFIX


def is_encrypted(location: str) -> bool:
    """Whether a file or object of this name, a backup or not, is taken for an age file."""
    return location.endswith(AGE_SUFFIX)


def classes_of(slot: datetime, timezone: ZoneInfo) -> tuple[BackupClass, ...]:
    """The classes a backup of this slot belongs to: weekly on Sundays, monthly on the 1st.

    Args:
        slot: When the backup was due; timezone-aware.
        timezone: The schedule's time zone; it decides which day it is.
    """
    local = slot.astimezone(timezone)
    classes = [BackupClass.DAILY]
    if local.isoweekday() == SUNDAY:
        classes.append(BackupClass.WEEKLY)
    if local.day == 1:
        classes.append(BackupClass.MONTHLY)
    return tuple(classes)


def check_database_name(database: str) -> None:
    """Refuse a database whose name can't be part of a file name.

    Raises:
        ConfigurationError: Names the character and its place.
    """
    if not database:
        raise ConfigurationError("The database has no name", fix="set PGDATABASE")
    if holds_password(database):
        raise ConfigurationError(
            "The name of the database is a connection string with a password",
            cause="it would be shown and written down as it is",
            fix="give the name alone; host, user and password are settings of their own",
        )
    for position, char in enumerate(database, start=1):
        if char == "/" or not char.isprintable():
            raise ConfigurationError(
                f"Database {database!r} can't be backed up under its name",
                cause=f"character {position}, {char!r}, can't be part of a file name",
                fix="rename the database (ALTER DATABASE ... RENAME TO ...)",
            )
    if database.startswith("."):
        raise ConfigurationError(
            f"Database {database!r} can't be backed up under its name",
            cause="character 1, '.', would make the file a hidden one",
            fix="rename the database (ALTER DATABASE ... RENAME TO ...)",
        )
