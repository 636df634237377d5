"""Retention in S3 deletes nothing for the sake of an object that is only listed.

A store's listing may lag behind, and another program or a lifecycle rule may delete there, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pgconsole.backups.retention import Entry, Plan
from pgconsole.dumps.naming import BackupClass
from pgconsole.report import Event, Level, Report
from pgconsole.storage.base import StoredBackup

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage


def leave_out_the_unfounded(storage: S3Storage, made: Plan, report: Report) -> Plan:
    """Look once at each object for which others are to go; they stay where one is not there.

    Args:
        storage: The bucket.
        made: The plan by its listing.
        report: Told what stays for that.

    Raises:
        StorageError: The store can't be asked.
    """
    at_stake = {_backup(entry).name.backup_class for entry in made.delete}
    lost: dict[BackupClass, str] = {}
    for backup in (_backup(entry) for entry in made.keep if entry.takes_slot):
        cls = backup.name.backup_class
        if cls in at_stake and cls not in lost and not _is_there(storage, backup):
            lost[cls] = f"{backup.location} is not there any more as it is listed"
    for cls, why in lost.items():
        report(Event("retention", f"no {cls} backup is deleted in S3 now: {why}", Level.WARNING))
    spared = {entry: lost.get(_backup(entry).name.backup_class) for entry in made.delete}
    stay = tuple(replace(entry, reason=why) for entry, why in spared.items() if why)
    return Plan((*made.keep, *stay), tuple(entry for entry, why in spared.items() if not why))


def _is_there(storage: S3Storage, backup: StoredBackup) -> bool:
    found = storage.find(backup.location)
    return found is not None and (found.size, found.modified) == (backup.size, backup.modified)


def _backup(entry: Entry) -> StoredBackup:
    assert entry.backup is not None  # only backups take slots, and only backups are deleted
    return entry.backup
