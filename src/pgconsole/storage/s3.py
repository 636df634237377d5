"""Backups in an S3 bucket: `<prefix>{daily,weekly,monthly}/<name>`."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.storage import s3_copy, s3_listing
from pgconsole.storage.base import Listing, Place, Removed, StoredBackup
from pgconsole.storage.s3_bucket import Bucket
from pgconsole.storage.s3_client import Patience
from pgconsole.storage.s3_errors import Address
from pgconsole.storage.s3_head import Head, ObjectLock
from pgconsole.storage.s3_object import S3Object
from pgconsole.storage.s3_records import RecordFile, records, remove_half_written
from pgconsole.storage.s3_slice import content_md5
from pgconsole.storage.s3_upload import Upload, part_size_for

__all__ = ["S3Storage", "Upload"]

_SMALL = 64 << 20  # bytes; the most that read_small reads
_TIMEOUT = 20.0  # seconds


class S3Storage:
    """The bucket of the settings. Safe to use from several threads.

    Args:
        settings: Bucket, prefix, endpoint, credentials, and the directory of our own state.
        timeout: Seconds without a byte from the store after which an attempt has failed.
        single_copy_limit: Bytes above which a server-side copy is made in parts.
    """

    place = Place.S3

    def __init__(
        self,
        settings: Settings,
        *,
        timeout: float = _TIMEOUT,
        single_copy_limit: int = s3_copy.SINGLE_COPY_LIMIT,
    ) -> None:
        self._prefix = settings.s3_prefix
        self._records = settings.state_dir / "uploads"
        self._single_copy_limit = single_copy_limit
        self._bucket = Bucket(settings, timeout)

    def check(self) -> None:
        """See that the bucket can be listed with these credentials.

        Raises:
            StorageError: It can't; says why.
        """
        # Not HeadBucket: its answer has no body, so it can't say why it refuses.
        bucket = self._bucket.address.bucket
        with self._bucket.address.translated(f"Bucket {bucket!r} can't be used"):
            self._bucket.client(Patience.ASKING).list_objects_v2(
                Bucket=bucket, Prefix=self._prefix, MaxKeys=1
            )

    def listing(self) -> Listing:
        """All that lies under the prefix in the three classes.

        Raises:
            StorageError: The bucket can't be listed; says why.
        """
        return s3_listing.listing(self._bucket, self._prefix)

    def pages(self) -> Iterator[list[StoredBackup]]:
        """The backups page by page, by class and key.

        Raises:
            StorageError: As `listing`.
        """
        for page in self.listing_pages():
            if page.backups:
                yield list(page.backups)

    def listing_pages(self) -> Iterator[Listing]:
        """The same with all that is no backup, page by page.

        Raises:
            StorageError: As `listing`.
        """
        return s3_listing.listing_pages(self._bucket, self._prefix)

    def open(self, location: str) -> S3Object:
        """One object for ranged reading.

        Raises:
            StorageError: It is not there, or the store can't be asked.
        """
        head = self._bucket.head(location)
        if head is None:
            raise StorageError(
                f"{location} can't be read",
                cause=f"bucket {self._bucket.address.bucket!r} has no such object",
                fix="list the bucket again; it may have been deleted",
            )
        return S3Object(self._bucket, location, head)

    def head(self, location: str) -> Head | None:
        """All that the store says of one object, or None if it is not there.

        Raises:
            StorageError: The store doesn't say.
        """
        return self._bucket.head(location)

    def find(self, location: str) -> Head | None:
        """What a listing says of one object of any key, or None if it is not there.

        Raises:
            StorageError: The store can't be asked.
        """
        return self._bucket.find(location)

    def read_small(self, location: str) -> bytes:
        """A whole small object (a manifest; at most 64 MiB).

        Raises:
            StorageError: It is not there or larger, or the store can't be asked.
        """
        found = self.open(location)
        if found.size > _SMALL:
            raise StorageError(
                f"{location} is no manifest",
                cause=f"it has {found.size} bytes, more than {_SMALL}",
                fix="delete it and verify the backup: that writes a new one",
            )
        return found.read_at(0, found.size)

    def put_small(self, key: str, data: bytes) -> None:
        """Write a whole small object (a manifest); one that is there is replaced.

        Raises:
            StorageError: The store refuses, or can't be reached.
        """
        with self._bucket.address.translated(f"{key} can't be uploaded"):
            md5 = content_md5(io.BytesIO(data))
            self._bucket.put(key, data, md5, "application/json")

    def add_manifest(self, backup: StoredBackup, data: bytes) -> None:
        """Write a manifest beside an object that has none, or one that is of no use.

        Holds no lock: if the object is deleted meanwhile, the manifest goes again. A record on our
        disk tells the next backup of one that a killed process left alone.

        Raises:
            StorageError: The object is not what was listed any more, or the store refuses or can't
                be reached, or the disk fails.
        """
        key = backup.location
        record = RecordFile.begin(self._records, self._bucket.address, key)
        self.put_small(key + MANIFEST_SUFFIX, data)
        found = self._bucket.find(key)
        stays = found is not None and (found.size, found.modified) == (backup.size, backup.modified)
        if not stays:
            self._bucket.delete(key + MANIFEST_SUFFIX)
        record.remove()
        if not stays:
            raise StorageError(
                f"{key} gets no manifest",
                cause="it was changed or deleted a moment ago",
                fix="list the backups again",
            )

    def begin_upload(self, key: str, path: Path, *, expected_bytes: int = 0) -> Upload:
        """Begin the upload of a file that is still being written, or about to be.

        The caller holds the lock of the database that the key names.

        Args:
            key: The object it will be; nothing lies there.
            path: The file. It has to be there when `Upload.advance` is first called.
            expected_bytes: Estimate of its final size; 0 if there is none.

        Raises:
            StorageError: There is an object of this name, or the store refuses or can't be
                reached. Nothing was begun then.
        """
        self._bucket.must_be_free(key)
        record = RecordFile.begin(self._records, self._bucket.address, key)
        upload_id = ""
        try:
            begun = self._bucket.begin(key)
            upload_id = begun.upload_id
            record.name_upload(upload_id)
        except BaseException:
            with contextlib.suppress(StorageError):  # then the record stays, for abort_leftovers
                self._bucket.abort(key, upload_id)
                record.remove()
            raise
        return Upload(self._bucket, begun, record, path, part_size_for(expected_bytes))

    def copy(self, source_key: str, target_key: str, size: int) -> None:
        """Copy an object within the bucket, without the bytes passing through here.

        The caller holds the lock of the database that the keys name.

        Args:
            source_key: A dump.
            target_key: The same dump in another class; nothing lies there.
            size: Its size in bytes; the copy's size is compared with it.

        Raises:
            StorageError: There is an object of this name, or the store refuses or can't be
                reached.
        """
        self._bucket.must_be_free(target_key)
        record = RecordFile.begin(self._records, self._bucket.address, target_key)
        s3_copy.copy(
            self._bucket, record, source_key, size=size, single_limit=self._single_copy_limit
        )

    def keeps_versions(self) -> bool | None:
        """Whether a deleted object is only hidden; None if the store does not tell.

        Raises:
            StorageError: The store does not answer.
        """
        return self._bucket.features.keeps_versions()

    def lock_of(self, location: str) -> ObjectLock | None:
        """What keeps an object from being deleted, or None if nothing is known of it.

        Costs a request for the object only where objects can be locked.

        Raises:
            StorageError: The store does not answer.
        """
        if self._bucket.features.can_lock() is False:
            return None
        head = self._bucket.head(location)
        return head.lock if head is not None and head.lock else None

    def remove(self, backup: StoredBackup) -> Removed:
        """Delete one object and its manifest, the dump first.

        A record on our disk tells the next backup of a manifest that was left behind.

        Raises:
            StorageError: The object is locked, or not what was listed any more (then it stays), or
                the store refuses or can't be reached.
        """
        key = backup.location
        found = self._bucket.find(key)
        if found is not None and (found.size, found.modified) != (backup.size, backup.modified):
            raise StorageError(
                f"{key} is not deleted",
                cause="it is not the object any more that was there a moment ago",
                fix="see who writes there, then prune again",
            )
        lock = self.lock_of(key)
        if lock is not None and lock.holds(datetime.now(UTC)):
            # A delete marker would hide it, and the next prune would take its place for free.
            raise StorageError(f"{key} is not deleted", cause=f"it is {lock}", fix="leave it")
        record = RecordFile.begin(self._records, self._bucket.address, key)
        try:
            gone = self._bucket.delete(key)
        except StorageError:
            with contextlib.suppress(StorageError):  # it may be gone all the same
                if self._bucket.head(key) is not None:
                    record.remove()
            raise
        self._bucket.delete(key + MANIFEST_SUFFIX)
        record.remove()
        return Removed(found.size if found and gone else 0, hidden=bool(found and not gone))

    def abort_leftovers(self, database: str) -> list[str]:
        """Abort what killed jobs of exactly this database left; the caller holds its lock.

        Manifests that were uploaded before their dumps go too. Only what our own records name is
        touched.

        Returns:
            The keys of the uploads and copies that were cleaned up.

        Raises:
            StorageError: Some of it stays, because it is in another bucket or at another store,
                or because the store can't be reached. The rest was aborted.
        """
        remove_half_written(self._records, database)
        done, kept = [], []
        for file in records(self._records):
            record = file.record
            if record.database != database:
                continue
            if Address(record.bucket, record.endpoint) != self._bucket.address:
                where = record.endpoint or "AWS S3"
                kept.append(f"{record.key} in bucket {record.bucket!r} at {where} ({file.path})")
                continue
            try:
                self._bucket.abort(record.key, record.upload_id)
            except StorageError as error:
                kept.append(f"{record.key}: {error.cause}")
            else:
                file.remove()
                done.append(record.key)
        if kept:
            raise StorageError(
                f"Unfinished uploads of {database!r} stay in S3",
                cause="; ".join(kept),
                fix="they are tried again with the next backup; for a bucket that is no longer "
                "set, abort them there and remove the file named here",
            )
        return done
