"""Where the main screen's data comes from. Every function here runs in a feed's thread.

What costs time to import (boto3, croniter) is imported there too, after the first paint.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job, JournalEntry, Tail, list_jobs
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, StoredBackup
from pgconsole.widgets.schedule_pane import Timetable
from pgconsole.widgets.shelf import Shelf, shelf_of

_JOBS = 50
_RUNS = 5
_TRUST_MTIME_FOR = timedelta(minutes=1)  # then the directory is listed again in any case


class Journal(Protocol):
    """What `jobs.Tail` does."""

    def read(self) -> list[JournalEntry]:
        """The entries since the last call."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """One function for each thing that the main screen shows."""

    local: Callable[[], Shelf]
    s3: Callable[[], Shelf]
    jobs: Callable[[], tuple[Job, ...]]
    journal: Callable[[Job], Journal]
    schedule: Callable[[], Timetable]


def sources_of(settings: Settings, now: Callable[[], datetime]) -> Sources:
    """The real ones."""

    def s3() -> Shelf:
        from pgconsole.backups.catalog import s3_backups  # noqa: PLC0415 - see above

        return shelf_of(s3_backups(settings))

    def schedule() -> Timetable:
        from pgconsole.schedule import in_words, next_runs  # noqa: PLC0415 - see above

        expression = settings.backup_schedule
        runs = next_runs(expression, settings.backup_timezone, now(), _RUNS)
        return Timetable(in_words(expression), tuple(runs))

    return Sources(
        local=_LocalReader(settings, now).read,
        s3=s3,
        jobs=lambda: tuple(list_jobs(settings, _JOBS)),
        journal=lambda job: Tail(job.directory),
        schedule=schedule,
    )


class _LocalReader:
    """Lists the backup directory only if one of its directories changed."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._shelf: Shelf | None = None
        self._seen: tuple[int, ...] = ()
        self._listed_at: datetime | None = None
        self._manifest: tuple[StoredBackup, Manifest | None, str] | None = None

    def read(self) -> Shelf:
        """What the backup directory holds.

        Raises:
            StorageError: It can't be read.
        """
        from pgconsole.backups.catalog import local_backups  # noqa: PLC0415 - see above

        seen = self._mtimes()
        now = self._now()
        if (
            self._shelf is None
            or seen != self._seen
            or self._listed_at is None
            or now - self._listed_at > _TRUST_MTIME_FOR
        ):
            self._shelf = self._prepare(local_backups(self._settings))
            self._seen, self._listed_at = seen, now
        return self._shelf

    def _mtimes(self) -> tuple[int, ...]:
        root = self._settings.backup_dir
        found = []
        for directory in (root, *(root / backup_class for backup_class in BackupClass)):
            try:
                found.append(os.stat(directory).st_mtime_ns)  # noqa: PTH116 - one call a directory
            except OSError:
                found.append(0)
        return tuple(found)

    def _prepare(self, listing: Listing) -> Shelf:
        database = self._settings.pgdatabase
        shelf = shelf_of(listing)
        newest = shelf.newest(database)
        complete = shelf.newest(database, complete=True)
        manifest, problem = self._manifest_of(complete) if complete is not None else (None, "")
        return replace(shelf, manifest=manifest, manifest_problem=problem, due=self._due(newest))

    def _manifest_of(self, backup: StoredBackup) -> tuple[Manifest | None, str]:
        from pgconsole.backups.catalog import load_manifest  # noqa: PLC0415 - see above

        if self._manifest is None or self._manifest[0] != backup:
            try:
                self._manifest = (backup, load_manifest(self._settings, backup), "")
            except PgconsoleError as error:
                self._manifest = (backup, None, f"{error.problem}: {error.cause}")
        return self._manifest[1], self._manifest[2]

    def _due(self, newest: StoredBackup | None) -> datetime | None:
        from pgconsole.schedule import next_runs  # noqa: PLC0415 - see above

        if newest is None:
            return None
        settings = self._settings
        zone = settings.backup_timezone
        return next_runs(settings.backup_schedule, zone, newest.name.taken_at, 1)[0].astimezone(UTC)
