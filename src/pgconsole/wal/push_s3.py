"""Archive a WAL file in S3: whole, and never in the place of another."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.s3_bucket import Bucket
from pgconsole.storage.s3_errors import code_of
from pgconsole.storage.s3_head import Head
from pgconsole.storage.s3_object import S3Object
from pgconsole.storage.s3_slice import content_md5
from pgconsole.wal.content import GZIP, opened, same, write
from pgconsole.wal.push import different
from pgconsole.wal.segments import check_name

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_TIMEOUT = 20.0  # seconds without a byte from the store
_BLOCK = 8 << 20  # bytes that are asked for at once
_IN_MEMORY = 64 << 20  # bytes of a gzipped segment; a larger one goes to TMPDIR

# What stores answer that don't know `If-None-Match` at a PUT (AWS, MinIO and R2 do).
_TAKEN = {"PreconditionFailed", "412"}
_NO_CONDITIONS = {"NotImplemented", "InvalidArgument", "InvalidRequest", "501"}


def push_s3(source: Path, settings: Settings, *, compress: bool = False) -> None:
    """Archive one file as `<prefix>wal/<name>`, or `.gz`. When this returns, it is there, whole.

    An object of that name with the same content (plain or gzipped) is success. One with another
    content is never touched: the store is told not to overwrite; where it does not know how, it
    is asked before.

    Args:
        source: What the server names with `%p`.
        settings: Bucket, prefix, endpoint and credentials.
        compress: Whether to gzip it.

    Raises:
        ConfigurationError: The name is not a WAL file's.
        DamagedError: The content is not what the name says.
        StorageError: It can't be read or stored, or another object of that name is there.
    """
    check_name(source.name)
    bucket = Bucket(settings, _TIMEOUT)
    plain = f"{settings.s3_prefix}wal/{source.name}"
    with opened(source) as file, files.translated(f"{source.name} can't be archived"):
        if _is_there(file, bucket, plain):
            return
        if not compress:
            _store(file, file, bucket, plain)
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as zipped:
            write(file, zipped, compress=True)
            _store(file, zipped, bucket, plain + GZIP)


def _is_there(source: IO[bytes], bucket: Bucket, plain: str) -> bool:
    """Whether the bucket has this very content under this name.

    Raises:
        StorageError: It has another content, or the store doesn't say.
    """
    found = False
    for key in (plain, plain + GZIP):
        if (head := bucket.head(key)) is not None:
            _compare(source, bucket, key, head)
            found = True
    return found


def _compare(source: IO[bytes], bucket: Bucket, key: str, head: Head) -> None:
    """See that an object has this content.

    Raises:
        StorageError: It has another, or can't be read.
    """
    bucket.must_be_encrypted(key, head.encryption)
    stream = io.BufferedReader(_Stream(S3Object(bucket, key, head)), _BLOCK)
    if not same(source, stream, compressed=key.endswith(GZIP)):
        raise different(Path(key).name, f"{key} in bucket {bucket.address.bucket!r}")


def _store(source: IO[bytes], body: IO[bytes], bucket: Bucket, key: str) -> None:
    """Store `body`, which is `source` or its gzipped form, and see that the store has it.

    Raises:
        StorageError: It has not, or doesn't say.
    """
    size = body.seek(0, io.SEEK_END)
    md5 = content_md5(body)
    _put(body, bucket, key, md5)
    head = bucket.head(key)
    if head is None:
        raise StorageError(
            f"{key} is not archived",
            cause=f"bucket {bucket.address.bucket!r} took it and has no such object now",
            fix="see what the store's documentation says; the server tries again by itself",
        )
    # What a store that does not encrypt calls the ETag of an object that came in one piece.
    if (head.size, head.etag.strip('"')) != (size, base64.b64decode(md5).hex()):
        _compare(source, bucket, key, head)


def _put(body: IO[bytes], bucket: Bucket, key: str, md5: str) -> None:
    """Store an object unless there is one of this name; a store refuses what does not fit `md5`.

    Raises:
        StorageError: The store refuses, or can't be reached.
    """
    content_type = "application/octet-stream"
    with bucket.address.translated(f"{key} can't be uploaded"):
        try:
            bucket.put(key, body, md5, content_type, new=True)
        except Exception as error:
            code = code_of(error)
            if code in _TAKEN:  # by a concurrent push, or by our own first attempt
                return
            if code not in _NO_CONDITIONS:
                raise
            body.seek(0)
            bucket.put(key, body, md5, content_type)


class _Stream(io.RawIOBase):
    """An object from its first byte to its last."""

    def __init__(self, source: S3Object) -> None:
        self._source = source
        self._offset = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes into the buffer; 0 at the end."""
        view = memoryview(buffer)
        data = self._source.read_at(self._offset, len(view))
        view[: len(data)] = data
        self._offset += len(data)
        return len(data)
