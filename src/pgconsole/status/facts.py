"""Everything that the judgement on the backups rests on, and how sure each part of it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pgconsole.backups.evidence import Evidence, Proof
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job
from pgconsole.schedule.state import Heartbeat, Pause, Slot
from pgconsole.storage.base import StoredBackup

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Answered(Protocol[T_co]):
    """What was asked of something that may fail: the last answer, and what became of it since."""

    @property
    def value(self) -> T_co | None:
        """The last answer; None if there was never one."""

    @property
    def read_at(self) -> datetime | None:
        """When it was given."""

    @property
    def problem(self) -> PgconsoleError | None:
        """Why the latest attempt failed; None if it did not."""

    @property
    def failing_since(self) -> datetime | None:
        """When the first attempt failed since the last answer; None: there was one attempt."""

    @property
    def so_far(self) -> T_co | None:
        """What the attempt under way has brought so far; never to be taken for the whole."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer to a question that was asked once."""

    value: T | None = None
    read_at: datetime | None = None
    problem: PgconsoleError | None = None
    failing_since: datetime | None = None
    so_far: T | None = None


@dataclass(frozen=True)  # no slots: what takes a walk over all backups is worked out once
class Holdings:
    """The configured database's backups in one place.

    Attributes:
        backups: The newest first; other databases' are left out.
        proofs: By location, what is proven of the copy as it is now.
        proofs_problem: Why the proofs can't be read; empty if they can.
        manifest: Of the newest backup that has one, if it was read.
        manifest_problem: Why that manifest can't be read; empty if it can.
        looks: By location, the last proof about the copy where another one counts.
    """

    backups: tuple[StoredBackup, ...]
    proofs: Mapping[str, Evidence]
    proofs_problem: str = ""
    manifest: Manifest | None = None
    manifest_problem: str = ""
    looks: Mapping[str, Evidence] = field(default_factory=dict)

    def newest(self) -> StoredBackup | None:
        """The newest backup, whatever is known of it."""
        return self.backups[0] if self.backups else None

    def good(self, backup_class: BackupClass | None = None) -> StoredBackup | None:
        """The newest backup that is proven complete, of one class or of any."""
        return self._good.get(backup_class)

    @cached_property
    def oldest_good(self) -> StoredBackup | None:
        """The oldest backup that is proven complete."""
        return next(filter(self.is_good, reversed(self.backups)), None)

    def described(self) -> StoredBackup | None:
        """The newest backup that has a manifest."""
        return next((backup for backup in self.backups if backup.has_manifest), None)

    def is_good(self, backup: StoredBackup) -> bool:
        """Whether it is proven that all of the database is in it."""
        return backup.size > 0 and self.proof(backup).is_good

    def proof(self, backup: StoredBackup) -> Proof:
        """What is proven of this copy."""
        found = self.evidence(backup)
        return found.proof if found is not None else Proof.LISTED

    def evidence(self, backup: StoredBackup) -> Evidence | None:
        """What is proven of this copy as it is now."""
        return self.proofs.get(backup.location)

    def last_look(self) -> Evidence | None:
        """The newest proof of all."""
        everything = (*self.proofs.values(), *self.looks.values())
        return max(everything, key=lambda proof: proof.at, default=None)

    @cached_property
    def _good(self) -> Mapping[BackupClass | None, StoredBackup]:
        found: dict[BackupClass | None, StoredBackup] = {}
        for backup in self.backups:
            if backup.name.backup_class not in found and self.is_good(backup):
                found[backup.name.backup_class] = backup
                found.setdefault(None, backup)
                if len(found) > len(BackupClass):
                    break
        return found


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of the backup directory.

    Attributes:
        free_bytes: What can still be written.
        needed_bytes: Estimate of the next backup's file; None if there is nothing to go by.
    """

    free_bytes: int
    needed_bytes: int | None


@dataclass(frozen=True, slots=True)
class Scheduler:
    """What the scheduler left behind.

    Attributes:
        heartbeat: Its last sign of life; None: there was never one.
        pause: The pause that is in force.
        slots: The last slots, the newest first.
    """

    heartbeat: Heartbeat | None
    pause: Pause | None
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known.

    Attributes:
        database: The configured database.
        schedule: The cron expression that is followed.
        timezone: Its time zone.
        local: The backup directory.
        s3_enabled: Whether a bucket is set.
        s3: The bucket; None if there is none, or if it was not asked.
        jobs: The jobs, the newest first.
        scheduler: The scheduler.
        disk: The disk.
    """

    database: str
    schedule: str
    timezone: ZoneInfo
    local: Answered[Holdings]
    s3_enabled: bool
    s3: Answered[Holdings] | None
    jobs: Answered[tuple[Job, ...]]
    scheduler: Answered[Scheduler]
    disk: Answered[Disk]
