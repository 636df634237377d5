"""Reads the backup directory, with what was noted about its backups, in a feed's thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pgconsole.backups.evidence import evidence_path, read_evidence
from pgconsole.backups.pins import PINS, read_pins
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass
from pgconsole.errors import PgconsoleError
from pgconsole.screens.row_counts import RowCounts
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, StoredBackup
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.shelf import Shelf, again, with_marks

_TRUST_MTIME_FOR = timedelta(minutes=1)  # then the directory is listed again in any case

_Seen = tuple[tuple[int, int], ...]


class LocalReader:
    """Lists the backup directory only if it changed, and reads proofs and pins only if they did."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        root, state = settings.backup_dir, settings.state_dir
        self._directories = (root, *(root / backup_class for backup_class in BackupClass))
        self._notes = (evidence_path(settings), state / PINS)
        self._counts = RowCounts(settings)
        self._shelf: Shelf | None = None
        self._listed: _Seen = ()
        self._listed_at: datetime | None = None
        self._noted: _Seen = ()
        self._manifest: tuple[StoredBackup, Manifest | None, str] | None = None

    def read(self) -> Shelf:
        """What the backup directory holds.

        Raises:
            StorageError: It can't be read.
        """
        from pgconsole.backups.catalog import local_backups  # noqa: PLC0415 - after the first paint

        listed, now = _state_of(self._directories), self._now()
        shelf = self._shelf
        if (
            shelf is None
            or listed != self._listed
            or self._listed_at is None
            or now - self._listed_at > _TRUST_MTIME_FOR
        ):
            shelf = self._prepare(local_backups(self._settings))
            self._listed, self._listed_at = listed, now
        # The notes come after the list: a job notes its proof before its backup gets its name.
        if self._shelf is not None:  # not before the list is on the screen
            shelf = replace(shelf, rows=self._counts.read(shelf.backups))
        noted = _state_of(self._notes)
        if self._shelf is None or shelf.copies is not self._shelf.copies or noted != self._noted:
            shelf = self._with_marks(shelf)
            self._noted = noted
        self._shelf = shelf
        return shelf

    def _prepare(self, listing: Listing) -> Shelf:
        shelf = again(self._shelf, listing)
        described = self._newest_with_manifest(shelf)
        manifest, problem = self._manifest_of(described) if described is not None else (None, "")
        return replace(shelf, manifest=manifest, manifest_problem=problem)

    def _with_marks(self, shelf: Shelf) -> Shelf:
        return with_marks(shelf, self._settings.pgdatabase, read_marks(self._settings))

    def _newest_with_manifest(self, shelf: Shelf) -> StoredBackup | None:
        for backup in shelf.backups:
            if backup.has_manifest and backup.name.database == self._settings.pgdatabase:
                return backup
        return None

    def _manifest_of(self, backup: StoredBackup) -> tuple[Manifest | None, str]:
        from pgconsole.backups.catalog import load_manifest  # noqa: PLC0415 - see above

        if self._manifest is None or self._manifest[0] != backup:
            try:
                self._manifest = (backup, load_manifest(self._settings, backup), "")
            except PgconsoleError as error:
                self._manifest = (backup, None, f"{error.problem}: {error.cause}")
        return self._manifest[1], self._manifest[2]


def read_marks(settings: Settings) -> Marks:
    """All proofs and pins; what can't be read is said, and then proves nothing."""
    problems = []
    try:
        proofs = read_evidence(settings)
    except OSError as error:
        proofs = {}
        problems.append(f"what was proven can't be read: {error}")
    try:
        pins = read_pins(settings)
    except PgconsoleError as error:
        pins = {}
        problems.append(f"{error.problem}: {error.cause}")
    return Marks(settings, proofs, pins, "; ".join(problems))


def _state_of(paths: tuple[Path, ...]) -> _Seen:
    """When each was last written, and how large it is; zeros for what is not there."""
    found = []
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - one call a path
            found.append((status.st_mtime_ns, status.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)
