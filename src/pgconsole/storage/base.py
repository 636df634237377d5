"""What the operations need of a place that holds backups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pgconsole.dumps.naming import BackupName
from pgconsole.dumps.source import RangedSource


class Place(StrEnum):
    """Where a copy of a backup lies."""

    LOCAL = "local"
    S3 = "s3"


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """One copy of a backup, as a listing shows it.

    Attributes:
        name: The parsed file name.
        place: Where it lies.
        location: Absolute path, or key in the bucket.
        size: Compressed bytes.
        modified: When the file or object was last written, UTC.
        has_manifest: Whether a manifest lies beside it.
    """

    name: BackupName
    place: Place
    location: str
    size: int
    modified: datetime
    has_manifest: bool


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file in a backup directory whose name is not a backup's. Shown, never touched."""

    location: str
    size: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What a place holds: backups (newest first), foreign files, and what killed jobs left.

    Attributes:
        backups: Parsed backups, the newest first.
        foreign: Files that are none of ours.
        leftovers: Locations of partial files.
    """

    backups: tuple[StoredBackup, ...]
    foreign: tuple[ForeignFile, ...]
    leftovers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of a copy that was to be deleted.

    Attributes:
        bytes_freed: None for a file that has other names left, or that is only hidden.
        hidden: Whether it is hidden by a delete marker, and the bucket keeps it.
    """

    bytes_freed: int
    hidden: bool = False


class Storage(Protocol):
    """A place that holds backups."""

    place: Place

    def listing(self) -> Listing:
        """All that lies here.

        Raises:
            StorageError: It can't be read. Says whether it is unreachable, refused or missing.
        """
        ...

    def pages(self) -> Iterator[list[StoredBackup]]:
        """The backups page by page in the order of the store, for progressive display."""
        ...

    def open(self, location: str) -> RangedSource:
        """One file or object for ranged reading."""
        ...

    def read_small(self, location: str) -> bytes:
        """A whole small file or object (a manifest; at most 64 MiB)."""
        ...

    def remove(self, backup: StoredBackup) -> Removed:
        """Delete one copy and its manifest; the caller holds the lock of its database.

        Wherever it is interrupted, no dump is left without its manifest. A copy that is gone
        already is fine.

        Raises:
            StorageError: The copy is not what was listed any more (then it stays), or it can't be
                deleted.
        """
        ...
