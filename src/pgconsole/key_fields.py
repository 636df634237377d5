"""Public keys as settings name them: of age, for whom to encrypt; of Ed25519, whose word counts."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable

_KEY_BYTES = 32  # of an Ed25519 public key, RFC 8032


def check_recipients(recipients: Iterable[str]) -> None:
    """Raise ValueError that says which of them is no public key; never shows what it is."""
    for number, recipient in enumerate(recipients, 1):
        from pyrage import RecipientError, x25519  # noqa: PLC0415 - only where it is encrypted

        try:
            x25519.Recipient.from_str(recipient)
        except RecipientError as error:
            private = recipient.upper().startswith("AGE-SECRET-KEY-")
            what = "a private key: it must not be here" if private else "no public key (age1...)"
            raise ValueError(f"recipient {number} is {what}") from error


def check_trusted_keys(keys: Iterable[str]) -> None:
    """Raise ValueError that says which of them is no public key of Ed25519 in base64."""
    for number, key in enumerate(keys, 1):
        try:
            length = len(b64decode(key, validate=True))
        except Base64Error:
            length = 0
        if length != _KEY_BYTES:
            raise ValueError(f"key {number} is no public key of `pgconsole keygen signing`")
