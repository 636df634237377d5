"""The publish stage: a verified dump gets its final names."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from pgconsole.backups.catalog import load_manifest
from pgconsole.backups.evidence import Evidence, Proof, copy_id, latest, note, read_evidence
from pgconsole.backups.interruption import uninterrupted
from pgconsole.backups.naming import NewName
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupName, parse_name
from pgconsole.errors import ConfigurationError, DamagedError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.storage.local import LocalStorage


@dataclass(frozen=True, slots=True)
class Published:
    """Where a backup lies now.

    Attributes:
        paths: One file for each class that worked, daily first.
        failure: Why a class after the first is missing; of several, the last.
    """

    paths: tuple[Path, ...]
    failure: StorageError | None


def publish(settings: Settings, new: NewName, manifest: Manifest, report: Report) -> Published:
    """Give the verified partial file its name, and its names in the other classes.

    A class that fails takes nothing from the backup itself: it is kept as `failure`.

    Raises:
        StorageError: The backup itself can't get its name; it is not published then.
    """
    storage = LocalStorage(settings.backup_dir)
    failure = None
    # A signal waits: a published backup is in all its classes.
    with uninterrupted():
        paths = [storage.publish(new.name, manifest)]
        for other in new.classes[1:]:
            try:
                paths.append(storage.add_class(new.name, other))
            except StorageError as error:
                failure = error
    for path in paths:
        report(Event("publish", f"published {path}"))
    if failure is not None:
        report(Event("publish", str(failure), Level.ERROR))
    return Published(tuple(paths), failure)


def attest(
    settings: Settings, published: Published, manifest: Manifest, job: str, report: Report
) -> None:
    """Record that the new files are whole: every byte was read back before they got their names.

    That a name of it is a copy and no hard link makes no difference: it was read back as well. If
    the evidence can't be written, a backup is no worse for it: that is only reported.
    """
    storage = LocalStorage(settings.backup_dir)
    at = manifest.verified_at or manifest.finished_at
    evidence = []
    for name in (one for path in published.paths if (one := parse_name(path.name))):
        try:
            copy = storage.find(name)
        except StorageError as error:
            report(Event("publish", str(error), Level.WARNING))
            continue
        if copy is not None and copy.size == manifest.compressed_bytes:
            evidence.append(
                Evidence(
                    copy=copy_id(settings, copy),
                    proof=Proof.COMPLETE,
                    at=at,
                    by=manifest.actor,
                    seconds=round((at - manifest.started_at).total_seconds(), 3),
                    size=copy.size,
                    modified=copy.modified,
                    sha256=manifest.sha256,
                    job=job,
                    signed=manifest.signature.key if manifest.signature else "",
                )
            )
    note(settings, report, *evidence)


def make_up_classes(settings: Settings, report: Report) -> None:
    """Give the newest backup the names in other classes that it did not get.

    Its process was killed between two names, or a class's directory failed. Older backups are left
    as they are: there retention may have taken a name away. The caller holds the database's lock;
    whatever goes wrong is reported, and the next backup tries again.
    """
    storage = LocalStorage(settings.backup_dir)
    try:
        newest = next(
            (one for one in storage.listing().backups if one.name.database == settings.pgdatabase),
            None,
        )
        if newest is None or (manifest := load_manifest(settings, newest)) is None:
            return
        if (manifest.taken_at, manifest.compressed_bytes) != (newest.name.taken_at, newest.size):
            return  # it is of another dump
        for backup_class in manifest.classes:
            path = storage.path(newest.name.in_class(backup_class))
            if not os.path.lexists(path):
                storage.add_class(newest.name, backup_class)
                _share_proof(settings, newest, newest.name.in_class(backup_class), report)
                report(Event("lock", f"made up what the last backup did not get: {path}"))
    except (StorageError, DamagedError, ConfigurationError) as error:
        report(Event("lock", f"the last backup lacks a class: {error}", Level.WARNING))


def _share_proof(
    settings: Settings, backup: StoredBackup, other: BackupName, report: Report
) -> None:
    """What is proven of a file is proven of its new name too, if that is a hard link."""
    copy = LocalStorage(settings.backup_dir).find(other)
    if copy is None:
        return
    try:
        if not Path(copy.location).samefile(backup.location):
            return
        proof = latest(read_evidence(settings), settings, backup)
    except OSError as error:
        report(Event("lock", f"what was proven can't be read: {error.strerror}", Level.WARNING))
        return
    if proof is not None:
        note(settings, report, replace(proof, copy=copy_id(settings, copy)))
