"""Check of the WAL archive, where there is one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pgconsole.errors import ServerError
from pgconsole.status.checks.base import Finding, failed, not_set_up, ok
from pgconsole.status.checks.context import Context
from pgconsole.status.checks.server import rows
from pgconsole.status.words import ago
from pgconsole.storage import files

_ARCHIVER = """
    SELECT current_setting('archive_mode'), failed_count, last_failed_wal, last_failed_time,
           last_archived_wal, last_archived_time
      FROM pg_stat_archiver
"""


def archive(context: Context) -> Finding:
    """Whether the server archives its WAL, if it is asked to, and something arrives."""
    here = _here(context.settings.backup_dir / "wal")
    try:
        context.server()
    except ServerError:
        return ok(here) if here else not_set_up("no WAL archive")
    mode, count, failed_wal, failed_at, archived_wal, archived_at = rows(
        context.settings, _ARCHIVER
    )[0]
    if mode == "off":
        return not_set_up(
            f"the server archives no WAL (archive_mode is off); {here or 'none here'}"
        )
    if isinstance(failed_at, datetime) and (
        not isinstance(archived_at, datetime) or archived_at < failed_at
    ):
        return failed(
            f"archiving {failed_wal} failed {ago(failed_at.astimezone(UTC), context.now)} "
            f"({count} times so far)",
            "archive_command ends with an error; WAL piles up on the server until its disk is full",
            "see the server's log for what the command said",
        )
    if not isinstance(archived_at, datetime):
        return ok(f"the server archives WAL (archive_mode is {mode}), nothing so far")
    when = ago(archived_at.astimezone(UTC), context.now)
    return ok(f"last archived {archived_wal} {when}" + (f"; {here}" if here else ""))


def _here(directory: Path) -> str:
    """What lies in the directory, in words; empty if there is none."""
    if not directory.exists():
        return ""
    with files.translated(f"{directory} can't be read"):
        try:
            return f"{sum(1 for _ in directory.iterdir())} files in {directory}"
        except PermissionError:
            owner = directory.stat().st_uid
            return f"what is in {directory} only its owner sees, user id {owner}"
