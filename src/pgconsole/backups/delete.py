"""The delete operation: copies that an operator chose, here and in S3.

`deletion.py` has the rule. All are decided about before the first one goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.confirmation import WORD
from pgconsole.backups.deletion import Decision, decide
from pgconsole.backups.evidence import evidence_path, read_evidence
from pgconsole.backups.interruption import uninterrupted
from pgconsole.backups.locked import HIDES
from pgconsole.backups.locking import database_lock
from pgconsole.backups.opened import find_backup
from pgconsole.backups.pins import Pin, held_pins, read_pins
from pgconsole.backups.trust import stored_whole, verdicts_of
from pgconsole.errors import ConfigurationError, RefusedError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import Listing, Place, Storage, StoredBackup
from pgconsole.storage.local import LocalStorage

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage

PHASE = "delete"


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """Copies that are to be deleted.

    Attributes:
        paths: Absolute paths of local backups.
        keys: Whole keys of backups in S3.
        confirmation: The token of `confirm_delete` for exactly these copies.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    paths: tuple[str, ...]
    keys: tuple[str, ...]
    confirmation: str
    actor: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """What is gone.

    Attributes:
        deleted: Paths and keys.
        bytes_freed: Names whose file has other hard links free nothing.
        hidden: Keys under a delete marker: the bucket keeps what they were.
    """

    deleted: tuple[str, ...]
    bytes_freed: int
    hidden: tuple[str, ...] = ()


def confirm_delete(typed: str, copies: Iterable[StoredBackup]) -> str:
    """Turn the typed word into the token that `run_delete` wants.

    Args:
        typed: What the operator typed; exactly `yes` counts.
        copies: As they were listed when it was typed.

    Raises:
        ConfigurationError: Something else was typed.
    """
    if typed != WORD:
        raise ConfigurationError(
            "Deletion not confirmed",
            cause=f"{typed!r} was typed, not {WORD!r}",
            fix=f"start it again and type {WORD}",
        )
    return _token(copies)


def find_copies(
    settings: Settings, paths: Sequence[str], keys: Sequence[str]
) -> tuple[StoredBackup, ...]:
    """The copies that are meant, as they are now.

    Args:
        settings: Where the backups are.
        paths: Names of local backups, or paths.
        keys: The same in S3.

    Raises:
        ConfigurationError: One of them is none, or none is named.
        StorageError: A place can't be read.
    """
    found = [find_backup(settings, Place.LOCAL, path) for path in paths]
    found += [find_backup(settings, Place.S3, key) for key in keys]
    if not found:
        raise ConfigurationError(
            "There is nothing to delete",
            cause="no backup is named",
            fix="name one that `pgconsole list` or `pgconsole list --s3` shows",
        )
    return tuple(dict.fromkeys(found))


def decisions(settings: Settings, copies: Sequence[StoredBackup]) -> tuple[Decision, ...]:
    """Which of these copies may go. Changes nothing.

    Raises:
        StorageError: BACKUP_DIR, pins or evidence can't be read; or the bucket, if a copy is there.
    """
    return _decisions(settings, copies, read_pins(settings), lambda _: None)


def run_delete(settings: Settings, request: DeleteRequest, report: Report) -> DeleteResult:
    """Delete copies, all of them or, if one must stay, none.

    Args:
        settings: Where the backups are.
        request: Which, and who asked.
        report: Told why each may go, then each deletion.

    Raises:
        ConfigurationError: A copy is none, or the yes was said to other copies.
        RefusedError: One of them must stay. Nothing was deleted.
        BusyError: Somebody else works on one of their databases, or with the pins.
        StorageError: Something can't be read: nothing was deleted; or one can't be deleted: those
            before it are gone. Says which.
        Cancelled: Raised by `report` or by a signal, and passed on. No backup is half deleted.
    """
    with ExitStack() as stack:
        copies = find_copies(settings, request.paths, request.keys)
        for database in sorted({copy.name.database for copy in copies}):
            lock = database_lock(
                settings, database, what="delete", actor=request.actor, job=request.job
            )
            stack.enter_context(lock)
        if request.confirmation != _token(copies):
            raise ConfigurationError(
                "Deletion not confirmed",
                cause="the copies are not those any more that the yes was said to",
                fix="look at them again, then start it anew",
            )
        pins = stack.enter_context(held_pins(settings, request.actor))
        decided = _decisions(settings, copies, pins, report)
        _refuse(decided)
        for decision in decided:
            text = f"to delete: {decision.backup.location} ({decision.reason})"
            report(Event(PHASE, text))
        return _delete(settings, decided, report)


