"""What this host knows that matters to a restore: proofs, locks, past restores, room on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pgconsole.backups.catalog import latest_manifest
from pgconsole.backups.evidence import Evidence, latest, read_evidence
from pgconsole.backups.locking import work_on
from pgconsole.backups.restore_copy import SAFETY, FoundCopy
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import check_database_name
from pgconsole.errors import BusyError, StorageError
from pgconsole.planning.past import PastRestore, past_restores
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage


@dataclass(frozen=True, slots=True)
class Host:
    """What was found in the backup directory.

    Attributes:
        proof: What was proven of the copy as it is now; None if nobody has verified it.
        proof_problem: Why that can't be told; empty if it can.
        busy: Who works on the target from here; None if nobody does.
        past: Past restores, the newest first.
        previous: Manifest of the newest local backup of the target; None if there is none.
        free_bytes: Room for the safety backup.
        unwritable: Why no safety backup can be written; None if one can.
    """

    proof: Evidence | None
    proof_problem: str
    busy: BusyError | None
    past: tuple[PastRestore, ...]
    previous: Manifest | None
    free_bytes: int
    unwritable: StorageError | None


def look_at_host(settings: Settings, copy: FoundCopy, database: str) -> Host:
    """Look into the backup directory. Nothing is made and nothing locked.

    Args:
        settings: Whose backup directory.
        copy: The copy.
        database: The target.

    Raises:
        ConfigurationError: No database can be called so.
        StorageError: The directory can't be read.
    """
    check_database_name(database)
    proof, problem = None, ""
    try:
        if copy.stored is not None:
            proof = latest(read_evidence(settings), settings, copy.stored)
    except OSError as error:
        problem = f"what was proven can't be read: {error.strerror or error}"
    target = settings.model_copy(update={"pgdatabase": database})
    return Host(
        proof=proof,
        proof_problem=problem,
        busy=work_on(settings, database),
        past=past_restores(settings),
        previous=latest_manifest(target),
        free_bytes=LocalStorage(settings.backup_dir).free_bytes(),
        unwritable=_unwritable(settings.backup_dir / SAFETY),
    )


def _unwritable(directory: Path) -> StorageError | None:
    """Why no file can be written to a directory that may have to be made first."""
    there = directory if os.path.lexists(directory) else directory.parent
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return None
    return StorageError(
        f"No safety backup can be written to {directory}",
        cause=f"{there} is no directory" if there.exists() and not there.is_dir()
        else f"user id {os.geteuid()} may not write to {there}",
        fix="make it a directory that pgconsole can write to",
    )  # fmt: skip
