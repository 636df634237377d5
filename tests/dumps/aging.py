"""Age files made by pyrage itself, to compare with."""

from __future__ import annotations

import pyrage
from pyrage import x25519

from pgconsole.dumps.age_keys import Identity, new_identity

PIECE = 64 << 10
SEALED = PIECE + 16


class Key:
    """A new key pair, for pgconsole and for pyrage."""

    def __init__(self) -> None:
        self.secret, self.identity = new_identity()
        self.recipient = self.identity.recipient

    def decrypt(self, data: bytes) -> bytes:
        """What is in an age file, as pyrage reads it."""
        return pyrage.decrypt(data, [x25519.Identity.from_str(self.secret)])


def encrypt(data: bytes, *keys: Key, armored: bool = False) -> bytes:
    """An age file, as pyrage writes it; armored: as `age -a` does."""
    recipients = [x25519.Recipient.from_str(key.recipient) for key in keys]
    return pyrage.encrypt(data, recipients, armored=armored)


def pieces_of(file: bytes) -> tuple[bytes, list[bytes]]:
    """An age file's header with its nonce, and the encrypted pieces behind it."""
    start = file.index(b"\n", file.index(b"\n---") + 1) + 1 + 16
    return file[:start], [file[at : at + SEALED] for at in range(start, len(file), SEALED)]


def identities(*keys: Key) -> tuple[Identity, ...]:
    return tuple(key.identity for key in keys)
