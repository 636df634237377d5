"""A place's backups, prepared for display by the thread that listed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pgconsole.backups.evidence import Evidence
from pgconsole.backups.history import Rows
from pgconsole.dumps.manifest import Manifest
from pgconsole.status.facts import Holdings
from pgconsole.storage.base import Listing, StoredBackup
from pgconsole.widgets.marks import NO_MARKS, Marks


@dataclass(frozen=True)
class MarkedHoldings(Holdings):
    """A database's backups, each proof looked up when it is asked for.

    Attributes:
        marks: Proofs of all copies.
    """

    marks: Marks = NO_MARKS

    def evidence(self, backup: StoredBackup) -> Evidence | None:
        """The last proof about this copy as it is now."""
        return self.marks.proof(backup)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies in one place.

    Attributes:
        backups: The newest first.
        copies: By `<class>/<name>`, the newest first, to compare the two places.
        by_database: Each database's backups, the newest first.
        total: Bytes of all backups.
        foreign: Files that are none of ours.
        leftovers: Partial files that killed jobs left.
        marks: Proofs and pins; they lie in the backup directory, whatever place they are about.
        manifest: Of the newest backup of the configured database that has one, if it was read.
        manifest_problem: Why that manifest could not be read; empty if it could.
        rows: Of the newest backups' tables, by `backup_id`.
        judged: The configured database's backups as they are judged, worked out by whoever read
            the marks; None: not yet.
    """

    backups: tuple[StoredBackup, ...]
    copies: Mapping[str, StoredBackup]
    by_database: Mapping[str, tuple[StoredBackup, ...]]
    total: int
    foreign: int
    leftovers: int
    marks: Marks = NO_MARKS
    manifest: Manifest | None = None
    manifest_problem: str = ""
    rows: Mapping[str, Rows] = field(default_factory=dict)
    judged: Holdings | None = None

    def holdings(self, database: str, marks: Marks) -> Holdings:
        """A database's backups, to be judged.

        Args:
            database: Other databases' backups do not count.
            marks: What was proven; they lie in the backup directory.
        """
        return MarkedHoldings(
            backups=self.by_database.get(database, ()),
            proofs={},
            proofs_problem=marks.problem,
            manifest=self.manifest,
            manifest_problem=self.manifest_problem,
            marks=marks,
        )


EMPTY_SHELF = Shelf((), {}, {}, 0, 0, 0)


def shelf_of(listing: Listing) -> Shelf:
    """Prepare a listing: whatever goes through all backups is done here, once."""
    by_database: dict[str, list[StoredBackup]] = {}
    for backup in listing.backups:
        by_database.setdefault(backup.name.database, []).append(backup)
    return Shelf(
        backups=listing.backups,
        copies={backup.name.relative_path: backup for backup in listing.backups},
        by_database={name: tuple(backups) for name, backups in by_database.items()},
        total=sum(backup.size for backup in listing.backups),
        foreign=len(listing.foreign),
        leftovers=len(listing.leftovers),
    )


def again(before: Shelf | None, listing: Listing) -> Shelf:
    """Prepare a listing; the same backups as before are the same objects, as whoever draws sees."""
    if before is None or before.backups != listing.backups:
        return shelf_of(listing)
    return replace(before, foreign=len(listing.foreign), leftovers=len(listing.leftovers))


def with_marks(shelf: Shelf, database: str, marks: Marks) -> Shelf:
    """The backup directory with its marks; what takes a walk over all backups is done here."""
    judged = shelf.holdings(database, marks)
    judged.good()
    _ = judged.oldest_good
    return replace(shelf, marks=marks, judged=judged)
