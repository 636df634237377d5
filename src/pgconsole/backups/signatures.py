"""Which manifests are what somebody has signed: who was it, and is it of this very backup?

Whoever can write where backups lie can write manifests too. What he can't do is sign them. So every
manifest that is read here is checked, if it is known whose signatures count: one that does not fit,
is by somebody else, or stands beside another backup than it is of, was altered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pgconsole.backups.evidence import copy_id, evidence_path, read_evidence
from pgconsole.dumps.manifest import Manifest, Signature, parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, parse_name
from pgconsole.errors import AlteredError
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import Storage, StoredBackup

if TYPE_CHECKING:
    from pgconsole.dumps.signature import SigningKey

_SAFETY = re.compile(r"pre_restore_([0-9]{8}_[0-9]{6})\.sql\.gz(\.age)?")
_FIX = "use another backup, and find out who can write there"


def signing_key(settings: Settings) -> SigningKey | None:
    """The key that new manifests are signed with, if one is set.

    Raises:
        ConfigurationError: The file can't be used.
    """
    if settings.signing_key_file is None:
        return None
    from pgconsole.dumps.signature import read_signing_key  # noqa: PLC0415 - only where it is set

    return read_signing_key(settings.signing_key_file)


def trusted_keys(settings: Settings) -> frozenset[str]:
    """The public keys whose signatures count; none: nothing is checked.

    Raises:
        ConfigurationError: The signing key's file can't be used.
    """
    key = signing_key(settings)
    own = () if key is None else (key.public,)
    return frozenset((*settings.trusted_keys, *own))


def signed(manifest: Manifest, key: SigningKey | None) -> Manifest:
    """The manifest with a signature; as it is if there is no key."""
    return manifest if key is None else key.sign(manifest)


def signed_anew(settings: Settings, manifest: Manifest) -> Manifest:
    """A manifest that was changed, signed again if it was signed and can be.

    Raises:
        ConfigurationError: The signing key's file can't be used.
    """
    unsigned = manifest.model_copy(update={"signature": None})
    return unsigned if manifest.signature is None else signed(unsigned, signing_key(settings))


def read_manifest(settings: Settings, storage: Storage, dump: str) -> Manifest:
    """The manifest beside a dump, checked.

    Args:
        settings: Whose signatures count.
        storage: Where it lies.
        dump: Path or key of the dump.

    Raises:
        StorageError: It can't be read.
        AlteredError: It is not what was signed.
        DamagedError: It is no manifest, or of a version that this pgconsole does not know.
        ConfigurationError: The signing key's file can't be used.
    """
    location = dump + MANIFEST_SUFFIX
    data = storage.read_small(location)
    manifest = parse_manifest(data, location)
    if manifest.signature is not None and (keys := trusted_keys(settings)):
        _check(data, manifest.signature, keys, location)
        _check_name(manifest, dump)
    return manifest


def signer(settings: Settings, manifest: Manifest | None) -> str:
    """The public key that vouches for a manifest of `read_manifest`; empty if none does."""
    if manifest is None or manifest.signature is None or not trusted_keys(settings):
        return ""
    return manifest.signature.key


def refuse_stripped(
    settings: Settings, stored: StoredBackup | None, location: str, manifest: Manifest | None
) -> None:
    """See that nobody has taken a signature away.

    Args:
        settings: Whether a backup has to be signed; whose evidence.
        stored: The copy as it is listed; None if it lies elsewhere.
        location: Its path or key.
        manifest: What lies beside it; None if nothing of use does.

    Raises:
        AlteredError: Nobody vouches for it, and somebody should.
        StorageError: The evidence can't be read.
        ConfigurationError: The signing key's file can't be used.
    """
    if not trusted_keys(settings) or signer(settings, manifest):
        return
    what = "it has no manifest" if manifest is None else "its manifest is not signed"
    if settings.require_signature:
        raise _altered(
            f"Nobody vouches for {location}",
            f"{what}, and BACKUP_REQUIRE_SIGNATURE is set",
            "use a signed backup; if this one is older than your keys and you trust it, unset "
            "BACKUP_REQUIRE_SIGNATURE for as long as you need it",
        )
    if stored is not None and _was_signed(settings, stored):
        raise _altered(f"The signature of {location} is gone", f"{what}, and it was signed before")


def in_words(settings: Settings, manifest: Manifest) -> str:
    """Who vouches for a manifest of `read_manifest`; empty if nobody does, and nobody asks."""
    if manifest.signature is None:
        return "not signed" if trusted_keys(settings) else ""
    known = "a trusted key" if signer(settings, manifest) else "not checked: no key is trusted here"
    return f"signed by {manifest.signature.key}, {known}"


def _was_signed(settings: Settings, stored: StoredBackup) -> bool:
    """By any proof of a copy of this name, also of another file: names are never used again."""
    with files.translated(f"{evidence_path(settings)} can't be read"):
        proofs = read_evidence(settings)
    return any(proof.signed for proof in proofs.get(copy_id(settings, stored), []))


def _check(data: bytes, signature: Signature, keys: frozenset[str], location: str) -> None:
    from pgconsole.dumps.signature import fits  # noqa: PLC0415 - only where keys are set

    if signature.key not in keys:
        raise _altered(
            f"Manifest {location} is signed by a key that is not trusted",
            f"the key is {signature.key}",
            "if it is yours, add it to BACKUP_TRUSTED_KEYS; else find out who can write there",
        )
    if not fits(data, signature):
        raise _altered(f"Manifest {location} was altered", "its signature does not fit")


def _check_name(manifest: Manifest, dump: str) -> None:
    """The manifest is of a backup of this name. Names that are no backup's say nothing."""
    filename = dump.rpartition("/")[2]
    name, safety = parse_name(filename), _SAFETY.fullmatch(filename)
    if name is not None:
        fits = (name.database, name.taken_at) == (manifest.database, manifest.taken_at)
        fits = fits and name.backup_class in manifest.classes
    elif safety is not None:
        fits = f"{manifest.taken_at:%Y%m%d_%H%M%S}" == safety[1] and not manifest.classes
    else:
        return
    if not fits:
        of = f"{manifest.database!r} of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        raise _altered(
            f"The manifest beside {dump} is of another backup",
            f"what was signed is of {of}, in {', '.join(manifest.classes) or 'safety'}",
        )


def _altered(problem: str, cause: str, fix: str = _FIX) -> AlteredError:
    return AlteredError(problem, cause=cause, fix=fix)
