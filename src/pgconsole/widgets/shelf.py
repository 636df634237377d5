"""A place's backups, prepared for display by the thread that listed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pgconsole.backups.standing import standing
from pgconsole.dumps.manifest import Manifest
from pgconsole.storage.base import Listing, StoredBackup
from pgconsole.widgets.marks import NO_MARKS, Marks


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in one place.

    Attributes:
        backups: The newest first.
        sizes: Compressed bytes by `<class>/<name>`, to compare the two places.
        newest_any: The newest backup by database.
        total: Bytes of all backups.
        foreign: Files that are none of ours.
        leftovers: Partial files that killed jobs left.
        marks: Proofs and pins; they lie in the backup directory, whatever place they are about.
        good: The newest backup of the configured database that is proven complete.
        manifest: Of the newest backup of the configured database that has one, if it was read.
        manifest_problem: Why that manifest could not be read; empty if it could.
        due: When the schedule wanted the run after the newest backup, UTC.
    """

    backups: tuple[StoredBackup, ...]
    sizes: Mapping[str, int]
    newest_any: Mapping[str, StoredBackup]
    total: int
    foreign: int
    leftovers: int
    marks: Marks = NO_MARKS
    good: StoredBackup | None = None
    manifest: Manifest | None = None
    due: datetime | None = None
    manifest_problem: str = ""

    def newest(self, database: str) -> StoredBackup | None:
        """The newest backup of a database."""
        return self.newest_any.get(database)


EMPTY_SHELF = Shelf((), {}, {}, 0, 0, 0)


def shelf_of(listing: Listing, *, whole: bool = True) -> Shelf:
    """Prepare a listing: whatever goes through all backups is done here, once.

    Args:
        listing: What lies there.
        whole: False: more is coming. Half a list is compared with nothing.
    """
    sizes = {backup.name.relative_path: backup.size for backup in listing.backups} if whole else {}
    return Shelf(
        backups=listing.backups,
        sizes=sizes,
        newest_any={backup.name.database: backup for backup in reversed(listing.backups)},
        total=sum(backup.size for backup in listing.backups),
        foreign=len(listing.foreign),
        leftovers=len(listing.leftovers),
    )


def newest_good(shelf: Shelf, database: str, marks: Marks) -> StoredBackup | None:
    """The newest backup of a database that is proven complete."""
    for backup in shelf.backups if marks.proofs else ():
        if backup.name.database == database and standing(backup, {}, marks.proof(backup)).is_good:
            return backup
    return None
