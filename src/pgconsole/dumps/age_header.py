"""The header of an age file: who can open it, and the key that its bytes are encrypted with.

Format: https://c2sp.org/age (version 1). pyrage writes the files and could read them, but only from
front to back; reading at an offset takes the key itself.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pgconsole.dumps.age_keys import Identity
from pgconsole.dumps.members import Readable
from pgconsole.errors import DamagedError, SealedError

_VERSION = b"age-encryption.org/v1"
_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_X25519 = "X25519"
_PASSPHRASE = "scrypt"  # noqa: S105 - the name of a kind of stanza
_WRAP_INFO = b"age-encryption.org/v1/X25519"
_END = b"---"  # a space and the code follow
_LINE = 64  # characters of a full line of a stanza's body
_FILE_KEY = 16  # bytes
NONCE = 16  # bytes behind the header
_READ = 16 << 10  # bytes; some hundred recipients
_MOST = 1 << 20  # bytes


class _Stanza(NamedTuple):
    """What one recipient finds the key in."""

    arguments: list[str]
    body: bytes


class Header(NamedTuple):
    """A header that was read, and not believed yet.

    Attributes:
        stanzas: One for each recipient.
        text: The bytes that its code is about.
        code: HMAC of those.
        length: All of its bytes; behind them lies the payload.
    """

    stanzas: list[_Stanza]
    text: bytes
    code: bytes
    length: int


def read_header(source: Readable) -> Header:
    """Read the beginning of a file.

    Raises:
        StorageError: It can't be read.
        DamagedError: It is no age file, or its header is damaged.
    """
    length = _READ
    while True:
        data = source.read_at(0, length)
        if not data.startswith(_VERSION + b"\n"):
            raise _no_age_file(data)
        end = data.find(b"\n" + _END)
        stop = data.find(b"\n", end + 1)
        if end >= 0 and stop >= 0:
            break
        if len(data) < length or length >= _MOST:
            raise _damaged("it has no end")
        length *= 4
    text = data[: end + 1 + len(_END)]
    space, code = data[len(text) : len(text) + 1], data[len(text) + 1 : stop]
    if space != b" ":
        raise _damaged("its last line is none")
    lines = data[len(_VERSION) + 1 : end + 1].decode("latin-1").split("\n")
    return Header(_stanzas(lines[:-1]), text, _decoded(code.decode("latin-1")), stop + 1)


def payload_key(header: Header, nonce: bytes, identities: Sequence[Identity]) -> bytes:
    """The key of the payload.

    Args:
        header: Of the file.
        nonce: What follows it.
        identities: Private keys, one of which should open it.

    Raises:
        SealedError: None of them does.
        DamagedError: One does, and the header was changed.
    """
    key = next((found for one in identities if (found := _file_key(header, one))), None)
    if key is None:
        raise _sealed(header, identities)
    code = hmac.digest(_derived(key, b"", b"header"), header.text, "sha256")
    if not hmac.compare_digest(code, header.code):
        raise _damaged("its code does not fit")
    if len(nonce) != NONCE:
        raise _damaged("the file ends with it")
    return _derived(key, nonce, b"payload")


def _file_key(header: Header, identity: Identity) -> bytes | None:
    """What the header was encrypted with, if this key opens one of its stanzas."""
    private = X25519PrivateKey.from_private_bytes(identity.scalar)
    own = private.public_key().public_bytes_raw()
    for stanza in header.stanzas:
        if stanza.arguments[0] != _X25519:
            continue
        share = _decoded(stanza.arguments[1]) if len(stanza.arguments) == 2 else b""
        if len(share) != 32 or len(stanza.body) != _FILE_KEY + 16:
            raise _damaged("a part of it has a wrong size")
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(share))
            wrap = ChaCha20Poly1305(_derived(shared, share + own, _WRAP_INFO))
            return wrap.decrypt(bytes(12), stanza.body, None)
        except (InvalidTag, ValueError):  # for another recipient; a share that is no point
            continue
    return None


def _derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _stanzas(lines: list[str]) -> list[_Stanza]:
    found = []
    rest = iter(lines)
    for line in rest:
        arguments = line.removeprefix("-> ").split(" ")
        if not line.startswith("-> ") or "" in arguments:
            raise _damaged("a line of it begins nothing")
        body = ""
        for part in rest:
            body += part
            if len(part) < _LINE:
                break
        found.append(_Stanza(arguments, _decoded(body)))
    return found


def _decoded(text: str) -> bytes:
    """Base64 without padding, and in no other form than the one that encoding makes."""
    try:
        data = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if b64encode(data).rstrip(b"=").decode() != text:
        raise _damaged("a part of it is no base64")
    return data


def _sealed(header: Header, identities: Sequence[Identity]) -> SealedError:
    if any(stanza.arguments[0] == _PASSPHRASE for stanza in header.stanzas):
        return SealedError(
            "The dump is encrypted with a passphrase",
            cause="pgconsole opens only what is encrypted to age1...",
            fix="decrypt it: age -d",
        )
    own = ", ".join(identity.recipient for identity in identities)
    return SealedError(
        "The dump is encrypted to others than the private keys that are set",
        cause=f"BACKUP_AGE_IDENTITY_FILE holds the key of {own}",
        fix="set it to the identity file of one of the backup's recipients: `pgconsole show` names "
        "them. If it is, the file may be damaged: verify the backup",
    )


def _no_age_file(data: bytes) -> DamagedError:
    armored = data.startswith(_ARMOR)
    return DamagedError(
        "The file is no age file that can be read",
        cause="it is armored (age -a)" if armored else f"it begins with {data[:20]!r}",
        fix="encrypt it again without -a" if armored else "use another backup; take a new one",
    )


def _damaged(what: str) -> DamagedError:
    return DamagedError(
        "The header of the encrypted file is damaged",
        cause=what,
        fix="use another backup; take a new one",
    )
