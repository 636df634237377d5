"""What a restore will do, in plain words, for whoever has to say yes to it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.backups.restore_copy import RESTORED, FoundCopy
from pgconsole.backups.restore_sessions import missing_database_explained
from pgconsole.backups.safety import SAFETY
from pgconsole.backups.sealed import identities
from pgconsole.dumps.naming import BackupClass, is_encrypted
from pgconsole.postgres.explain import where
from pgconsole.postgres.grants import with_grants
from pgconsole.postgres.sessions import Sessions, sessions_of
from pgconsole.settings import Settings
from pgconsole.storage.base import Place


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What will happen.

    Attributes:
        database: The target.
        server: Its host and port.
        source: Where the copy lies.
        size: Its compressed bytes.
        of_database: The database that it is a backup of; empty if its name doesn't say.
        taken_at: When it was taken; for files whose name doesn't say, when they were written. UTC.
        sessions: Who else is connected now: they are cut off.
        granted: How many of the target's tables, views and sequences others may use, or own.
        safety: Where the safety backup goes.
        command: The same in one line, for a script.
    """

    database: str
    server: str
    source: str
    size: int
    of_database: str
    taken_at: datetime
    sessions: Sessions
    granted: int
    safety: str
    command: str

    def lines(self, now: datetime) -> list[tuple[str, str]]:
        """Each fact with its heading."""
        import humanize  # noqa: PLC0415 - 20 ms that other commands need not pay

        age = humanize.naturaltime(now - self.taken_at)
        of = f"of database {self.of_database!r}, " if self.of_database else ""
        size = humanize.naturalsize(self.size, binary=True)
        what = f"Replaces what is in database {self.database!r} by the backup, all or nothing"
        rows = [
            ("What", what),
            ("Target", f"{self.database!r} on {self.server}"),
            ("Backup", self.source),
            ("Taken", f"{of}{self.taken_at:%Y-%m-%d %H:%M:%S} UTC ({age}), {size}"),
            ("Loses", "All that was written to the tables of the backup since then"),
            *self._grants(),
            ("Cuts off", _sessions(self.sessions)),
            ("Safety", f"Before, the target is backed up to {self.safety}"),
            ("Command", self.command),
        ]
        if self.of_database and self.of_database != self.database:
            rows.insert(
                2, ("Careful", f"The backup is of {self.of_database!r}, not of {self.database!r}")
            )
        return rows

    def _grants(self) -> list[tuple[str, str]]:
        if not self.granted:
            return []
        what = f"Others' rights to {self.granted} of its tables, views and sequences go with what"
        return [("Grants", f"{what} is replaced; not even the safety backup keeps them")]


def plan_restore(
    settings: Settings, database: str, copy: FoundCopy, *, without_safety_backup: bool = False
) -> RestorePlan:
    """Find out what restoring this copy would do.

    Args:
        settings: The server and the backup directory.
        database: The target.
        copy: What is to be restored.
        without_safety_backup: Whether to go on if the target can't be backed up.

    Raises:
        SealedError: It is encrypted, and no private key is set.
        ServerError: The target can't be reached or does not exist; says how to make it.
    """
    if is_encrypted(copy.location):
        identities(settings)
    target = settings.model_copy(update={"pgdatabase": database})
    with missing_database_explained(target):
        sessions = sessions_of(target)
        granted = with_grants(target)
    safety = f"{settings.backup_dir / SAFETY}/"
    if without_safety_backup:
        safety += ", but if that fails, it is restored all the same"
    in_s3 = copy.place is Place.S3
    return RestorePlan(
        database=database,
        server=where(settings),
        source=f"s3://{settings.s3_bucket}/{copy.location}" if in_s3 else copy.location,
        size=copy.size,
        of_database=copy.name.database if copy.name is not None else "",
        taken_at=copy.name.taken_at if copy.name is not None else copy.modified.astimezone(UTC),
        sessions=sessions,
        granted=granted,
        safety=safety,
        command=_command(copy, database, without_safety_backup=without_safety_backup),
    )


def _sessions(sessions: Sessions) -> str:
    if not sessions.total:
        return "Nobody: nobody else is connected to the target now"
    named = ", ".join(f"{count} of {name}" for name, count in sessions.by_application)
    return f"{sessions.total} sessions that are connected to the target now: {named}"


def _command(copy: FoundCopy, database: str, *, without_safety_backup: bool) -> str:
    source = ["--from-s3"] if copy.place is Place.S3 else []
    argv = ["pgconsole", "restore", *source, copy.location, "--database", database]
    if without_safety_backup:
        argv.append("--without-safety-backup")
    return shlex.join(argv)


def find_local(settings: Settings, file: str) -> Path:
    """The file that an operator means: a path, or a name in one of the directories of backups.

    Names are looked for among the backups, the safety backups and the downloads. Nothing may be
    there: `find_copy` says so.
    """
    path = Path(file)
    if "/" not in file and not os.path.lexists(path):
        for directory in (*map(str, BackupClass), SAFETY, RESTORED):
            candidate = settings.backup_dir / directory / file
            if os.path.lexists(candidate):
                return candidate
    return Path(os.path.realpath(path))
