"""Which copies are good ones for retention: by evidence, or in S3 by how they came there."""

from __future__ import annotations

from collections.abc import Mapping

from pgconsole.backups.evidence import Evidence, Proof, copy_id
from pgconsole.backups.retention import Trust, Verdict
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import DamagedError
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, Storage, StoredBackup

Proofs = Mapping[str, list[Evidence]]

_GOOD = {Proof.COMPLETE, Proof.RESTORED}


def verdicts_of(settings: Settings, listing: Listing, proofs: Proofs) -> dict[str, Verdict]:
    """What the evidence says about each copy, by location; nothing for those without any."""
    return {
        backup.location: verdict
        for backup in listing.backups
        if (verdict := _verdict(settings, backup, proofs)) is not None
    }


def stored_whole(storage: Storage, backup: StoredBackup) -> bool:
    """Whether a copy in S3 was stored there by pgconsole from a verified dump.

    Its manifest says that the dump was verified, and the object has the dump's size: pgconsole
    makes an object visible only after the dump was read back whole and the store has confirmed
    every part.

    Raises:
        StorageError: The manifest can't be fetched.
    """
    if not backup.has_manifest:
        return False
    location = backup.location + MANIFEST_SUFFIX
    try:
        manifest = parse_manifest(storage.read_small(location), location)
    except DamagedError:
        return False
    return (
        manifest.verified_at is not None
        and manifest.compressed_bytes == backup.size
        and (manifest.database, manifest.taken_at) == (backup.name.database, backup.name.taken_at)
    )


def _verdict(settings: Settings, backup: StoredBackup, proofs: Proofs) -> Verdict | None:
    """By the last proof about this very copy that says whether it is a whole dump or damaged."""
    for proof in reversed(proofs.get(copy_id(settings, backup), [])):
        if not proof.is_about(backup):
            continue
        if proof.proof is Proof.DAMAGED:
            return Verdict(Trust.DAMAGED, proof.problem)
        if proof.proof in _GOOD:
            return Verdict(Trust.VERIFIED)
    return None
