"""What the dialog says before a restore. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime

from pgconsole.backups.standing import standing
from pgconsole.errors import PgconsoleError
from pgconsole.postgres.sessions import Sessions
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.copy_text import SIGNS, proven_text
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.words import ago, counted, size, stamp, zone_name

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class RestoreText:
    """The dialog's words for one copy of a backup.

    Attributes:
        settings: The server, and the configured database.
        backup: The copy.
        marks: What is proven of it.
        now: When the dialog was opened.
    """

    settings: Settings
    backup: StoredBackup
    marks: Marks
    now: datetime

    @property
    def title(self) -> str:
        """The question."""
        zone = self.settings.backup_timezone
        taken = self.backup.name.taken_at
        moment = f"{stamp(taken, zone)} {zone_name(zone, taken)}"
        return f"Restore the backup of {moment}, {ago(taken, self.now)}?"

    def rows(
        self, database: str, sessions: Sessions | PgconsoleError | None
    ) -> tuple[tuple[str, str], ...]:
        """A label and a plain sentence each.

        Args:
            database: The target.
            sessions: Who else is connected to it; an error if that can't be found out; None while
                the server is being asked.
        """
        return (
            ("Backup", self._backup()),
            ("Proof", self._proof()),
            ("Does", self._what(database)),
            ("Sessions", sessions_text(sessions)),
            ("Before", f"Saves the target to {self.settings.backup_dir}/safety/, or stops"),
            ("Failure", "Leaves the target as it was: all is one transaction"),
            ("Command", self._command(database)),
        )

    def _backup(self) -> str:
        backup = self.backup
        where = "in S3" if backup.place is Place.S3 else "here"
        text = f"{backup.name.filename}, {size(backup.size)}, {where}"
        if backup.name.encrypted and self.settings.age_identity_file is None:
            text += ". Encrypted, and BACKUP_AGE_IDENTITY_FILE is not set: it can't be restored"
        return text

    def _proof(self) -> str:
        proof = self.marks.proof(self.backup)
        known = standing(self.backup, {}, proof)
        sign = f"{SIGNS[known][0]} {known}"
        if proof is None:
            return f"{sign}: nobody verified it yet; the restore begins with that"
        if proof.proof.is_bad:
            return f"{sign}: {proof.problem}. The restore refuses it"
        return f"{sign}, {proven_text(proof, self.now)}"

    def _what(self, database: str) -> str:
        text = f"Replaces in {database or '?'} what the backup holds; all else stays"
        if database == self.backup.name.database:
            taken, zone = self.backup.name.taken_at, self.settings.backup_timezone
            return f"{text}. Changes since {stamp(taken, zone)} are lost"
        return f"{text}. Careful: it is a backup of {self.backup.name.database}"

    def _command(self, database: str) -> str:
        backup = self.backup
        what = f"--from-s3 {shlex.quote(backup.location)}"
        if backup.place is Place.LOCAL:
            what = shlex.quote(backup.name.filename)
        return f"pgconsole restore {what} --database {shlex.quote(database or '?')}"


def sessions_text(sessions: Sessions | PgconsoleError | None) -> str:
    """Who would be cut off."""
    if sessions is None:
        return "Asking the server …"
    if isinstance(sessions, PgconsoleError):
        cause = f": {sessions.cause}" if sessions.cause else ""
        return f"Unknown: {sessions.problem}{cause}"
    if not sessions.total:
        return "Nobody else is connected"
    named = [f"{count} {name}" for name, count in sessions.by_application[:_MOST_NAMED]]
    more = sessions.total - sum(count for _, count in sessions.by_application[:_MOST_NAMED])
    named += [f"{more} more"] if more else []
    return f"{counted(sessions.total, 'session')} will be cut off: {', '.join(named)}"
