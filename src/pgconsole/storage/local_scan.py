"""What one class's directory holds, sorted into backups, leftovers and other people's files."""

from __future__ import annotations

import os
import re
import stat
import uuid
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from pgconsole.dumps.naming import (
    AGE_SUFFIX,
    MANIFEST_SUFFIX,
    PARTIAL_SUFFIX,
    SUFFIX,
    BackupClass,
    BackupName,
    parse_name,
)
from pgconsole.storage.base import ForeignFile, Place, StoredBackup
from pgconsole.untrusted import modified

# Whoever writes a file that others may be writing as well adds a number of its own.
_PARTIAL = re.compile(rf"(\.[0-9a-f]{{32}})?{re.escape(PARTIAL_SUFFIX)}\Z")


@dataclass(slots=True)
class Scan:
    """What one class's directory holds.

    Attributes:
        backups: Backups, in no order.
        foreign: Files that are none of ours, symbolic links among them.
        leftovers: Partial files, and manifests without a dump.
    """

    backups: list[StoredBackup] = field(default_factory=list)
    foreign: list[ForeignFile] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)


def scan_directory(directory: Path, backup_class: BackupClass) -> Scan:
    """Sort everything in a class's directory; nothing is followed or opened.

    Raises:
        OSError: The directory can't be read.
    """
    scan = Scan()
    with os.scandir(directory) as found:
        entries = {entry.name: entry for entry in found}
    for filename, entry in entries.items():
        # A manifest beside a backup is part of it; most are found so, without reading the name.
        dump = filename.removesuffix(MANIFEST_SUFFIX)
        if dump != filename and dump.endswith((SUFFIX, SUFFIX + AGE_SUFFIX)) and dump in entries:
            continue
        try:
            _sort(scan, entry, entries, backup_class)
        except FileNotFoundError:  # pruned or published since
            continue
    return scan


def leftover_name(filename: str) -> BackupName | None:
    """The backup that a partial file or a manifest belongs to, or None for other files."""
    stem = _PARTIAL.sub("", filename).removesuffix(MANIFEST_SUFFIX)
    return parse_name(stem) if stem != filename else None


def as_listed(
    name: BackupName, location: str, status: os.stat_result, *, has_manifest: bool
) -> StoredBackup:
    """A backup as a listing shows it."""
    written = modified(status)
    return StoredBackup(name, Place.LOCAL, location, status.st_size, written, has_manifest)


def is_as_listed(status: os.stat_result, backup: StoredBackup) -> bool:
    """Whether a file is the regular file that the listing saw, not written to since."""
    return stat.S_ISREG(status.st_mode) and (status.st_size, modified(status)) == (
        backup.size,
        backup.modified,
    )


def manifest_path(path: Path) -> Path:
    """The manifest beside a dump."""
    return path.with_name(path.name + MANIFEST_SUFFIX)


def partial_path(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(path.name + PARTIAL_SUFFIX)


def own_partial_path(path: Path) -> Path:
    """The same where others may be writing that file too."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")


def _sort(
    scan: Scan,
    entry: os.DirEntry[str],
    entries: Container[str],
    backup_class: BackupClass,
) -> None:
    """Put one file where it belongs in the scan."""
    filename = entry.name
    if entry.is_file(follow_symlinks=False) and filename.isprintable():
        name = parse_name(filename)
        if name is not None and name.backup_class is backup_class:
            status = entry.stat(follow_symlinks=False)
            has_manifest = filename + MANIFEST_SUFFIX in entries
            scan.backups.append(as_listed(name, entry.path, status, has_manifest=has_manifest))
            return
        owner = leftover_name(filename)
        if owner is not None and owner.backup_class is backup_class:
            scan.leftovers.append(Path(entry.path))
            return
    scan.foreign.append(ForeignFile(entry.path, entry.stat(follow_symlinks=False).st_size))
