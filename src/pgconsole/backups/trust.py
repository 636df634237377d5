"""Which copies are good ones for retention: by evidence, or in S3 by how they came there."""

from __future__ import annotations

from collections.abc import Mapping

from pgconsole.backups.evidence import Evidence, latest
from pgconsole.backups.retention import Trust, Verdict
from pgconsole.backups.signatures import read_manifest, signer
from pgconsole.errors import DamagedError
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, Storage, StoredBackup

Proofs = Mapping[str, list[Evidence]]


def verdicts_of(settings: Settings, listing: Listing, proofs: Proofs) -> dict[str, Verdict]:
    """What the evidence says about each copy, by location; nothing for those without any."""
    return {
        backup.location: verdict
        for backup in listing.backups
        if (verdict := _verdict(settings, backup, proofs)) is not None
    }


def stored_whole(settings: Settings, storage: Storage, backup: StoredBackup) -> bool:
    """Whether a copy in S3 was stored there by pgconsole from a verified dump.

    Its manifest says that the dump was verified, and the object has the dump's size: pgconsole
    makes an object visible only after the dump was read back whole and the store has confirmed
    every part. What was altered says nothing, nor does what should be signed and is not.

    Raises:
        StorageError: The manifest can't be fetched.
        ConfigurationError: The signing key's file can't be used.
    """
    if not backup.has_manifest:
        return False
    try:
        manifest = read_manifest(settings, storage, backup.location)
    except DamagedError:
        return False
    return (
        manifest.verified_at is not None
        and (bool(signer(settings, manifest)) or not settings.require_signature)
        and manifest.compressed_bytes == backup.size
        and (manifest.database, manifest.taken_at) == (backup.name.database, backup.name.taken_at)
    )


def _verdict(settings: Settings, backup: StoredBackup, proofs: Proofs) -> Verdict | None:
    """By what counts of the proofs about this very copy."""
    known = latest(proofs, settings, backup)
    if known is None:
        return None
    if known.proof.is_bad:
        return Verdict(Trust(known.proof), known.problem)
    return Verdict(Trust.VERIFIED) if known.proof.is_good else None
