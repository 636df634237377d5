"""S3 in every state: a copy that is whole, or a local backup that is good and says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.backups.helpers import Recorder, files_in, pg_dump_wrapper, zcat
from tests.conftest import MakeSettings, create_database, drop_database
from tests.proxy import Proxy

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups, s3_backups
from pgconsole.backups.locking import database_lock
from pgconsole.backups.trust import stored_whole
from pgconsole.backups.upload import UploadRequest, run_upload
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.demo.servers import PostgresServer, S3Server, free_port
from pgconsole.errors import (
    BusyError,
    Cancelled,
    ConfigurationError,
    DamagedError,
    PartlyFailedError,
    StorageError,
    ToolError,
    VerifyError,
)
from pgconsole.report import Event
from pgconsole.settings import Settings
from pgconsole.storage.s3 import S3Storage

SLOT = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)  # a Sunday and a 1st
ALICE = BackupRequest("alice", slot=SLOT)
CLASSES = ("daily", "weekly", "monthly")
SEVERAL_PARTS = "CREATE TABLE t AS SELECT md5(i::text) || md5(i::text || 'x') AS x " \
                "FROM generate_series(1, 600000) i"  # fmt: skip


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    s3_variables: dict[str, str],
) -> Settings:
    """A small database, and a bucket."""
    return make_settings(postgres16, database, **s3_variables)


@pytest.fixture(scope="module")
def large(postgres16: PostgresServer) -> Iterator[str]:
    """A database whose dump takes some 20 MB compressed: three parts."""
    create_database(postgres16, "s3_large", SEVERAL_PARTS)
    yield "s3_large"
    drop_database(postgres16, "s3_large")


def client(settings: Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )


def objects(settings: Settings) -> list[str]:
    answer = client(settings).list_objects_v2(Bucket=settings.s3_bucket)
    return [found["Key"] for found in answer.get("Contents", [])]


def unfinished(settings: Settings) -> list[str]:
    answer = client(settings).list_multipart_uploads(Bucket=settings.s3_bucket)
    return [upload["Key"] for upload in answer.get("Uploads", [])]


def assert_good_locally(settings: Settings) -> None:
    """The backup is published in all classes, whole, with its manifest, and nothing else is."""
    backups = local_backups(settings).backups
    assert {str(backup.name.backup_class) for backup in backups} == set(CLASSES)
    manifest = load_manifest(settings, backups[0])
    assert manifest is not None
    assert len(zcat(backups[0].location)) == manifest.raw_bytes
    assert len(files_in(settings)) == 6


class TestS3Fails:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"S3_ENDPOINT_URL": "down"}, "connection refused"),
            ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "AWS_SECRET_ACCESS_KEY"),
            ({"S3_BACKUP_BUCKET": "no-such-bucket"}, "no such bucket"),
        ],
    )
    def test_the_local_backup_is_kept_and_the_cause_said(
        self,
        change: dict[str, str],
        words: str,
        *,
        postgres16: PostgresServer,
        database: str,
        make_settings: MakeSettings,
        s3_variables: dict[str, str],
        recorder: Recorder,
    ) -> None:
        change = {
            name: f"http://127.0.0.1:{free_port()}" if value == "down" else value
            for name, value in change.items()
        }
        settings = make_settings(postgres16, database, **(s3_variables | change))
        with pytest.raises(PartlyFailedError) as caught:
            run_backup(settings, ALICE, recorder)
        name = f"{database}_daily_20260201_020000.sql.gz"
        assert caught.value.exit_code == 4
        assert words in f"{caught.value.cause} {caught.value.fix}"
        assert caught.value.fix.endswith(f"pgconsole upload {name}")
        assert caught.value.result.name == name  # type: ignore[attr-defined]
        assert any("no copy in S3" in text for text in recorder.warnings())
        assert_good_locally(settings)

    def test_cut_in_the_middle_of_the_upload(
        self,
        *,
        large: str,
        postgres16: PostgresServer,
        make_settings: MakeSettings,
        s3: S3Server,
        s3_variables: dict[str, str],
        recorder: Recorder,
    ) -> None:
        direct = make_settings(postgres16, large, **s3_variables)
        with Proxy(s3.port) as proxy:
            cut = direct.model_copy(update={"s3_endpoint_url": proxy.endpoint})

            def report(event: Event) -> None:
                recorder(event)
                if event.phase == "dump" and event.bytes_done:
                    proxy.cut_after(to_server=100_000)

            with pytest.raises(PartlyFailedError) as caught:
                run_backup(cut, ALICE, report)
        assert "connection" in caught.value.cause.lower()
        assert_good_locally(direct)
        assert objects(direct) == []
        # The store could not be told; the next backup tells it.
        run_backup(direct, ALICE, recorder)
        assert unfinished(direct) == []
        assert len(objects(direct)) == 6

    def test_an_object_that_is_there_is_never_overwritten(
        self, settings: Settings, recorder: Recorder
    ) -> None:
        key = f"backups/daily/{settings.pgdatabase}_daily_20260201_020000.sql.gz"
        client(settings).put_object(Bucket=settings.s3_bucket, Key=key, Body=b"precious")
        with pytest.raises(PartlyFailedError, match="has an object of this name"):
            run_backup(settings, ALICE, recorder)
        assert objects(settings) == [key]
        assert_good_locally(settings)


class TestNothingUnfinished:
    def test_a_failed_dump_is_never_completed(
        self,
        *,
        large: str,
        postgres16: PostgresServer,
        make_settings: MakeSettings,
        s3_variables: dict[str, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        script = '"$REAL" "$@"; exit 1'
        wrapper = pg_dump_wrapper(tmp_path / "bin", postgres16.bin_dir / "pg_dump", script)
        monkeypatch.setenv("PATH", f"{wrapper}:/usr/bin:/bin")
        settings = make_settings(postgres16, large, **s3_variables)
        with pytest.raises(ToolError):
            run_backup(settings, ALICE, Recorder())
        assert objects(settings) == unfinished(settings) == files_in(settings) == []

    @pytest.mark.parametrize("phase", ["dump", "verify", "upload"])
    def test_cancelled(
        self,
        phase: str,
        *,
        large: str,
        postgres16: PostgresServer,
        make_settings: MakeSettings,
        s3_variables: dict[str, str],
    ) -> None:
        settings = make_settings(postgres16, large, **s3_variables)

        def report(event: Event) -> None:
            if event.phase == phase and event.bytes_done:
                raise Cancelled

        with pytest.raises(Cancelled):
            run_backup(settings, ALICE, report)
        assert objects(settings) == unfinished(settings) == []
        assert len(files_in(settings)) == (6 if phase == "upload" else 0)


def test_parts_go_while_the_dump_runs(
    large: str,
    postgres16: PostgresServer,
    make_settings: MakeSettings,
    s3: S3Server,
    s3_variables: dict[str, str],
) -> None:
    settings = make_settings(postgres16, large, **s3_variables)
    with Proxy(s3.port) as proxy:
        through = settings.model_copy(update={"s3_endpoint_url": proxy.endpoint})
        sent: dict[str, int] = {}

        def report(event: Event) -> None:
            sent.setdefault(event.phase, proxy.bytes_to_server)

        result = run_backup(through, ALICE, report)
    assert sent["verify"] > 4_000_000
    key = settings.s3_prefix + f"daily/{result.name}"
    body = client(settings).get_object(Bucket=settings.s3_bucket, Key=key)["Body"].read()
    assert body == Path(result.paths[0]).read_bytes()


class TestUpload:
    @pytest.fixture
    def backup(self, settings: Settings) -> str:
        """The name of a local backup of all classes that is not in S3."""
        local_only = settings.model_copy(update={"s3_bucket": ""})
        return run_backup(local_only, ALICE, Recorder()).name

    def test_every_class_with_its_manifest(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        result = run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert result.keys == result.uploaded
        backups = s3_backups(settings).backups
        assert {found.location for found in backups} == set(result.keys)
        assert len(backups) == 3
        assert all(found.has_manifest for found in backups)
        assert "the local file is whole" in recorder.text
        assert unfinished(settings) == []

    def test_again_uploads_nothing(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        run_upload(settings, UploadRequest(backup, "alice"), Recorder())
        result = run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert len(result.keys) == 3
        assert result.uploaded == ()
        assert recorder.text.count("is there already") == 3

    def test_only_what_is_missing(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        first = run_upload(settings, UploadRequest(backup, "alice"), Recorder())
        client(settings).delete_object(Bucket=settings.s3_bucket, Key=first.keys[1])
        result = run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert result.uploaded == first.keys[1:2]
        assert len(objects(settings)) == 6

    def test_mends_a_partly_failed_backup(self, settings: Settings, recorder: Recorder) -> None:
        down = settings.model_copy(update={"s3_endpoint_url": f"http://127.0.0.1:{free_port()}"})
        with pytest.raises(PartlyFailedError) as caught:
            run_backup(down, ALICE, recorder)
        name = caught.value.fix.split()[-1]
        assert len(run_upload(settings, UploadRequest(name, "alice"), recorder).uploaded) == 3

    def test_a_file_of_the_old_scripts(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        (settings.backup_dir / "daily" / f"{backup}.manifest.json").unlink()
        result = run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert objects(settings) == list(result.keys)
        assert len(result.keys) == 1

    def test_a_damaged_file_is_not_spread(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        path = settings.backup_dir / "daily" / backup
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(DamagedError):
            run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert objects(settings) == []

    def test_an_object_of_another_size_is_left_alone(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        key = f"backups/daily/{backup}"
        client(settings).put_object(Bucket=settings.s3_bucket, Key=key, Body=b"precious")
        with pytest.raises(StorageError, match="is another file: it has 8 bytes"):
            run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert objects(settings) == [key]

    def test_an_object_of_the_same_size_is_not_called_whole(
        self, settings: Settings, backup: str, recorder: Recorder
    ) -> None:
        path = settings.backup_dir / "daily" / backup
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        key = f"{settings.s3_prefix}daily/{backup}"
        client(settings).put_object(Bucket=settings.s3_bucket, Key=key, Body=bytes(data))
        result = run_upload(settings, UploadRequest(backup, "alice"), recorder)
        assert result.uploaded == result.keys[1:]
        assert f"to prove it: pgconsole verify --s3 {key}" in recorder.text
        storage = S3Storage(settings)
        whole = {
            b.location: stored_whole(settings, storage, b) for b in s3_backups(settings).backups
        }
        assert whole == {key: False, **dict.fromkeys(result.uploaded, True)}
        for copied in result.uploaded:
            body = client(settings).get_object(Bucket=settings.s3_bucket, Key=copied)["Body"]
            assert body.read() == path.read_bytes()

        with pytest.raises(VerifyError):
            run_verify(settings, VerifyRequest((), (key,), "alice"), Recorder())
        with pytest.raises(StorageError, match="is damaged"):
            run_upload(settings, UploadRequest(backup, "alice"), recorder)

    @pytest.mark.parametrize(
        ("filename", "words"),
        [
            ("notes.txt", "is no name of a backup"),
            ("x_daily_20260299_020000.sql.gz", "is no name of a backup"),
            ("nosuch_daily_20260201_020000.sql.gz", "There is no backup"),
            ("../x_daily_20260201_020000.sql.gz", "can't be"),
        ],
    )
    def test_wrong_names(
        self, filename: str, words: str, settings: Settings, recorder: Recorder
    ) -> None:
        (settings.backup_dir / "daily").mkdir()
        with pytest.raises(ConfigurationError, match=words):
            run_upload(settings, UploadRequest(filename, "alice"), recorder)

    def test_without_a_bucket(self, make_settings: MakeSettings, recorder: Recorder) -> None:
        with pytest.raises(ConfigurationError, match="S3 is not set up"):
            run_upload(make_settings(), UploadRequest("x", "alice"), recorder)

    def test_it_waits_for_nobody(self, settings: Settings, backup: str, recorder: Recorder) -> None:
        with (
            database_lock(settings, settings.pgdatabase, what="backup", actor="bob", job=""),
            pytest.raises(BusyError, match="backup by bob"),
        ):
            run_upload(settings, UploadRequest(backup, "alice"), recorder)
