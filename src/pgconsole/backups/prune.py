"""The prune operation: applies the retention plan, local and in S3.

`retention.py` has the rule. What goes is announced first, each file with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pgconsole.backups.catalog import storage_of
from pgconsole.backups.evidence import Evidence, evidence_path, read_evidence
from pgconsole.backups.interruption import uninterrupted
from pgconsole.backups.locked import HIDES, with_locks
from pgconsole.backups.locking import database_lock
from pgconsole.backups.pins import Pin, backup_id, held_pins, read_pins
from pgconsole.backups.retention import Entry, Plan, plan, rules_of
from pgconsole.backups.trust import stored_whole, verdicts_of
from pgconsole.backups.unfounded import leave_out_the_unfounded
from pgconsole.dumps.naming import check_database_name
from pgconsole.errors import BusyError, Cancelled, PgconsoleError, PruneError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import Place, Storage, StoredBackup
from pgconsole.storage.local import LocalStorage

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage

PHASE = "retention"


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """Retention is to be applied.

    Attributes:
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    actor: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What retention did.

    Attributes:
        deleted: Paths and keys, locally first, the newest first.
        hidden: Keys under a delete marker: the bucket keeps what they were.
        kept: How many backups stay, of all databases, in the places it looked at.
        bytes_freed: Names whose file has other hard links free nothing.
    """

    deleted: tuple[str, ...]
    kept: int
    bytes_freed: int
    hidden: tuple[str, ...] = ()


def run_prune(settings: Settings, request: PruneRequest, report: Report) -> PruneResult:
    """Delete what retention no longer keeps.

    A place that fails does not keep the other from being looked after.

    Args:
        settings: Whose backups, and how many of them.
        request: Who asked.
        report: Told the plan, then each deletion.

    Raises:
        ConfigurationError: The database's name can't be part of a file name.
        BusyError: Somebody else works on this database.
        StorageError: Pins or evidence can't be read: nothing was deleted.
        PruneError: A place can't be read: nothing was deleted there; or something can't be
            deleted: all else was; or somebody held the pins: nothing was from there on. Says
            which. `result` is the PruneResult.
        Cancelled: Raised by `report` or by a signal, and passed on. No backup is half deleted.
    """
    check_database_name(settings.pgdatabase)
    with database_lock(
        settings, settings.pgdatabase, what="prune", actor=request.actor, job=request.job
    ):
        return apply_retention(settings, retained_places(settings), request.actor, report)


def retained_places(settings: Settings) -> tuple[Place, ...]:
    """Where retention deletes: in BACKUP_DIR, and in S3 once S3_RETENTION says so."""
    in_s3 = settings.s3_enabled and settings.s3_retention
    return (Place.LOCAL, Place.S3) if in_s3 else (Place.LOCAL,)


def make_plan(settings: Settings, place: Place) -> Plan:
    """What retention would do in a place now. Changes nothing.

    Raises:
        ConfigurationError: S3 is meant, and no bucket is set.
        StorageError: The place, the pins or the evidence can't be read.
    """
    return _plan(settings, storage_of(settings, place), read_pins(settings), _evidence(settings))


def apply_retention(
    settings: Settings, places: Sequence[Place], actor: str, report: Report
) -> PruneResult:
    """As `run_prune`, in these places; the caller holds the lock of the database."""
    pins, evidence = read_pins(settings), _evidence(settings)  # unreadable: nothing is deleted
    pruning = _Pruning(settings, actor, report)
    for place in places:
        pruning.run(place, pins, evidence)
    result = PruneResult(
        tuple(pruning.deleted), pruning.kept, pruning.bytes_freed, tuple(pruning.hidden)
    )
    if pruning.failures:
        raise PruneError(pruning.failures, result)
    return result


def retain_after_backup(
    settings: Settings, places: Sequence[Place], actor: str, report: Report
) -> None:
    """The last stage of a backup: retention in the places where the backup is whole.

    The backup is good by now, so nothing that goes wrong here is raised: it is reported, and the
    next backup tries again. The caller holds the lock of the database.
    """
    wanted = [place for place in retained_places(settings) if place in places]
    if not wanted:
        return
    try:
        apply_retention(settings, wanted, actor, report)
    except Cancelled:
        text = "the backup is good; it was cancelled before all old ones were deleted"
        report(Event(PHASE, text, Level.WARNING))
    except Exception as error:
        known = isinstance(error, PgconsoleError)
        cause = str(error) if known else f"{type(error).__name__}: {error}"
        text = f"the backup is good; not all old ones that should go were deleted: {cause}"
        report(Event(PHASE, text, Level.WARNING))


class _Pruning:
    """Retention on its way through the places."""

    def __init__(self, settings: Settings, actor: str, report: Report) -> None:
        self._settings = settings
        self._actor = actor
        self._report = report
        self.deleted: list[str] = []
        self.hidden: list[str] = []
        self.kept = 0
        self.bytes_freed = 0
        self.failures: list[PgconsoleError] = []

    def run(
        self, place: Place, pins: Mapping[str, Pin], evidence: Mapping[str, list[Evidence]]
    ) -> None:
        """Plan, announce and delete in one place. What fails is kept in `failures`."""
        try:
            storage = storage_of(self._settings, place)
            made = _plan(self._settings, storage, pins, evidence)
            if not isinstance(storage, LocalStorage):
                made = leave_out_the_unfounded(storage, made, self._report)
        except StorageError as error:
            self._fail(error)
            return
        self.kept += sum(entry.backup is not None for entry in made.keep)
        self._announce(place, made)
        try:
            for entry in made.delete:
                self._delete(storage, entry)
        except BusyError as error:  # each of the others would wait as long
            self._fail(error)

    def _announce(self, place: Place, made: Plan) -> None:
        kept = sum(entry.backup is not None for entry in made.keep)
        self._say(f"{place}: {len(made.delete)} to delete, {kept} to keep")
        for entry in made.delete:
            what = "hide" if entry.hides else "delete"
            self._say(f"to {what}: {entry.location} ({entry.reason})")
        waiting = sum(entry.waits for entry in made.keep)
        if waiting:
            self._say(
                f"{place}: {waiting} kept because they were never verified; they take no slot. "
                "Prove them: pgconsole verify --all"
            )

    def _delete(self, storage: Storage, entry: Entry) -> None:
        backup = entry.backup
        assert backup is not None  # only backups are ever planned for deletion
        try:
            # Whoever pins a backup now either comes first, or finds it gone.
            with held_pins(self._settings, self._actor) as pins, uninterrupted():
                if backup_id(backup.name) in pins:
                    self.kept += 1
                    self._say(f"stays, it was pinned meanwhile: {entry.location}")
                    return
                removed = storage.remove(backup)
                self.bytes_freed += removed.bytes_freed
                (self.hidden if removed.hidden else self.deleted).append(entry.location)
                self._say(
                    f"hidden, not deleted: {entry.location} ({HIDES})"
                    if removed.hidden
                    else f"deleted {entry.location}"
                )
        except StorageError as error:
            self._fail(error)

    def _fail(self, error: PgconsoleError) -> None:
        self.failures.append(error)
        self._report(Event(PHASE, str(error), Level.ERROR))

    def _say(self, text: str) -> None:
        self._report(Event(PHASE, text))


def _plan(
    settings: Settings,
    storage: LocalStorage | S3Storage,
    pins: Mapping[str, Pin],
    evidence: Mapping[str, list[Evidence]],
) -> Plan:
    listing = storage.listing()
    now = datetime.now(UTC)
    verdicts = verdicts_of(settings, listing, evidence)
    rules = rules_of(settings)
    if isinstance(storage, LocalStorage):
        return plan(listing, rules, pins, verdicts, now, _only_evidence)
    made = plan(listing, rules, pins, verdicts, now, partial(stored_whole, settings, storage))
    return with_locks(storage, made, now)


def _only_evidence(_: StoredBackup) -> bool:
    return False


def _evidence(settings: Settings) -> dict[str, list[Evidence]]:
    with files.translated(f"{evidence_path(settings)} can't be read"):
        return read_evidence(settings)
