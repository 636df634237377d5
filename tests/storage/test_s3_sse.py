"""S3_SSE: whatever makes an object asks the store to encrypt it, and sees that it did."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder
from tests.cli.program import run
from tests.conftest import MakeSettings
from tests.moto_server import MotoServer
from tests.storage.conftest import NAME, PART
from tests.wal.conftest import NAME as SEGMENT
from tests.wal.conftest import Segments

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.opened import find_backup, open_backup
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.dumps.naming import BackupClass
from pgconsole.errors import PartlyFailedError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.storage.s3 import S3Storage
from pgconsole.storage.s3_probe import S3Probe
from pgconsole.wal.push_s3 import push_s3

SLOT = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)  # a Sunday and a 1st: three classes
KEY = "arn:aws:kms:us-east-1:123456789012:key/backups"
KINDS = {
    "sse-s3": ({"S3_SSE": "AES256"}, ("AES256", None)),
    "kms-default": ({"S3_SSE": "aws:kms"}, ("aws:kms", None)),
    "kms-own": ({"S3_SSE": "aws:kms", "S3_SSE_KMS_KEY_ID": KEY}, ("aws:kms", KEY)),
}


def encryption(server: MotoServer, bucket: str) -> dict[str, tuple[str | None, str | None]]:
    """How each object of a bucket is encrypted, and by which key."""
    found = server.client.list_objects_v2(Bucket=bucket).get("Contents", [])
    heads = {one["Key"]: server.client.head_object(Bucket=bucket, Key=one["Key"]) for one in found}
    return {
        key: (head.get("ServerSideEncryption"), head.get("SSEKMSKeyId"))
        for key, head in heads.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_encrypted_in_every_class_with_its_manifests(
    kind: str, moto: MotoServer, postgres16: PostgresServer, database: str,
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, recorder: Recorder,
):  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    variables, expected = KINDS[kind]
    bucket = f"sse-{kind}-{database}"
    moto.make_bucket(bucket)
    settings = make_settings(postgres16, database, **moto.environment(bucket), **variables)
    run_backup(settings, BackupRequest("alice", slot=SLOT), recorder)
    found = encryption(moto, bucket)
    assert len(found) == 6  # three dumps, three manifests
    assert set(found.values()) == {expected}
    key = f"backups/weekly/{database}_weekly_20260201_020000.sql.gz"
    opened = open_backup(settings, find_backup(settings, Place.S3, key))
    assert opened.kept == (f"encrypted by the store ({variables['S3_SSE']})",)


def test_copies_in_parts_wal_and_probes(
    moto: MotoServer, make_settings: MakeSettings, tmp_path: Path, database: str
):
    variables, expected = KINDS["kms-own"]
    bucket = f"parts-{database}"
    moto.make_bucket(bucket, versions=True)  # so that the probe can still be looked at
    settings = make_settings(**moto.environment(bucket), **variables)
    storage = S3Storage(settings, single_copy_limit=PART)
    dump = tmp_path / "dump.partial"
    dump.write_bytes(os.urandom(2 * PART + 5))
    key = f"backups/{NAME.relative_path}"
    upload = storage.begin_upload(key, dump, expected_bytes=2 * PART + 5)
    upload.finish(2 * PART + 5)
    upload.complete()
    weekly = f"backups/{NAME.in_class(BackupClass.WEEKLY).relative_path}"
    storage.copy(key, weekly, 2 * PART + 5)
    segments = Segments(tmp_path / "data")
    push_s3(segments.write(), settings)
    push_s3(segments.write(SEGMENT[:-1] + "4"), settings, compress=True)
    assert not S3Probe(settings).write_and_remove()
    found = encryption(moto, bucket)
    assert len(found) == 4
    assert set(found.values()) == {expected}
    (probe,) = (
        version
        for version in moto.client.list_object_versions(Bucket=bucket)["Versions"]
        if ".pgconsole-probe-" in version["Key"]
    )
    head = moto.client.head_object(Bucket=bucket, Key=probe["Key"], VersionId=probe["VersionId"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == expected


class TestAStoreThatIgnoresIt:
    """rclone takes the header and stores the bytes as they are: nobody may believe otherwise."""

    @pytest.fixture
    def settings(self, s3: S3Server, s3_bucket: str, make_settings: MakeSettings) -> Settings:
        return make_settings(**s3.environment(s3_bucket), S3_SSE="AES256")

    def test_a_backup_is_partly_failed_and_nothing_is_left_there(
        self, settings: Settings, s3: S3Server, postgres16: PostgresServer, database: str,
        monkeypatch: pytest.MonkeyPatch, recorder: Recorder, make_settings: MakeSettings,
    ):  # fmt: skip
        monkeypatch.setenv("PATH", postgres16.environment["PATH"])
        settings = make_settings(
            postgres16, database, **s3.environment(settings.s3_bucket), S3_SSE="AES256"
        )
        with pytest.raises(PartlyFailedError, match="not encrypted as S3_SSE=AES256 asks"):
            run_backup(settings, BackupRequest("alice", slot=SLOT), recorder)
        assert S3Storage(settings).listing().backups == ()
        left = [path for path in (s3.buckets / settings.s3_bucket).rglob("*") if path.is_file()]
        assert left == []
        assert (settings.backup_dir / "daily").exists()

    def test_wal_is_not_archived_the_second_time_either(self, settings: Settings, tmp_path: Path):
        segment = Segments(tmp_path / "data").write()
        for _ in range(2):
            with pytest.raises(StorageError, match="not encrypted as S3_SSE=AES256 asks"):
                push_s3(segment, settings)

    def test_the_doctor_finds_it_before_the_first_backup(self, settings: Settings):
        done = run(settings, "doctor", "--json")
        assert "is not encrypted as S3_SSE=AES256 asks" in done.stdout
