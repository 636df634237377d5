"""What is known of a copy of a backup, in one word, and never more than was proven."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pgconsole.backups.evidence import Evidence, Proof
from pgconsole.storage.base import StoredBackup


class Standing(StrEnum):
    """What the evidence says about one copy of a backup, from the best to the worst."""

    RESTORED = "restored"  # it was restored, with all objects and rows
    COMPLETE = "complete"  # it was read, and is a whole dump
    INTACT = "intact"  # it was read, and has the bytes that were written; not looked into
    LISTED = "listed"  # a file or object of that name and size is there; nothing more is known
    DIFFERS = "differs"  # nothing more is known, and the copy in the other place has another size
    EMPTY = "empty"  # no bytes in it
    DAMAGED = "damaged"  # it was read, and is not what it should be
    ALTERED = "altered"  # somebody has changed it: it is not what was signed

    @property
    def is_good(self) -> bool:
        """Whether it is proven that all of the database is in it."""
        return self in (Standing.RESTORED, Standing.COMPLETE)


def standing(
    backup: StoredBackup, elsewhere: Mapping[str, int], proof: Evidence | None = None
) -> Standing:
    """What is known of a copy. A manifest alone proves nothing.

    Args:
        backup: The copy.
        elsewhere: Sizes of the copies in the other place.
        proof: The last proof that is about this copy as it is, if there is one.
    """
    if backup.size == 0:
        return Standing.EMPTY
    if proof is not None and proof.proof is not Proof.LISTED:
        return Standing(proof.proof)
    if elsewhere and elsewhere.get(backup.name.relative_path, backup.size) != backup.size:
        return Standing.DIFFERS
    return Standing.LISTED
