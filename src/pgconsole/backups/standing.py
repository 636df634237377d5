"""What is known of a copy of a backup from a listing alone: one word, never more than is known."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pgconsole.storage.base import Place, StoredBackup


class Standing(StrEnum):
    """What the evidence says about one copy of a backup."""

    COMPLETE = "complete"  # pgconsole verified it before it got its name; not re-read since
    LISTED = "listed"  # an object of that name and size is there; nothing more is known
    UNKNOWN = "unknown"  # a file without a manifest: nobody checked what is in it
    DIFFERS = "differs"  # the local file and the object in S3 differ in size
    EMPTY = "empty"  # no bytes in it


def standing(backup: StoredBackup, elsewhere: Mapping[str, int]) -> Standing:
    """What is known of a copy.

    Args:
        backup: The copy.
        elsewhere: Sizes of the copies in the other place.
    """
    if backup.size == 0:
        return Standing.EMPTY
    if elsewhere.get(backup.name.relative_path, backup.size) != backup.size:
        return Standing.DIFFERS
    if backup.has_manifest:
        return Standing.COMPLETE
    return Standing.LISTED if backup.place is Place.S3 else Standing.UNKNOWN
