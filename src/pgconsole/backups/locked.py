"""What retention can't delete in S3, and what it can only hide: locked objects, old versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pgconsole.backups.retention import Entry, Plan

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage

HIDES = "a delete marker hides it, the bucket keeps its versions"


def with_locks(storage: S3Storage, made: Plan, now: datetime) -> Plan:
    """The plan as the bucket lets it be: what is locked stays, and what only gets hidden says so.

    A locked object could be hidden, too, and would take its space until the lock ends, unseen: so
    it stays where everybody sees it, and goes with a later prune. Only objects that are to go are
    asked for, and only in a bucket that can lock.

    Args:
        storage: The bucket.
        made: The plan by its listing.
        now: Timezone-aware.

    Raises:
        StorageError: The store can't be asked.
    """
    locked: list[Entry] = []
    free: list[Entry] = []
    for entry in made.delete:
        lock = storage.lock_of(entry.location)
        if lock is not None and lock.holds(now):
            locked.append(replace(entry, reason=f"{lock}; {entry.reason}"))
        else:
            free.append(entry)
    if free and storage.keeps_versions():
        free = [replace(one, reason=f"{one.reason}; {HIDES}", hides=True) for one in free]
    return Plan((*made.keep, *locked), tuple(free))