def _decisions(
    settings: Settings, copies: Sequence[StoredBackup], pins: Mapping[str, Pin], report: Report
) -> tuple[Decision, ...]:
    local = LocalStorage(settings.backup_dir)
    with files.translated(f"{evidence_path(settings)} can't be read"):
        proofs = read_evidence(settings)
    listing = local.listing()
    verdicts = verdicts_of(settings, listing, proofs)
    everything = list(listing.backups)
    whole, in_s3 = _never, None
    if settings.s3_enabled:
        in_s3 = s3_storage(settings)
        there = _listing(in_s3, report, needed=any(one.place is Place.S3 for one in copies))
        verdicts |= verdicts_of(settings, there, proofs)
        everything += there.backups
        whole = partial(stored_whole, settings, in_s3)
    decided = decide(copies, everything, verdicts, pins, whole)
    if in_s3 is None:
        return decided
    return tuple(_unless_locked(in_s3, decision) for decision in decided)


def _unless_locked(storage: S3Storage, decision: Decision) -> Decision:
    """The store itself may keep an object."""
    backup = decision.backup
    if not decision.allowed or backup.place is Place.LOCAL:
        return decision
    lock = storage.lock_of(backup.location)
    if lock is not None and lock.holds(datetime.now(UTC)):
        return Decision(backup, False, f"it is {lock}")
    return decision


def _listing(storage: Storage, report: Report, *, needed: bool) -> Listing:
    """What the bucket holds; nothing if it can't be read: then no copy there makes up for one."""
    try:
        return storage.listing()
    except StorageError as error:
        if needed:
            raise
        report(Event(PHASE, f"copies in S3 do not count: {error}", Level.WARNING))
        return Listing((), (), ())


def _refuse(decided: Iterable[Decision]) -> None:
    staying = [decision for decision in decided if not decision.allowed]
    if staying:
        first = staying[0]
        more = f"; and {len(staying) - 1} more" if len(staying) > 1 else ""
        raise RefusedError(
            "Nothing was deleted",
            cause=f"{first.backup.location} must stay: {first.reason}{more}",
            fix="leave it out; or unpin it, or verify a later backup, then try again",
        )


def _delete(settings: Settings, decided: Sequence[Decision], report: Report) -> DeleteResult:
    """The caller holds the databases' locks and the pins."""
    deleted: list[str] = []
    hidden: list[str] = []
    freed = 0
    for decision in decided:
        storage: Storage = LocalStorage(settings.backup_dir)
        if decision.backup.place is Place.S3:
            storage = s3_storage(settings)
        _check_keeper(settings, decision)
        with uninterrupted():
            removed = storage.remove(decision.backup)
            freed += removed.bytes_freed
            (hidden if removed.hidden else deleted).append(decision.backup.location)
        location = decision.backup.location
        gone = f"deleted {location}"
        said = f"hidden, not deleted: {location} ({HIDES})" if removed.hidden else gone
        report(Event(PHASE, said))
    return DeleteResult(tuple(deleted), freed, tuple(hidden))


def _check_keeper(settings: Settings, decision: Decision) -> None:
    """What makes up for a copy is looked at once more: a store's listing may lag behind."""
    keeper = decision.keeper
    if keeper is None:
        return
    found = find_backup(settings, keeper.place, keeper.location)
    if (found.size, found.modified) != (keeper.size, keeper.modified):
        raise StorageError(
            f"{decision.backup.location} is not deleted",
            cause=f"{keeper.location}, for which it could go, is not what it was a moment ago",
            fix="see who writes there, then look at the backups again",
        )


def _token(copies: Iterable[StoredBackup]) -> str:
    said_to = sorted(
        (str(copy.place), copy.location, copy.size, copy.modified.isoformat()) for copy in copies
    )
    return sha256(json.dumps(["delete", *said_to]).encode()).hexdigest()


def _never(_: StoredBackup) -> bool:
    return False
