"""What tests of restores share: a confirmed restore, and the target before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.backups.helpers import Recorder, plain_dump, without_keys

from pgconsole.backups.confirmation import WORD, confirm_restore
from pgconsole.backups.restore import RestoreRequest, RestoreResult, run_restore
from pgconsole.backups.restore_copy import find_copy
from pgconsole.demo.servers import PostgresServer
from pgconsole.report import Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place


def confirmed(
    settings: Settings, location: str | Path, database: str, place: Place = Place.LOCAL, **more: Any
) -> RestoreRequest:
    """The request of an operator who typed yes."""
    copy = find_copy(settings, place, str(location))
    token = confirm_restore(WORD, settings, database, copy)
    return RestoreRequest(place, copy.location, database, token, "alice", **more)


def restore(
    settings: Settings,
    location: str | Path,
    database: str,
    report: Report | None = None,
    **more: Any,
) -> RestoreResult:
    """A confirmed restore."""
    request = confirmed(settings, location, database, **more)
    return run_restore(settings, request, report or Recorder())


def state(server: PostgresServer, database: str) -> bytes:
    """The whole content of a database, for comparing."""
    return without_keys(plain_dump(server, database))


def safety_backups(settings: Settings) -> list[Path]:
    """All there are, the oldest first."""
    return sorted((settings.backup_dir / "safety").glob("*.sql.gz"))
