"""What monitoring asks of a bucket: quick questions with short patience, and one probe object."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, BackupName, parse_name
from pgconsole.errors import NoAnswerError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.s3_answers import each_once
from pgconsole.storage.s3_bucket import Bucket
from pgconsole.storage.s3_client import Patience
from pgconsole.storage.s3_errors import code_of
from pgconsole.storage.s3_slice import content_md5

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef, ObjectTypeDef

PROBE = ".pgconsole-probe-"
_TIMEOUT = 6.0  # seconds; an attempt waits half of it, and there are two
_PAGE = 1000  # objects in an answer, S3's most
_PROBE_BYTES = 64
Expired = Literal["Expiration", "NoncurrentVersionExpiration"]
# At least one backup of every class falls into it, so that most buckets answer in one page.
_RECENT = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Contact:
    """What a first listing tells.

    Attributes:
        store_time: The store's clock when it answered, UTC; None if it did not tell.
        our_time: Ours, half-way between question and answer, UTC.
        round_trip: How long the answer took.
        left_probes: Keys of probe objects that killed doctors left.
    """

    store_time: datetime | None
    our_time: datetime
    round_trip: timedelta
    left_probes: tuple[str, ...]


class S3Probe:
    """A bucket, asked by somebody who does not want to wait.

    Args:
        settings: Bucket, prefix, endpoint and credentials.
    """

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.s3_prefix
        self._bucket = Bucket(settings, _TIMEOUT)

    def contact(self) -> Contact:
        """List what probes there are: the bucket can be reached and listed.

        Raises:
            NoAnswerError: The store does not answer.
            StorageError: It can't be reached, or refuses.
        """
        name = self._bucket.address.bucket
        with self._asking(f"Bucket {name!r} can't be listed") as client:
            asked = datetime.now(UTC)
            answer = client.list_objects_v2(Bucket=name, Prefix=self._prefix + PROBE, MaxKeys=_PAGE)
            answered = datetime.now(UTC)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            store_time = parsedate_to_datetime(date).astimezone(UTC)
        except ValueError:
            store_time = None
        return Contact(
            store_time,
            asked + (answered - asked) / 2,
            answered - asked,
            tuple(found["Key"] for found in answer.get("Contents", [])),
        )

    def write_and_remove(self) -> bool:
        """Write a probe object under the prefix, read it back, and remove it, whatever happens.

        Returns:
            False if it is only hidden, and the bucket keeps it.

        Raises:
            NoAnswerError: The store does not answer.
            StorageError: One of the three can't be done, or it was not encrypted as it should be;
                says which, and whether the object is still there.
        """
        key = f"{self._prefix}{PROBE}{secrets.token_hex(8)}"
        content = os.urandom(_PROBE_BYTES)
        name = self._bucket.address.bucket
        try:
            with self._asking(f"S3 upload would fail: {key} can't be written") as client:
                answer = client.put_object(
                    Bucket=name, Key=key, Body=content, ContentMD5=content_md5(io.BytesIO(content)),
                    **self._bucket.encryption,
                )  # fmt: skip
                self._bucket.must_be_encrypted(key, answer.get("ServerSideEncryption", ""))
            with self._asking(f"{key} was written, and can't be read back") as client:
                found = client.get_object(Bucket=name, Key=key)["Body"].read()
        except BaseException:
            # The store may have done it all the same. That it can't be removed either is no news.
            with contextlib.suppress(StorageError):
                self._remove(key)
            raise
        removed = self._remove(key)
        if found != content:
            raise StorageError(
                f"{key} came back other than it was written",
                cause=f"{len(found)} bytes instead of {len(content)}, or other ones",
                fix="don't rely on this store; ask whoever runs it",
            )
        return removed

    def keeps_versions(self) -> bool | None:
        """Whether a deleted object is only hidden; None if the store does not tell.

        Raises:
            StorageError: The store does not answer.
        """
        return self._bucket.features.keeps_versions()

    def can_lock(self) -> bool | None:
        """Whether objects can be locked; None if the store does not tell.

        Raises:
            StorageError: The store does not answer.
        """
        return self._bucket.features.can_lock()

    def expires_objects(self, what: Expired = "Expiration") -> bool | None:
        """Whether a lifecycle rule of the bucket expires what lies under the prefix.

        Args:
            what: The objects themselves, or the versions that delete markers hide.

        Returns:
            None if the store does not tell: it knows no such rules, or we may not see them.

        Raises:
            NoAnswerError: The store does not answer.
        """
        name = self._bucket.address.bucket
        try:
            with self._asking(f"The lifecycle rules of bucket {name!r} can't be read") as client:
                try:
                    answer = client.get_bucket_lifecycle_configuration(Bucket=name)
                except Exception as error:
                    if code_of(error) == "NoSuchLifecycleConfiguration":
                        return False
                    raise
        except NoAnswerError:
            raise
        except StorageError:
            return None
        rules = answer.get("Rules")
        if not rules:  # S3 itself says NoSuchLifecycleConfiguration; rclone answers anything
            return None
        return any(expires(rule, self._prefix, what) for rule in rules)

    def backups_of(self, database: str) -> list[StoredBackup]:
        """The newest backups of one database, the newest first: those of the last 40 days.

        Of a class that has none of those, all. Other databases' objects are not listed.

        Raises:
            NoAnswerError: The store does not answer.
            StorageError: It can't be reached, or refuses.
        """
        found: list[StoredBackup] = []
        for backup_class in BackupClass:
            since = BackupName(database, datetime.now(UTC) - _RECENT, backup_class)
            found += self._backups(since, recent_only=True) or self._backups(
                since, recent_only=False
            )
        return sorted(found, key=lambda backup: backup.name.taken_at, reverse=True)

    def _backups(self, since: BackupName, *, recent_only: bool) -> list[StoredBackup]:
        """One class's backups of one database; keys sort by time."""
        name = self._bucket.address.bucket
        stem = f"{self._prefix}{since.backup_class}/{since.database}_{since.backup_class}_"
        more = {"StartAfter": self._prefix + since.relative_path} if recent_only else {}
        objects: dict[str, ObjectTypeDef] = {}
        with self._asking(f"Bucket {name!r} can't be listed") as client:
            pages = client.get_paginator("list_objects_v2")
            found_pages = pages.paginate(Bucket=name, Prefix=stem, **more)  # type: ignore[arg-type]
            for page in each_once(found_pages, stem):
                objects |= {found["Key"]: found for found in page}
        backups = []
        for key, found in objects.items():
            parsed = parse_name(key.rpartition("/")[2])
            # The stem may be the beginning of another database's name.
            if (
                parsed is not None
                and parsed.database == since.database
                and key == self._prefix + parsed.relative_path
            ):
                modified = found["LastModified"].astimezone(UTC)
                has_manifest = key + MANIFEST_SUFFIX in objects
                backups.append(
                    StoredBackup(parsed, Place.S3, key, found["Size"], modified, has_manifest)
                )
        return backups

    def _remove(self, key: str) -> bool:
        with self._asking(f"{key} was written, and can't be removed") as client:
            answer = client.delete_object(Bucket=self._bucket.address.bucket, Key=key)
        return not answer.get("DeleteMarker", False)

    @contextlib.contextmanager
    def _asking(self, problem: str) -> Iterator[S3Client]:
        """The client, and errors in words; silence is an error of its own."""
        from botocore import exceptions  # noqa: PLC0415 - 0.5 s, so only where S3 is used

        address = self._bucket.address
        try:
            with address.translated(problem):
                yield self._bucket.client(Patience.ASKING)
        except StorageError as error:
            silent = (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)
            if isinstance(error.__cause__, silent):
                raise NoAnswerError(error.problem, cause=error.cause, fix=error.fix) from error
            raise


def expires(rule: LifecycleRuleOutputTypeDef, prefix: str, what: Expired = "Expiration") -> bool:
    """Whether a lifecycle rule expires objects under a prefix, all or some of them.

    Args:
        rule: As the store has it.
        prefix: Of our keys.
        what: The objects themselves, or the versions that delete markers hide.
    """
    if rule.get("Status") != "Enabled" or not rule.get(what):
        return False
    chosen = rule.get("Filter", {})
    both = chosen.get("And", {})
    if "Tag" in chosen or both.get("Tags"):  # pgconsole tags nothing
        return False
    begins = chosen.get("Prefix") or both.get("Prefix") or rule.get("Prefix") or ""
    return prefix.startswith(begins) or begins.startswith(prefix)
