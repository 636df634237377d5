"""Which backups retention keeps and which it deletes, each with its reason. A pure function.

The rule, for each place (BACKUP_DIR, bucket), database and class by itself:

- The newest RETENTION_<CLASS> *good* backups are kept. Only they take slots. Good is what evidence
  says is a whole dump; in S3 also what pgconsole stored there from a verified dump.
- Whatever is older than all of those is deleted, whether it was verified or not. So a backup goes
  only where that many newer ones are known to be good: files that nobody verified, a valid gzip of
  half a dump among them, never push out a good one, and a broken backup job deletes nothing.
- Never deleted, and without a slot: pinned backups, empty, damaged and altered ones, names dated
  in the future, other databases' files, partial files, and files whose names are no backup's.
- The newest backup that is verified by evidence stays, whatever the counts say.
- 0 keeps all of a class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pgconsole.backups.pins import Pin, backup_id
from pgconsole.dumps.naming import BackupClass
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, StoredBackup

_CLOCK_SLACK = timedelta(
    minutes=5
)  # two hosts' clocks differ, and names are passed over by seconds


class Trust(StrEnum):
    """What the evidence says about a copy."""

    VERIFIED = "verified"  # by evidence that is still about this very copy
    DAMAGED = "damaged"  # known to be no good
    ALTERED = "altered"  # not what was signed

    @property
    def is_bad(self) -> bool:
        """Whether the copy counts for nothing."""
        return self in (Trust.DAMAGED, Trust.ALTERED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says about one copy.

    Attributes:
        trust: In one word.
        problem: For `damaged` and `altered`: what is wrong with it.
    """

    trust: Trust
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator configured.

    Attributes:
        database: Whose backups; all others are left alone.
        counts: How many of each class to keep; 0 keeps all.
    """

    database: str
    counts: Mapping[BackupClass, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or object, and why it is kept or deleted.

    Attributes:
        location: Absolute path, or key in the bucket.
        reason: In words.
        backup: The copy; None for a file that is no backup.
        waits: Whether it is kept only until enough newer backups are verified.
        takes_slot: Whether it is one of the good ones for which older ones go.
        hides: Whether deleting it hides it only: the bucket keeps its versions.
    """

    location: str
    reason: str
    backup: StoredBackup | None = None
    waits: bool = False
    takes_slot: bool = False
    hides: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of everything in one place.

    Attributes:
        keep: What stays, the newest backup first, then what is no backup.
        delete: What goes, the newest first. Each has its `backup`.
    """

    keep: tuple[Entry, ...]
    delete: tuple[Entry, ...]

    @property
    def freed(self) -> int:
        """Bytes that it frees at most: files may have other hard links."""
        return sum(one.backup.size for one in self.delete if one.backup and not one.hides)


def rules_of(settings: Settings) -> Rules:
    """The configured rules."""
    return Rules(
        settings.pgdatabase,
        {
            BackupClass.DAILY: settings.retention_daily,
            BackupClass.WEEKLY: settings.retention_weekly,
            BackupClass.MONTHLY: settings.retention_monthly,
        },
    )


def plan(
    listing: Listing,
    rules: Rules,
    pins: Mapping[str, Pin],
    verdicts: Mapping[str, Verdict],
    now: datetime,
    stored_whole: Callable[[StoredBackup], bool],
) -> Plan:
    """Decide about everything in one place.

    Args:
        listing: All that lies there.
        rules: Whose backups, and how many of them.
        pins: By `backup_id`.
        verdicts: By location; a copy without one was never verified.
        now: Timezone-aware.
        stored_whole: Whether an unverified copy counts as good all the same. Asked for no more
            copies than it takes to fill the slots.
    """
    decide = _Decider(listing.backups, rules, pins, verdicts, now, stored_whole)
    keep: list[Entry] = []
    delete: list[Entry] = []
    for backup in sorted(listing.backups, key=lambda one: one.name.taken_at, reverse=True):
        entry, stays = decide(backup)
        (keep if stays else delete).append(entry)
    keep += [Entry(path, "partial: the next backup looks after it") for path in listing.leftovers]
    keep += [Entry(file.location, "not a backup") for file in listing.foreign]
    return Plan(tuple(keep), tuple(delete))


class _Decider:
    """Takes the copies of one place, the newest first, and counts the slots."""

    def __init__(
        self,
        backups: Iterable[StoredBackup],
        rules: Rules,
        pins: Mapping[str, Pin],
        verdicts: Mapping[str, Verdict],
        now: datetime,
        stored_whole: Callable[[StoredBackup], bool],
    ) -> None:
        self._rules = rules
        self._pins = pins
        self._verdicts = verdicts
        self._horizon = now + _CLOCK_SLACK
        self._stored_whole = stored_whole
        self._taken = dict.fromkeys(BackupClass, 0)
        self._newest_verified = max(
            (
                backup.name.taken_at
                for backup in backups
                if self._left_alone(backup) is None and self._is_verified(backup)
            ),
            default=None,
        )

    def __call__(self, backup: StoredBackup) -> tuple[Entry, bool]:
        """The decision about a copy, and whether it stays."""
        cls = backup.name.backup_class
        count, taken = self._rules.counts[cls], self._taken[cls]
        if (reason := self._left_alone(backup)) is not None:
            return Entry(backup.location, reason, backup), True
        if count == 0:
            return Entry(backup.location, f"all {cls} backups stay", backup), True
        verified = self._is_verified(backup)
        if taken < count:
            if verified or self._stored_whole(backup):
                self._taken[cls] += 1
                reason = f"{cls} {taken + 1} of {count}"
                return Entry(backup.location, reason, backup, takes_slot=True), True
            reason = f"never verified: takes no slot, stays until {count} newer {cls} ones are good"
            return Entry(backup.location, reason, backup, waits=True), True
        if verified and backup.name.taken_at == self._newest_verified:
            return Entry(backup.location, "newest verified backup", backup), True
        reason = f"older than the {count} good {cls} backups that stay"
        return Entry(backup.location, reason, backup), False

    def _left_alone(self, backup: StoredBackup) -> str | None:
        """Why a copy stays without taking a slot, or None if the counts decide."""
        if backup.name.database != self._rules.database:
            return f"of another database, {backup.name.database!r}"
        if (pin := self._pins.get(backup_id(backup.name))) is not None:
            return f"pinned by {pin.by}" + (f": {pin.note}" if pin.note else "")
        if backup.size == 0:
            return "empty: takes no slot"
        verdict = self._verdicts.get(backup.location)
        if verdict is not None and verdict.trust.is_bad:
            why = f" ({verdict.problem})" if verdict.problem else ""
            return f"{verdict.trust}: takes no slot{why}"
        if backup.name.taken_at > self._horizon:
            return "dated in the future: takes no slot"
        return None

    def _is_verified(self, backup: StoredBackup) -> bool:
        verdict = self._verdicts.get(backup.location)
        return verdict is not None and verdict.trust is Trust.VERIFIED
