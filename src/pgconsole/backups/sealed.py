"""Opens encrypted dumps with the private keys that are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgconsole.dumps.source import RangedSource
from pgconsole.errors import SealedError
from pgconsole.settings import Settings

if TYPE_CHECKING:
    from pgconsole.dumps.age_keys import Identity


def identities(settings: Settings) -> tuple[Identity, ...]:
    """The private keys.

    Raises:
        SealedError: None is set, or the file can't be used.
    """
    if settings.age_identity_file is None:
        raise SealedError(
            "The dump is encrypted, and no private key is set",
            cause="BACKUP_AGE_IDENTITY_FILE is not set",
            fix="set it to the identity file (AGE-SECRET-KEY-1...) of one of the backup's "
            "recipients; `pgconsole show` names them",
        )
    from pgconsole.dumps.age_keys import read_identities  # noqa: PLC0415 - only where it is needed

    return read_identities(settings.age_identity_file)


def unsealed(settings: Settings, source: RangedSource, *, encrypted: bool) -> RangedSource:
    """The gzip file: of an encrypted dump what its file holds, else the file itself.

    Args:
        settings: Whose keys.
        source: The file or object.
        encrypted: What its name says, see `naming.is_encrypted`.

    Raises:
        StorageError: It can't be read.
        SealedError: No key is set or can be used, or none of them opens it.
        DamagedError: It is no age file, or a damaged one.
    """
    if not encrypted:
        return source
    keys = identities(settings)
    from pgconsole.dumps.age_file import AgeFile  # noqa: PLC0415 - only where it is needed

    return AgeFile(source, keys)
