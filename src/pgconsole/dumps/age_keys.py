"""Private keys of age, read from an identity file, and public ones.

Only X25519 keys: `AGE-SECRET-KEY-1...` and `age1...`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyrage
from pyrage import x25519

from pgconsole.errors import SealedError
from pgconsole.redact import Redactor

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM = 6  # characters at the end
_MOST = 1 << 20  # bytes of an identity file
_SECRET = "AGE-SECRET-KEY-1"  # noqa: S105 - what a key begins with
# How files begin that hold keys in another form.
_FOREIGN = {
    b"age-encryption.org/": "it is protected by a passphrase",
    b"-----BEGIN AGE ENCRYPTED FILE-----": "it is protected by a passphrase",
    b"-----BEGIN OPENSSH PRIVATE KEY-----": "it is an SSH key",
    b"-----BEGIN RSA PRIVATE KEY-----": "it is an SSH key",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key.

    Attributes:
        recipient: Its public key, `age1...`.
        scalar: The key itself, 32 bytes.
    """

    recipient: str
    scalar: bytes = field(repr=False)


def new_identity() -> tuple[str, Identity]:
    """A new private key, as `AGE-SECRET-KEY-1...` and as it is used."""
    text = str(x25519.Identity.generate())
    return text, _identity(text)


def read_identities(path: Path) -> tuple[Identity, ...]:
    """The private keys of an identity file, as `age-keygen` writes it.

    Raises:
        SealedError: It can't be read, or holds something else; never says what.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    for begin, what in _FOREIGN.items():
        if content.startswith(begin):
            raise _unusable(path, what)
    found = []
    for number, line in enumerate(content.decode("ascii", "replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            found.append(_identity(text))
        except pyrage.IdentityError:
            raise _unusable(path, f"line {number} is no {_SECRET}...") from None
    if not found:
        raise _unusable(path, "there is no key in it")
    return tuple(found)


def _identity(text: str) -> Identity:
    """A key that pyrage has found to be one: its checksum is right."""
    recipient = str(x25519.Identity.from_str(text).to_public())
    number = 0
    for char in text.lower().rpartition("1")[2][:-_CHECKSUM]:
        number = number << 5 | _BECH32.index(char)
    return Identity(recipient, (number >> 4).to_bytes(32))  # 52 characters are 4 bits too many


def _unusable(path: Path, cause: str) -> SealedError:
    return SealedError(
        f"Identity file {path} can't be used",
        cause=Redactor([])(cause),
        fix=f"set BACKUP_AGE_IDENTITY_FILE to a file with a line {_SECRET}..., as `pgconsole keygen"
        " age` or `age-keygen` writes it; of a protected one `age -d` makes that",
    )
