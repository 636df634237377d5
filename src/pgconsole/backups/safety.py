"""The safety backup: what a database was before it is restored over.

`BACKUP_DIR/safety/pre_restore_<YYYYMMDD>_<HHMMSS>.sql.gz[.age]` with its manifest, made by the
pipeline of every backup. Nothing lists it as a backup, and retention never touches it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pgconsole import durable
from pgconsole.backups.description import describe
from pgconsole.backups.dumping import dump
from pgconsole.backups.interruption import uninterrupted
from pgconsole.backups.preflight import check_preflight
from pgconsole.backups.restore_copy import SAFETY
from pgconsole.backups.signatures import signed
from pgconsole.dumps.manifest import Manifest, parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, PARTIAL_SUFFIX, SUFFIX, suffix
from pgconsole.errors import DamagedError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files

if TYPE_CHECKING:
    from pgconsole.dumps.signature import SigningKey

_PHASE = "safety"


def make_safety_backup(target: Settings, report: Report, *, actor: str) -> Path:
    """Back up the database that is going to be restored over. Call it from the main thread.

    The caller holds the locks of the database. Whatever interrupts this, nothing half-made stays
    under a final name.

    Args:
        target: The settings, with the target as their database.
        report: Told how far it is.
        actor: Who asked.

    Returns:
        Where it lies.

    Raises:
        PreflightError: The server, the tools or the disk stand in the way.
        ToolError: pg_dump failed: the target can't be read whole.
        DamagedError: The dump is not whole, or the disk gave back something else.
        StorageError: The directory can't be written.
    """
    started_at = datetime.now(UTC)
    ready = check_preflight(target, [])
    partial = _partial(target)
    try:
        written = dump(target, ready, partial, None, report, _PHASE)
        taken_at = started_at.replace(microsecond=0)
        manifest = describe(
            target, ready, written, actor=actor, classes=(), taken_at=taken_at,
            started_at=started_at,
        )  # fmt: skip
        with uninterrupted():  # a dump that has its name has its manifest
            path = _publish(partial, manifest, ready.signing_key)
    except BaseException:
        _discard(partial, report)
        raise
    report(Event(_PHASE, f"safety backup {path}, read back and checked"))
    return path


def _partial(target: Settings) -> Path:
    """Where it is written: one for each database, so a killed job's is simply replaced."""
    directory = target.backup_dir / SAFETY
    partial = directory / f"{target.pgdatabase}{SUFFIX}{PARTIAL_SUFFIX}"
    with files.translated(f"No safety backup can be written to {directory}"):
        durable.make_directory(directory)
        partial.unlink(missing_ok=True)
        _remove_lone_manifests(directory, target.pgdatabase)
    return partial


def _remove_lone_manifests(directory: Path, database: str) -> None:
    """Remove the manifests whose dump a killed restore of this database did not publish any more.

    Another database's restore may just be between the two: its manifest says that it is its own.
    """
    for path in directory.glob(f"*{MANIFEST_SUFFIX}"):
        if os.path.lexists(str(path).removesuffix(MANIFEST_SUFFIX)):
            continue
        with suppress(DamagedError, FileNotFoundError):
            if parse_manifest(path.read_bytes(), str(path)).database == database:
                path.unlink()


def _publish(partial: Path, manifest: Manifest, key: SigningKey | None) -> Path:
    """Give it a name that nobody has; the next second, if another database's restore has it."""
    with files.translated(f"Safety backup {partial} can't be published"):
        while True:
            end = suffix(encrypted=manifest.encryption is not None)
            path = partial.with_name(f"pre_restore_{manifest.taken_at:%Y%m%d_%H%M%S}{end}")
            try:
                _claim(path, partial, signed(manifest, key))
                break
            except FileExistsError:
                later = manifest.taken_at + timedelta(seconds=1)
                manifest = manifest.model_copy(update={"taken_at": later})
        files.fsync_directory(path.parent)
    return path


def _claim(path: Path, partial: Path, manifest: Manifest) -> None:
    """Manifest first: who finds the dump finds it too.

    Raises:
        FileExistsError: The name is taken; nothing was changed.
    """
    aside = partial.with_name(partial.name + MANIFEST_SUFFIX)
    manifest_path = path.with_name(path.name + MANIFEST_SUFFIX)
    files.write_durably(aside, manifest.to_json())
    try:
        files.move(aside, manifest_path)
        try:
            files.move(partial, path)
        except BaseException:
            manifest_path.unlink()
            raise
    finally:
        aside.unlink(missing_ok=True)


def _discard(partial: Path, report: Report) -> None:
    """Remove what was begun. What went wrong before is what counts, so it never raises."""
    try:
        partial.unlink(missing_ok=True)
    except OSError as error:
        text = f"{partial} can't be removed: {error.strerror}; the next restore tries it again"
        report(Event(_PHASE, text, Level.WARNING))
