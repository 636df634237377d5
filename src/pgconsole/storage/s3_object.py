"""An object in S3 as a source of byte ranges."""

from __future__ import annotations

from pgconsole.errors import StorageError
from pgconsole.storage.s3_bucket import Bucket
from pgconsole.storage.s3_client import Patience
from pgconsole.storage.s3_head import Head

_ATTEMPTS = 3  # botocore tries a request again, but not an answer that breaks off


class S3Object:
    """One version of an object: if it is replaced, reading fails.

    Args:
        bucket: Where it lies.
        key: Its key.
        head: What the store said of it.
    """

    def __init__(self, bucket: Bucket, key: str, head: Head) -> None:
        self._bucket = bucket
        self._key = key
        self._head = head

    @property
    def size(self) -> int:
        """Total bytes."""
        return self._head.size

    @property
    def version(self) -> str:
        """Which version of the object it is, as the store names it (its ETag)."""
        return self._head.etag

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; fewer only at the end.

        Raises:
            StorageError: The store can't be reached or refuses, or the object was replaced.
        """
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._get(offset, length)
            except _BrokeOff as broke_off:
                if attempt == _ATTEMPTS:
                    raise broke_off.error from broke_off
        raise AssertionError("unreachable")

    def _get(self, offset: int, length: int) -> bytes:
        problem = f"{self._key} can't be read at byte {offset}"
        address = self._bucket.address
        with address.translated(problem):
            answer = self._bucket.client(Patience.MOVING).get_object(
                Bucket=address.bucket,
                Key=self._key,
                Range=f"bytes={offset}-{offset + length - 1}",
                IfMatch=self._head.etag,
            )
        with answer["Body"] as body:
            # Not every store knows If-Match.
            if answer["ETag"] != self._head.etag:
                raise StorageError(
                    problem,
                    cause="the object was replaced meanwhile",
                    fix="list the bucket again",
                )
            if answer["ContentLength"] != length:
                raise StorageError(
                    problem,
                    cause=f"{address.store} sends {answer['ContentLength']} bytes where {length} "
                    "were asked for: it does not know ranges",
                    fix="download the object and use the file",
                )
            try:
                data = body.read()
            except Exception as error:
                raise _BrokeOff(address.explain(problem, error)) from error
        return data


class _BrokeOff(Exception):
    """The answer ended too early; worth another attempt."""

    def __init__(self, error: StorageError) -> None:
        super().__init__(error)
        self.error = error
