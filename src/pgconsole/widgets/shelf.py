"""A place's backups, prepared for display by the thread that listed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pgconsole.dumps.manifest import Manifest
from pgconsole.storage.base import Listing, StoredBackup


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in one place.

    Attributes:
        backups: The newest first.
        sizes: Compressed bytes by `<class>/<name>`, to compare the two places.
        newest_any: The newest backup by database.
        newest_complete: The newest backup that is known to be complete, by database.
        total: Bytes of all backups.
        foreign: Files that are none of ours.
        leftovers: Partial files that killed jobs left.
        manifest: Of the newest complete backup of the configured database, if it was read.
        manifest_problem: Why that manifest could not be read; empty if it could.
        due: When the schedule wanted the run after the newest backup, UTC.
    """

    backups: tuple[StoredBackup, ...]
    sizes: Mapping[str, int]
    newest_any: Mapping[str, StoredBackup]
    newest_complete: Mapping[str, StoredBackup]
    total: int
    foreign: int
    leftovers: int
    manifest: Manifest | None = None
    due: datetime | None = None
    manifest_problem: str = ""

    def newest(self, database: str, *, complete: bool = False) -> StoredBackup | None:
        """The newest backup of a database; with `complete`, of those known to be complete."""
        return (self.newest_complete if complete else self.newest_any).get(database)


EMPTY_SHELF = Shelf((), {}, {}, {}, 0, 0, 0)


def shelf_of(listing: Listing) -> Shelf:
    """Prepare a listing: whatever goes through all backups is done here, once."""
    oldest_first = listing.backups[::-1]
    return Shelf(
        backups=listing.backups,
        sizes={backup.name.relative_path: backup.size for backup in listing.backups},
        newest_any={backup.name.database: backup for backup in oldest_first},
        newest_complete={
            backup.name.database: backup
            for backup in oldest_first
            if backup.has_manifest and backup.size > 0
        },
        total=sum(backup.size for backup in listing.backups),
        foreign=len(listing.foreign),
        leftovers=len(listing.leftovers),
    )
