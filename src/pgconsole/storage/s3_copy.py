"""Server-side copies: the bytes never leave the store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pgconsole.errors import StorageError
from pgconsole.storage.s3_bucket import Begun, Bucket
from pgconsole.storage.s3_client import Patience
from pgconsole.storage.s3_records import RecordFile

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

SINGLE_COPY_LIMIT = 5 << 30  # bytes; S3's limit for CopyObject
_PART = 1 << 30  # bytes of one part of a larger copy


def copy(bucket: Bucket, record: RecordFile, source: str, *, size: int, single_limit: int) -> None:
    """Copy an object within the bucket and see that the copy has the right size.

    Args:
        bucket: Both objects' bucket.
        record: The record on our disk, which names the key to copy to; nothing lies there. It is
            removed when nothing unfinished is left.
        source: Key to copy from.
        size: Bytes of the source.
        single_limit: Bytes above which the copy is made in parts.

    Raises:
        StorageError: The store refuses or can't be reached. Nothing half-made is visible.
    """
    target = record.record.key
    origin: CopySourceTypeDef = {"Bucket": bucket.address.bucket, "Key": source}
    if size > single_limit:
        _copy_in_parts(bucket, record, origin, size)
    else:
        with bucket.address.translated(f"{source} can't be copied to {target}"):
            bucket.client(Patience.FINISHING).copy_object(
                Bucket=bucket.address.bucket, Key=target, CopySource=origin, **bucket.encryption
            )
        bucket.check_stored(target, size)
    record.remove()


def _copy_in_parts(
    bucket: Bucket, record: RecordFile, origin: CopySourceTypeDef, size: int
) -> None:
    begun = bucket.begin(record.record.key)
    try:
        record.name_upload(begun.upload_id)
        etags = {
            number: _copy_part(
                bucket, begun, origin, number, f"bytes={offset}-{min(offset + _PART, size) - 1}"
            )
            for number, offset in enumerate(range(0, size, _PART), start=1)
        }
        bucket.complete(begun, etags, size)
    except BaseException:
        with contextlib.suppress(StorageError):  # then the record stays, for abort_leftovers
            bucket.abort(begun.key, begun.upload_id)
            record.remove()
        raise


def _copy_part(
    bucket: Bucket, begun: Begun, origin: CopySourceTypeDef, number: int, span: str
) -> str:
    problem = f"{origin['Key']} can't be copied to {begun.key}"
    with bucket.address.translated(problem):
        answer = bucket.client(Patience.FINISHING).upload_part_copy(
            Bucket=bucket.address.bucket,
            Key=begun.key,
            UploadId=begun.upload_id,
            PartNumber=number,
            CopySource=origin,
            CopySourceRange=span,
        )
    etag = answer.get("CopyPartResult", {}).get("ETag")
    if not etag:  # rclone takes the request for an empty part
        raise StorageError(
            problem,
            cause=f"{bucket.address.store} can't copy parts of objects",
            fix="upload the backup again for this class",
        )
    return etag
