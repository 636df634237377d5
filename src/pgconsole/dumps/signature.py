"""Signs manifests with Ed25519, and checks signatures.

What is signed is the manifest without its `signature`, in one form only: JSON with sorted keys,
nothing between tokens, ASCII, and without the fields that are null. So it does not matter how it
was written down, nor that a later version knows more fields, as long as those are null where nobody
has set them. The manifest has the SHA-256 of the dump, and the database, time and classes of its
name.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pgconsole.dumps.manifest import Manifest, Signature
from pgconsole.errors import ConfigurationError

_ALGORITHM = "ed25519"
# Nothing else that is ever signed with such a key begins like this.
_CONTEXT = b"pgconsole manifest 1\n"
_MOST = 1 << 16  # bytes of a key file


class SigningKey:
    """A private key.

    Args:
        key: The key itself.

    Attributes:
        public: Its public key, in base64.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = b64encode(key.public_key().public_bytes_raw()).decode()

    def pem(self) -> bytes:
        """The private key as it is written into a file."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, manifest: Manifest) -> Manifest:
        """The manifest with a signature by this key."""
        content = _signed_bytes(manifest.to_json())
        value = b64encode(self._key.sign(content)).decode()
        signature = Signature(algorithm=_ALGORITHM, key=self.public, value=value)
        return manifest.model_copy(update={"signature": signature})


def new_signing_key() -> SigningKey:
    """A new private key."""
    return SigningKey(Ed25519PrivateKey.generate())


def read_signing_key(path: Path) -> SigningKey:
    """A private key from a file, PEM without a passphrase.

    Raises:
        ConfigurationError: It can't be read, or holds something else; never says what.
    """
    try:
        with path.open("rb") as file:
            key = load_pem_private_key(file.read(_MOST), None)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except TypeError:
        raise _unusable(path, "it is protected by a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, "there is no private key in it (PEM)") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is no Ed25519 key")
    return SigningKey(key)


def fits(data: bytes, signature: Signature) -> bool:
    """Whether a signature is of this manifest, by the key that it names.

    Args:
        data: The manifest as it was read; it has been parsed.
        signature: The one in it.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(signature.key, validate=True))
        key.verify(b64decode(signature.value, validate=True), _signed_bytes(data))
    except (InvalidSignature, Base64Error, ValueError):
        return False
    return signature.algorithm == _ALGORITHM


def _signed_bytes(data: bytes) -> bytes:
    """What is signed of a manifest.

    Raises:
        ValueError: It names a field twice: others may read it in another way.
    """
    content = json.loads(data, object_pairs_hook=_object)
    content.pop("signature", None)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return _CONTEXT + text.encode()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a field comes twice")
    return {name: value for name, value in pairs if value is not None}


def _unusable(path: Path, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"Signing key {path} can't be used",
        cause=cause,
        fix="set BACKUP_SIGNING_KEY_FILE to a file that `pgconsole keygen signing` has written",
    )
