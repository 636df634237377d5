"""Writes a stream of bytes as one age file, as pyrage makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyrage
from pyrage import x25519

from pgconsole.dumps.age_keys import new_identity


class Sealer:
    """Encrypts one file.

    Beside those who are to read it, a key that nobody else ever sees can open it for as long as
    this object lives: so what the disk has can be read back by a host without any private key.

    Args:
        recipients: Public keys, `age1...`, at least one.

    Attributes:
        identity: That key.
    """

    def __init__(self, recipients: Sequence[str]) -> None:
        _, self.identity = new_identity()
        keys = (*recipients, self.identity.recipient)
        self._recipients = [x25519.Recipient.from_str(key) for key in keys]

    def write(self, pieces: Iterator[bytes], write: Callable[[bytes], None]) -> None:
        """Encrypt all pieces; raises what they or `write` raise, and the file is not whole then.

        Args:
            pieces: What the file is to hold.
            write: Takes the file's bytes, all of them. When a piece is asked for, of those before
                it less than 128 KiB are still to be written.
        """
        source, sink = _Source(pieces), _Sink(write)
        try:
            pyrage.encrypt_io(source, sink, self._recipients)
        except pyrage.EncryptError as error:
            raise source.error or sink.error or error from None
        if sink.error is not None:  # pyrage writes the last bytes without looking how that ended
            raise sink.error


class _Source:
    """Pieces as a file to read from. pyrage would make its own error of what they raise."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.error: BaseException | None = None
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        try:
            while not self._rest:
                self._rest = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        data, self._rest = self._rest[:size], self._rest[size:]
        return bytes(data)


class _Sink:
    """A function as a file to write to."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.error: BaseException | None = None
        self._write = write

    def write(self, data: bytes) -> int:
        try:
            self._write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)
