"""Reads an age file at any offset of what it holds.

Its payload is cut into pieces of 64 KiB, each encrypted and authenticated by itself, with its
number and whether it is the last one (STREAM; https://c2sp.org/age). So a piece that was changed,
moved, repeated or cut off is noticed when it is read, and no other has to be read for that.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pgconsole.dumps.age_header import NONCE, payload_key, read_header
from pgconsole.dumps.age_keys import Identity
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError

_PIECE = 64 << 10  # bytes
_TAG = 16  # bytes behind each
_SEALED = _PIECE + _TAG


class AgeFile:
    """What is in an age file, as a source of byte ranges.

    Args:
        source: The file.
        identities: Private keys, one of which opens it.
        grows: It is still being written, and `source.size` is larger than it will ever be. Then
            `check_end` has to be called when it is whole.

    Raises:
        StorageError: It can't be read.
        SealedError: None of the keys opens it.
        DamagedError: It is no age file, or a damaged one.
    """

    def __init__(
        self, source: RangedSource, identities: Sequence[Identity], *, grows: bool = False
    ) -> None:
        header = read_header(source)
        nonce = source.read_at(header.length, NONCE)
        self._cipher = ChaCha20Poly1305(payload_key(header, nonce, identities))
        self._source = source
        self._start = header.length + NONCE
        self._kept = (-1, b"")  # the last piece that was read: the next read often begins in it
        if not grows:
            self.check_end()

    @property
    def size(self) -> int:
        """Bytes of what it holds."""
        payload = self._source.size - self._start
        return payload - _TAG * -(-payload // _SEALED)

    def check_end(self) -> None:
        """See that the file does not end within a piece's code.

        Raises:
            StorageError: The file can't be read.
            DamagedError: It does.
        """
        payload = self._source.size - self._start
        rest = payload % _SEALED
        if payload == _TAG:  # it holds nothing, if that is true: no range has this piece in it
            self._opened(0, 0)
        elif payload < _TAG or 0 < rest <= _TAG:
            raise DamagedError(
                f"The encrypted file ends at byte {self._source.size}",
                cause="it was cut off",
                fix="use another backup; take a new one",
            )

    def readable(self, written: int) -> int:
        """How much can be read of a file of which `written` bytes are there, and more will come."""
        return max(0, (written - self._start) // _SEALED * _PIECE)

    def read_at(self, offset: int, length: int) -> bytes:
        """As `RangedSource.read_at`.

        Raises:
            StorageError: The file can't be read.
            DamagedError: It was changed there, or cut off.
        """
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        first, last = offset // _PIECE, (end - 1) // _PIECE
        number, kept = self._kept
        pieces = [kept] if number == first else []
        pieces += self._opened(first + len(pieces), last)
        self._kept = last, pieces[-1]
        begin = offset - first * _PIECE
        return b"".join(pieces)[begin : begin + end - offset]

    def close(self) -> None:
        """Close the file, if it is one that can be closed."""
        if (close := getattr(self._source, "close", None)) is not None:
            close()

    def _opened(self, first: int, last: int) -> list[bytes]:
        """The pieces from one to another, both included."""
        if last < first:
            return []
        at = self._start + first * _SEALED
        data = memoryview(self._source.read_at(at, (last - first + 1) * _SEALED))
        final = max(0, self.size - 1) // _PIECE
        found = []
        for number in range(first, last + 1):
            place = (number - first) * _SEALED
            nonce = number.to_bytes(11) + bytes([number == final])
            try:
                found.append(self._cipher.decrypt(nonce, data[place : place + _SEALED], None))
            except InvalidTag:
                raise DamagedError(
                    f"The encrypted file is damaged between bytes {at + place} and "
                    f"{at + place + _SEALED}",
                    cause="they were changed or moved, or the file was cut off behind them",
                    fix="use another backup; take a new one",
                ) from None
        return found
