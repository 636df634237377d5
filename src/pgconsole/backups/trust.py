"""Which copies are good ones for retention: by evidence, or in S3 by how they came there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pgconsole.backups.evidence import Evidence, Proof, copy_id
from pgconsole.backups.pins import backup_id
from pgconsole.backups.retention import Trust, Verdict
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import DamagedError
from pgconsole.settings import Settings
from pgconsole.storage.base import Listing, Place, Storage, StoredBackup

Proofs = Mapping[str, list[Evidence]]

_GOOD = {Proof.COMPLETE, Proof.RESTORED}


def verdicts_of(settings: Settings, listing: Listing, proofs: Proofs) -> dict[str, Verdict]:
    """What the evidence says about each copy, by location; nothing for those without any.

    A local backup's names in several classes are one file where they are hard links: damage found
    under one name is damage under all. A proof that it is whole counts for its own name only.
    """
    decisive: dict[str, Evidence] = {}
    damage: dict[object, Evidence] = {}
    for backup in listing.backups:
        if (proof := _decisive(settings, backup, proofs)) is None:
            continue
        decisive[backup.location] = proof
        if proof.proof is Proof.DAMAGED:
            file = _file(backup)
            damage[file] = max(proof, damage.get(file, proof), key=_at)
    verdicts = {}
    for backup in listing.backups:
        proof = decisive.get(backup.location)
        other = damage.get(_file(backup))
        if other is not None and (proof is None or proof.at < other.at):
            proof = other
        if proof is not None:
            verdicts[backup.location] = _verdict(proof)
    return verdicts


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


def _decisive(settings: Settings, backup: StoredBackup, proofs: Proofs) -> Evidence | None:
    """The last proof about this very copy that says whether it is a whole dump or damaged."""
    for proof in reversed(proofs.get(copy_id(settings, backup), [])):
        if proof.is_about(backup) and (proof.proof in _GOOD or proof.proof is Proof.DAMAGED):
            return proof
    return None


def _verdict(proof: Evidence) -> Verdict:
    if proof.proof in _GOOD:
        return Verdict(Trust.VERIFIED)
    return Verdict(Trust.DAMAGED, proof.problem)


def _file(backup: StoredBackup) -> object:
    """The same for all names of one local file; objects in S3 are each their own."""
    if backup.place is Place.S3:
        return backup.location
    return backup_id(backup.name), backup.size, backup.modified


def _at(proof: Evidence) -> datetime:
    return proof.at
