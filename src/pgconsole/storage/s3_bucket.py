"""What uploads and copies ask of a bucket, with answers that can be trusted."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any

from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.storage.s3_client import Clients, Patience
from pgconsole.storage.s3_errors import Address, code_of, is_missing
from pgconsole.storage.s3_features import Features
from pgconsole.storage.s3_head import Head, head_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


@dataclass(frozen=True, slots=True)
class Begun:
    """A multipart upload of the store.

    Attributes:
        key: The object it will be.
        upload_id: The store's name for it.
        at: The store's own time when it began, if it told.
    """

    key: str
    upload_id: str
    at: datetime | None


class Bucket:
    """One bucket.

    Args:
        settings: Bucket, endpoint, credentials, and how the store has to encrypt.
        timeout: Seconds without a byte from the store after which an attempt has failed.
    """

    def __init__(self, settings: Settings, timeout: float) -> None:
        self._clients = Clients(settings, timeout)
        self._encryption = settings.s3_sse
        self.address = Address(settings.s3_bucket, settings.s3_endpoint_url)
        self.features = Features(self._clients, self.address)
        self.encryption: dict[str, Any] = {}
        """What S3_SSE adds to every request that makes an object."""
        if settings.s3_sse:
            self.encryption["ServerSideEncryption"] = settings.s3_sse
        if settings.s3_sse_kms_key_id:
            self.encryption["SSEKMSKeyId"] = settings.s3_sse_kms_key_id

    def client(self, patience: Patience) -> S3Client:
        """The client for this kind of work."""
        return self._clients.get(patience)

    def head(self, key: str) -> Head | None:
        """What the store says of an object, or None if it is not there.

        Raises:
            StorageError: The store doesn't say.
        """
        with self.address.translated(f"{key} can't be looked for"):
            try:
                found = self.client(Patience.ASKING).head_object(
                    Bucket=self.address.bucket, Key=key
                )
            except Exception as error:
                if is_missing(error):
                    return None
                raise
        return head_of(found)

    def find(self, key: str) -> Head | None:
        """What a listing says of an object, or None if it is not there.

        For comparing with a listing: in `head` the time has no fractions of a second.

        Raises:
            StorageError: The store doesn't say.
        """
        with self.address.translated(f"{key} can't be looked for"):
            # The key itself comes before all others that begin with it.
            answer = self.client(Patience.ASKING).list_objects_v2(
                Bucket=self.address.bucket, Prefix=key, MaxKeys=1
            )
        for found in answer.get("Contents", []):
            if found["Key"] == key:
                return Head(found["Size"], found["ETag"], found["LastModified"].astimezone(UTC))
        return None

    def must_be_free(self, key: str) -> None:
        """Refuse to overwrite.

        Raises:
            StorageError: There is an object, or the store doesn't say.
        """
        if self.head(key) is not None:
            raise StorageError(
                f"{key} can't be uploaded",
                cause=f"bucket {self.address.bucket!r} has an object of this name",
                fix="delete it if it is not wanted, then upload the backup again",
            )

    def begin(self, key: str) -> Begun:
        """Begin a multipart upload, the only one to this key.

        A request that was tried again, or that arrived twice, has begun another one, which would
        stay in the store for ever.

        Raises:
            StorageError: The store refuses, or can't be reached.
        """
        with self.address.translated(f"{key} can't be uploaded"):
            answer = self.client(Patience.MOVING).create_multipart_upload(
                Bucket=self.address.bucket, Key=key, ContentType="application/gzip",
                **self.encryption,
            )  # fmt: skip
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            at = parsedate_to_datetime(date)
        except ValueError:
            at = None
        begun = Begun(key, answer["UploadId"], at)
        with contextlib.suppress(StorageError):  # the upload itself is no worse for it
            self._abort_others(begun)
        return begun

    def put(
        self, key: str, body: bytes | IO[bytes], md5: str, content_type: str, *, new: bool = False
    ) -> None:
        """Store a whole object, encrypted as the settings say.

        Args:
            key: Where to.
            body: All of it.
            md5: As `content_md5` gives it.
            content_type: What it is.
            new: Whether the store has to refuse if there is an object of this name.

        Raises:
            ClientError: The store refuses, as boto3 says it.
            StorageError: It has not encrypted it; then it is deleted again.
        """
        more: dict[str, Any] = {"IfNoneMatch": "*"} if new else {}
        answer = self.client(Patience.MOVING).put_object(
            Bucket=self.address.bucket, Key=key, Body=body, ContentType=content_type,
            ContentMD5=md5, **self.encryption, **more,
        )  # fmt: skip
        try:
            self.must_be_encrypted(key, answer.get("ServerSideEncryption", ""))
        except StorageError:
            # Not only for secrecy: asked for the object later, rclone repeats what we wished for.
            with contextlib.suppress(StorageError):
                self.delete(key)
            raise

    def must_be_encrypted(self, key: str, found: str) -> None:
        """See that the store encrypts an object as S3_SSE wants it. Some ignore what they can't do.

        Args:
            key: The object.
            found: How it is encrypted, as the store says.

        Raises:
            StorageError: In another way, or not at all.
        """
        if self._encryption not in ("", found):
            raise StorageError(
                f"{key} is not encrypted as S3_SSE={self._encryption} asks",
                cause=f"{self.address.store} says {found or 'nothing of encryption'}",
                fix="use a store that knows it, or unset S3_SSE; see that the object is gone there",
            )

    def _abort_others(self, begun: Begun) -> None:
        with self.address.translated(f"Other uploads of {begun.key} can't be aborted"):
            for upload_id in self.uploads(begun.key):
                if upload_id != begun.upload_id:
                    self.client(Patience.ASKING).abort_multipart_upload(
                        Bucket=self.address.bucket, Key=begun.key, UploadId=upload_id
                    )

    def complete(self, begun: Begun, etags: Mapping[int, str], total: int) -> None:
        """Make the object visible, and see that it is there with the right size.

        Args:
            begun: The upload.
            etags: What the store said of each part, by number.
            total: The object's size in bytes.

        Raises:
            StorageError: It is not visible, or it is unknown whether it is: the message tells.
        """
        self._check_parts(begun, total)
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())
        ]
        try:
            with self.address.translated(f"{begun.key} can't be completed in S3"):
                self.client(Patience.FINISHING).complete_multipart_upload(
                    Bucket=self.address.bucket,
                    Key=begun.key,
                    UploadId=begun.upload_id,
                    MultipartUpload={"Parts": parts},
                )
        except StorageError as error:
            if not self._was_completed(begun, total, error):
                raise
        self.check_stored(begun.key, total)

    def check_stored(self, key: str, size: int) -> None:
        """See that an object is there with this size, bytes, and encrypted as it should be.

        Raises:
            StorageError: It is not, or the store doesn't say.
        """
        try:
            found = self.head(key)
        except StorageError as error:
            raise StorageError(
                f"{key} was written to S3, but it is unknown whether it is whole",
                cause=error.cause,
                fix="verify it there when the store answers again",
            ) from error
        if found is None or found.size != size:
            raise StorageError(
                f"{key} in S3 is not what was uploaded",
                cause=f"it has {found.size if found else 'no'} bytes instead of {size}",
                fix="don't rely on it: delete it and upload the backup again",
            )
        self.must_be_encrypted(key, found.encryption)

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload, and remove a manifest that lies there without its dump.

        Args:
            key: The object it would have been.
            upload_id: The store's name for it; if empty, every upload to exactly this key.

        Raises:
            StorageError: The store refuses, or can't be reached.
        """
        client = self.client(Patience.ASKING)
        bucket = self.address.bucket
        with self.address.translated(f"The unfinished upload of {key} can't be aborted"):
            for one in [upload_id] if upload_id else self.uploads(key):
                try:
                    client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=one)
                except Exception as error:
                    if code_of(error) != "NoSuchUpload":
                        raise
        manifest = key + MANIFEST_SUFFIX
        if self.head(key) is None and self.head(manifest) is not None:
            self.delete(manifest)

    def delete(self, key: str) -> bool:
        """Delete an object; one that is not there is fine.

        Returns:
            False if a delete marker hides it now, and the bucket keeps what it was.

        Raises:
            StorageError: The store refuses, or can't be reached.
        """
        with self.address.translated(f"{key} can't be deleted"):
            try:
                answer = self.client(Patience.ASKING).delete_object(
                    Bucket=self.address.bucket, Key=key
                )
            except Exception as error:
                if not is_missing(error):
                    raise
                return True
        return not answer.get("DeleteMarker", False)

    def uploads(self, key: str) -> list[str]:
        """The ids of the unfinished multipart uploads to exactly this key.

        Raises:
            ClientError: The store does not tell.
        """
        pages = self.client(Patience.ASKING).get_paginator("list_multipart_uploads")
        try:
            return [
                upload["UploadId"]
                for page in pages.paginate(Bucket=self.address.bucket, Prefix=key)
                for upload in page.get("Uploads", [])
                if upload["Key"] == key
            ]
        except Exception as error:
            if code_of(error) == "NoSuchUpload":  # rclone, for a bucket that never had one
                return []
            raise

    def _check_parts(self, begun: Begun, total: int) -> None:
        """See that the store holds all bytes before they become visible.

        Raises:
            StorageError: It holds more or fewer.
        """
        pages = self.client(Patience.MOVING).get_paginator("list_parts")
        with self.address.translated(f"The parts of {begun.key} can't be listed"):
            held = sum(
                part["Size"]
                for page in pages.paginate(
                    Bucket=self.address.bucket, Key=begun.key, UploadId=begun.upload_id
                )
                for part in page.get("Parts", [])
            )
        if held != total:
            raise StorageError(
                f"{begun.key} can't be completed in S3",
                cause=f"the store holds {held} bytes of its parts instead of {total}",
                fix="upload the backup again",
            )

    def _was_completed(self, begun: Begun, total: int, error: StorageError) -> bool:
        """After a failed completion: whether the store did it all the same.

        Raises:
            StorageError: It doesn't say.
        """
        try:
            found = self.head(begun.key)
        except StorageError as second:
            raise StorageError(
                f"Whether {begun.key} is in S3 is unknown",
                cause=f"{error.cause}; asked for the object, {second.cause}",
                fix="list the bucket when it answers again; upload again if it is not there",
            ) from second
        # The store's clock counts whole seconds.
        earlier = found and begun.at and found.modified < begun.at - timedelta(seconds=2)
        return found is not None and not earlier and found.size == total
