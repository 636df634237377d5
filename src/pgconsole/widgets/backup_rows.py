"""One row for each backup: where its copies are, and what is known of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pgconsole.backups.evidence import Evidence
from pgconsole.backups.history import NO_HISTORY, History
from pgconsole.backups.pins import Pin, backup_id
from pgconsole.backups.standing import Standing, standing
from pgconsole.dumps.naming import BackupName
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.marks import NO_MARKS, Marks

# The worst first.
_BAD = (Standing.ALTERED, Standing.DAMAGED, Standing.EMPTY, Standing.DIFFERS)
_ORDER = list(Standing)


class View(StrEnum):
    """Which backups a list shows."""

    ALL = "all"
    LOCAL = "local"
    S3 = "s3"


class Where(StrEnum):
    """Where the copies of a backup are. A list that is old or not whole makes it a guess."""

    BOTH = "both"
    LOCAL = "local"
    S3 = "S3"
    DIFFERS = "differs"
    MAYBE_BOTH = "both ?"
    MAYBE_LOCAL = "local ?"
    MAYBE_S3 = "S3 ?"


@dataclass(frozen=True, slots=True)
class BackupRow:
    """One backup in one class.

    Attributes:
        path: `<class>/<name>`, the same in both places.
        name: Parsed.
        local: Its copy in the backup directory.
        s3: Its copy in the bucket.
    """

    path: str
    name: BackupName
    local: StoredBackup | None
    s3: StoredBackup | None

    @property
    def copies(self) -> tuple[StoredBackup, ...]:
        """All there are, the local one first."""
        return tuple(copy for copy in (self.local, self.s3) if copy is not None)

    def is_in(self, view: View) -> bool:
        """Whether a list has it."""
        if view is View.ALL:
            return True
        return (self.local if view is View.LOCAL else self.s3) is not None

    def copy(self, view: View) -> StoredBackup:
        """The copy that a list is about: in the list of all the local one, if there is one."""
        found = self.s3 if view is View.S3 or self.local is None else self.local
        assert found is not None  # a row has at least one copy, and is in no list without it
        return found


def merged(
    local: Mapping[str, StoredBackup], s3: Mapping[str, StoredBackup]
) -> tuple[BackupRow, ...]:
    """All backups of both places, the newest first.

    Args:
        local: Copies in the backup directory by `<class>/<name>`, the newest first.
        s3: Copies in the bucket.
    """
    rows = [BackupRow(path, copy.name, copy, s3.get(path)) for path, copy in local.items()]
    rows += [
        BackupRow(path, copy.name, None, copy) for path, copy in s3.items() if path not in local
    ]
    rows.sort(key=lambda row: row.name.taken_at, reverse=True)
    return tuple(rows)


@dataclass(frozen=True)
class Knowledge:
    """What the rows are judged by. What was worked out for a row is kept.

    Attributes:
        marks: Proofs and pins.
        s3_enabled: Whether a bucket is set up.
        local_current: Whether the list of the backup directory is whole and no old one.
        s3_current: Whether the list of the bucket is.
        histories: By `backup_id`.
        texts: What filters look at, by path, as far as it was made already.
    """

    marks: Marks = NO_MARKS
    s3_enabled: bool = False
    local_current: bool = True
    s3_current: bool = True
    histories: Mapping[str, History] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict, compare=False)
    _known: dict[tuple[str, View], tuple[Standing, Evidence | None]] = field(default_factory=dict)

    def standing(self, row: BackupRow, view: View) -> tuple[Standing, Evidence | None]:
        """What is known of a row, and by which proof.

        In the list of all: the worst of its copies if one is bad, else the best.
        """
        key = (row.path, view)
        if key not in self._known:
            self._known[key] = self._judge(row, view)
        return self._known[key]

    def where(self, row: BackupRow) -> Where:
        """Where its copies are."""
        if row.local is not None and row.s3 is not None:
            if row.local.size != row.s3.size:
                return Where.DIFFERS
            current = self.local_current and self.s3_current
            return Where.BOTH if current else Where.MAYBE_BOTH
        if row.local is not None:
            known = self.s3_current or not self.s3_enabled
            return Where.LOCAL if known else Where.MAYBE_LOCAL
        return Where.S3 if self.local_current else Where.MAYBE_S3

    def history(self, row: BackupRow) -> History:
        """How it compares with those before it."""
        return self.histories.get(backup_id(row.name), NO_HISTORY)

    def pin(self, row: BackupRow) -> Pin | None:
        """Who pinned it."""
        return self.marks.pin(row.copy(View.ALL))

    def problem(self, row: BackupRow, view: View) -> str:
        """What is wrong with it, in a word or a sentence; empty if nothing is known to be."""
        known, _ = self.standing(row, view)
        if known in _BAD:
            return str(known)
        if oddity := self.history(row).oddity:
            return oddity
        if view is not View.S3 and self.s3_enabled and self.where(row) is Where.LOCAL:
            return "not in S3"
        return ""

    def _judge(self, row: BackupRow, view: View) -> tuple[Standing, Evidence | None]:
        copies: Iterable[StoredBackup] = row.copies if view is View.ALL else (row.copy(view),)
        found = [self._standing(row, copy) for copy in copies]
        for bad in _BAD:
            if (worst := next((one for one in found if one[0] is bad), None)) is not None:
                return worst
        return min(found, key=lambda one: _ORDER.index(one[0]))

    def _standing(self, row: BackupRow, copy: StoredBackup) -> tuple[Standing, Evidence | None]:
        other = row.s3 if copy.place is Place.LOCAL else row.local
        proof = self.marks.proof(copy)
        return standing(copy, {row.path: other.size} if other else {}, proof), proof
