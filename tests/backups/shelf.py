"""A backup directory and a bucket full of the guide's backups, and what is proven of them."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from tests.guide import guide_backup

from pgconsole.backups.catalog import local_backups, s3_backups
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.errors import VerifyError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.s3 import S3Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DAILY, WEEKLY, MONTHLY = BackupClass
NEWEST = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
STEP = {DAILY: 1, WEEKLY: 7, MONTHLY: 30}  # days


def name_of(age: int, cls: BackupClass = DAILY, database: str = "app") -> BackupName:
    """The name of the newest backup of a class (0) or of an older one."""
    return BackupName(database, NEWEST - timedelta(days=age * STEP[cls]), cls)


def guide_dump(server: PostgresServer, database: str, directory: Path) -> bytes:
    """A dump by the guide's pipeline."""
    return guide_backup(server, database, directory, NEWEST).read_bytes()


def half_of(dump: bytes) -> bytes:
    """What a pg_dump that died half-way leaves behind a pipe without pipefail: a valid gzip."""
    pipe = 'zcat | head -c "$0" | gzip -9'
    size = len(subprocess.run(["zcat"], input=dump, capture_output=True, check=True).stdout)
    return subprocess.run(
        ["bash", "-c", pipe, str(size // 2)], input=dump, capture_output=True, check=True
    ).stdout


def put(settings: Settings, name: BackupName, data: bytes) -> Path:
    """Lay a file into the backup directory, as old as its name says."""
    path = settings.backup_dir / name.relative_path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def fill(settings: Settings, data: bytes, *, count: int = 10, database: str = "app") -> None:
    """So many backups of each class."""
    for cls in BackupClass:
        for age in range(count):
            put(settings, name_of(age, cls, database), data)


def look_at(settings: Settings, *backups: StoredBackup) -> None:
    """Verify these copies; what is damaged is written down as that."""
    request = VerifyRequest(
        tuple(backup.location for backup in backups if backup.place is Place.LOCAL),
        tuple(backup.location for backup in backups if backup.place is Place.S3),
        "alice",
    )
    with suppress(VerifyError):
        run_verify(settings, request, lambda _: None)


def look_at_all(settings: Settings) -> None:
    """Verify every local copy."""
    look_at(settings, *local_backups(settings).backups)


def local_names(settings: Settings, database: str = "app") -> set[BackupName]:
    """What lies in the backup directory."""
    return {
        backup.name
        for backup in local_backups(settings).backups
        if backup.name.database == database
    }


def newest(*counts: int, database: str = "app") -> set[BackupName]:
    """The newest names of each class: so many daily, weekly and monthly ones."""
    return {
        name_of(age, cls, database)
        for cls, count in zip(BackupClass, counts, strict=True)
        for age in range(count)
    }


def client(settings: Settings) -> S3Client:
    """A client of the test's own."""
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )


def keys(settings: Settings) -> set[str]:
    """Every object of the bucket."""
    answer = client(settings).list_objects_v2(Bucket=settings.s3_bucket)
    return {found["Key"] for found in answer.get("Contents", [])}


def put_s3(settings: Settings, name: BackupName, data: bytes) -> str:
    """Store an object as `aws s3 cp` of the guide did."""
    key = settings.s3_prefix + name.relative_path
    client(settings).put_object(Bucket=settings.s3_bucket, Key=key, Body=data)
    return key


def s3_names(settings: Settings) -> set[BackupName]:
    """What lies in the bucket."""
    return {backup.name for backup in s3_backups(settings).backups}


def s3_storage(settings: Settings) -> S3Storage:
    """The bucket."""
    return S3Storage(settings, timeout=10)
