"""Proves the file of a dump against its manifest, and tells whether it was damaged or altered."""

from __future__ import annotations

from collections.abc import Callable

from pgconsole.backups.sealed import identities, unsealed
from pgconsole.backups.signatures import signer
from pgconsole.dumps.integrity import CheckedDump, check_dump, check_sealed
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import AlteredError, DamagedError
from pgconsole.settings import Settings


def check_copy(
    settings: Settings,
    source: RangedSource,
    manifest: Manifest | None,
    on_progress: Callable[[int], None],
    *,
    encrypted: bool,
) -> CheckedDump:
    """Read a dump whole and prove that it is what it should be.

    If somebody vouches for the manifest, and the dump is a whole one but another, then somebody
    put it there: bytes that rot do not make good checksums. It takes a second reading to tell.

    Args:
        settings: Whose keys.
        source: The file or object.
        manifest: What it should be, if known; `read_manifest` has let it pass.
        on_progress: As `check_dump` has it.
        encrypted: What its name says, see `naming.is_encrypted`.

    Raises:
        StorageError: The file can't be read.
        SealedError: It is encrypted, and no private key that is set opens it.
        ConfigurationError: The signing key's file can't be used.
        AlteredError: It is another dump than the one that was signed.
        DamagedError: It is damaged, no whole dump, or not the manifest's. Says where.
    """
    try:
        if encrypted:
            return check_sealed(source, manifest, identities(settings), on_progress)
        return check_dump(source, manifest, on_progress)
    except DamagedError as damage:
        if not signer(settings, manifest):
            raise
        if not _is_whole(settings, source, on_progress, encrypted=encrypted):
            raise
        raise AlteredError(
            "The dump was altered: it is whole, but not the one that was signed",
            cause=": ".join(filter(None, (damage.problem, damage.cause))),
            fix="use another backup, and find out who can write there",
        ) from damage


def _is_whole(
    settings: Settings,
    source: RangedSource,
    on_progress: Callable[[int], None],
    *,
    encrypted: bool,
) -> bool:
    try:
        check_dump(unsealed(settings, source, encrypted=encrypted), None, on_progress)
    except DamagedError:
        return False
    return True
