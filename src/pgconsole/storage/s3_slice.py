"""A stretch of a file as an HTTP body, read while it is sent."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import threading
from functools import partial
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def content_md5(body: IO[bytes] | io.RawIOBase) -> str:
    """The Content-MD5 header of a whole body (RFC 1864); then the body is at its start again.

    S3 has to refuse a body that does not fit it. That a signed body must fit its signature as well
    is not checked by every store: rclone takes one that was altered on its way.

    Raises:
        Stopped: From a `FileSlice`, after an abort or if its file can't be read.
        OSError: It can't be read.
    """
    body.seek(0)
    digest = hashlib.file_digest(body, partial(hashlib.md5, usedforsecurity=False))  # type: ignore[arg-type]
    body.seek(0)
    return base64.b64encode(digest.digest()).decode()


class Stopped(BaseException):
    """The body ends here, because of an abort or because the file can't be read.

    A BaseException, so that botocore does not take it for a network error and try again.

    Args:
        error: Why the file can't be read; None for an abort.
    """

    def __init__(self, error: OSError | None = None) -> None:
        super().__init__(error)
        self.error = error


class FileSlice(io.RawIOBase):
    """Bytes `offset` to `offset + length` of an open file; several may read one descriptor.

    Args:
        fd: The file; it stays open.
        offset: Where the slice begins, bytes.
        length: Its size, bytes; the file has them all by now.
        stop: When set, the next read raises.
    """

    def __init__(self, fd: int, offset: int, length: int, stop: threading.Event) -> None:
        super().__init__()
        self._fd = fd
        self._offset = offset
        self._length = length
        self._stop = stop
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always: a retry begins again."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the slice."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next read begins, from the slice's start."""
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the file.

        Raises:
            Stopped: After an abort, or if the file can't be read or is too short.
        """
        if self._stop.is_set():
            raise Stopped
        view = memoryview(buffer).cast("B")[: max(0, self._length - self._position)]
        if not view:
            return 0
        try:
            count = os.preadv(self._fd, [view], self._offset + self._position)
        except OSError as error:
            raise Stopped(error) from error
        if count == 0:
            raise Stopped(OSError(0, "the file is shorter than it was"))
        self._position += count
        return count
