"""Storages on the real S3 server, and what the tests put into them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from tests.backups.helpers import Recorder
from tests.conftest import MakeSettings

from pgconsole.demo.servers import S3Server
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.settings import Settings
from pgconsole.storage.s3 import S3Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # a Sunday, and a 1st
PART = 8 << 20  # bytes; the smallest parts of an upload
NAME = BackupName("app", NOON, BackupClass.DAILY)


def manifest_of(name: BackupName) -> Manifest:
    """A manifest without sections."""
    return Manifest(
        database=name.database, classes=(name.backup_class,), taken_at=name.taken_at,
        started_at=NOON, finished_at=NOON, host="h", actor="a", server_host="s",
        server_version="16.14", pg_dump_version="16.14", options=(), raw_bytes=1,
        compressed_bytes=1, sha256="0" * 64, sections=(),
    )  # fmt: skip


MakeS3Settings = Callable[..., Settings]


@pytest.fixture
def s3_settings(s3: S3Server, s3_bucket: str, make_settings: MakeSettings) -> MakeS3Settings:
    """Settings for this test's bucket, with these variables besides."""

    def make(**variables: str) -> Settings:
        return make_settings(**(s3.environment(s3_bucket) | variables))

    return make


@pytest.fixture
def storage(s3_settings: MakeS3Settings) -> S3Storage:
    """This test's bucket. The timeout is short enough for tests, long enough for a busy host."""
    return S3Storage(s3_settings(), timeout=10)


@pytest.fixture
def client(s3: S3Server) -> S3Client:
    """A client of the test's own, to see what is really there."""
    return boto3.client(
        "s3", endpoint_url=s3.endpoint, aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key, region_name="us-east-1",
    )  # fmt: skip


class Contents:
    """What a bucket really holds."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @property
    def keys(self) -> set[str]:
        """All objects."""
        found = self._client.list_objects_v2(Bucket=self._bucket)
        return {entry["Key"] for entry in found.get("Contents", [])}

    @property
    def unfinished(self) -> set[str]:
        """Keys of all unfinished multipart uploads."""
        try:
            found = self._client.list_multipart_uploads(Bucket=self._bucket)
        except self._client.exceptions.NoSuchUpload:  # rclone, for a bucket that never had one
            return set()
        return {entry["Key"] for entry in found.get("Uploads", [])}

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        """Read an object."""
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def begin_of_somebody_else(self, key: str) -> str:
        """Begin a multipart upload that is none of ours; returns its key."""
        self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
        return key


@pytest.fixture
def contents(client: S3Client, s3_bucket: str) -> Contents:
    """What this test's bucket holds."""
    return Contents(client, s3_bucket)


@pytest.fixture
def records(s3_settings: MakeS3Settings) -> Callable[[], list[Path]]:
    """The records of unfinished uploads on our disk."""
    directory = s3_settings().state_dir / "uploads"
    return lambda: sorted(directory.iterdir()) if directory.exists() else []


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A file of three parts and a bit, none like another."""
    path = tmp_path / "dump.partial"
    path.write_bytes(os.urandom(3 * PART + 12345))
    return path


@pytest.fixture
def recorder() -> Recorder:
    """A report that keeps the events."""
    return Recorder()
