"""Verifying copies in S3: streamed from a real server, and what is known when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.backups.helpers import Recorder, files_in
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup
from tests.proxy import Proxy

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import load_manifest, s3_backups
from pgconsole.backups.evidence import Proof, latest, read_evidence
from pgconsole.backups.s3_copy import object_key
from pgconsole.backups.verify import VerifyRequest, VerifyResult, run_verify
from pgconsole.demo.servers import PostgresServer, S3Server, free_port
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, parse_name
from pgconsole.errors import ConfigurationError, VerifyError
from pgconsole.report import Event, Report
from pgconsole.settings import Settings
from pgconsole.storage.s3 import S3Storage

SLOT = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
NOISE = (
    "CREATE TABLE t AS SELECT md5(i::text) || md5(i::text || 'x') AS x "
    "FROM generate_series(1, 200000) i"
)


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    s3_variables: dict[str, str],
) -> Settings:
    return make_settings(postgres16, database, **s3_variables)


@pytest.fixture
def bucket(settings: Settings) -> Any:
    """The bucket by plain boto3."""
    client = boto3.resource(
        "s3", endpoint_url=settings.s3_endpoint_url, region_name=settings.aws_default_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )  # fmt: skip
    return client.Bucket(settings.s3_bucket)


@pytest.fixture
def old_key(settings: Settings, postgres16: PostgresServer, bucket: Any) -> str:
    """A backup of the old scripts that lies in the bucket alone, as `aws s3 cp` put it there."""
    path = guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, SLOT)
    name = parse_name(path.name)
    assert name is not None
    key = object_key(settings, name)
    bucket.upload_file(str(path), key)
    path.unlink()
    return key


def verify(settings: Settings, *keys: str, report: Any) -> VerifyResult:
    return run_verify(settings, VerifyRequest((), keys, "bob"), report)


def known(settings: Settings) -> dict[str, Proof | None]:
    proofs = read_evidence(settings)
    found = {one.location: latest(proofs, settings, one) for one in s3_backups(settings).backups}
    return {key: proof and proof.proof for key, proof in found.items()}


def test_an_object_of_the_old_scripts(
    settings: Settings, old_key: str, bucket: Any, recorder: Recorder
):
    assert known(settings) == {old_key: None}
    result = verify(settings, old_key, report=recorder)
    (copy,) = result.copies
    assert copy.location == f"s3://{settings.s3_bucket}/{old_key}"
    assert (copy.proof, copy.tables, copy.rows) == (Proof.COMPLETE, 2, 1000)
    assert known(settings) == {old_key: Proof.COMPLETE}
    (stored,) = s3_backups(settings).backups
    manifest = load_manifest(settings, stored)
    assert manifest is not None
    assert manifest.classes == (BackupClass.DAILY,)
    assert sum(table.rows for table in manifest.tables) == 1000
    assert files_in(settings) == []  # no copy of it, at no time

    data = bytearray(bucket.Object(old_key).get()["Body"].read())
    data[9] ^= 1
    bucket.put_object(Key=old_key, Body=bytes(data))
    with pytest.raises(VerifyError, match="SHA-256"):
        verify(settings, old_key, report=recorder)
    assert known(settings) == {old_key: Proof.DAMAGED}


def deletes(bucket: Any, key: str) -> Report:
    """A report that deletes an object as soon as it is proven."""

    def report(event: Event) -> None:
        if event.message.startswith("complete: "):
            bucket.Object(key).delete()

    return report


def test_an_object_that_is_deleted_meanwhile_leaves_no_manifest(
    settings: Settings, old_key: str, bucket: Any
):
    """Nothing would ever look after a manifest without its dump."""
    verify(settings, old_key, report=deletes(bucket, old_key))
    assert list(bucket.objects.all()) == []
    assert list((settings.state_dir / "uploads").iterdir()) == []


def test_the_next_backup_sweeps_a_manifest_that_could_not_be_looked_after(
    settings: Settings, old_key: str, bucket: Any, s3: S3Server, monkeypatch: pytest.MonkeyPatch
):
    with Proxy(int(s3.endpoint.rpartition(":")[2])) as proxy:
        through = settings.model_copy(update={"s3_endpoint_url": proxy.endpoint})
        put = S3Storage.put_small

        def put_and_refuse(storage: S3Storage, key: str, data: bytes) -> None:
            put(storage, key, data)
            proxy.refuse()

        with monkeypatch.context() as cut:
            cut.setattr(S3Storage, "put_small", put_and_refuse)
            verify(through, old_key, report=deletes(bucket, old_key))
        assert [one.key for one in bucket.objects.all()] == [old_key + MANIFEST_SUFFIX]
        # The record names the store as it was spoken to.
        (record,) = (settings.state_dir / "uploads").iterdir()
        record.write_text(record.read_text().replace(proxy.endpoint, settings.s3_endpoint_url))
    S3Storage(settings).abort_leftovers(settings.pgdatabase)
    assert list(bucket.objects.all()) == []


def test_copies_of_a_backup_of_ours(settings: Settings, bucket: Any, recorder: Recorder):
    result = run_backup(settings, BackupRequest("alice", SLOT), recorder)
    assert set(known(settings).values()) == {None}  # uploading alone proves nothing
    recorder.events.clear()
    local = result.paths[0]
    found = run_verify(settings, VerifyRequest((local,), result.keys, "bob"), recorder)
    assert [copy.proof for copy in found.copies] == [Proof.COMPLETE] * 4
    assert known(settings) == dict.fromkeys(result.keys, Proof.COMPLETE)
    expected = {event.bytes_expected for event in recorder.events if event.bytes_done is not None}
    assert expected == {4 * Path(local).stat().st_size}
    assert recorder.events[-1].message.startswith("complete")

    data = bucket.Object(result.keys[1]).get()["Body"].read()
    bucket.put_object(Key=result.keys[1], Body=data[: len(data) // 2])
    assert known(settings)[result.keys[1]] is None  # it is another object
    with pytest.raises(VerifyError) as caught:
        verify(settings, *result.keys, report=recorder)
    (problem,) = caught.value.problems
    assert problem.problem == f"s3://{settings.s3_bucket}/{result.keys[1]} is damaged"
    assert f"ends at byte {len(data) // 2} instead of {len(data)}" in problem.cause
    assert list(known(settings).values()).count(Proof.COMPLETE) == 2


def test_an_object_that_is_gone(settings: Settings, old_key: str, recorder: Recorder):
    gone = old_key.replace("_020000", "_030000")
    with pytest.raises(VerifyError) as caught:
        verify(settings, gone, old_key, report=recorder)
    result = caught.value.result
    assert isinstance(result, VerifyResult)
    assert [copy.proof for copy in result.copies] == [None, Proof.COMPLETE]
    assert "it is not there" in caught.value.cause


def test_one_that_is_replaced_while_it_is_read(
    settings: Settings, old_key: str, bucket: Any, recorder: Recorder
):
    def report(event: Event) -> None:
        recorder(event)
        if event.message.startswith("checking"):
            bucket.put_object(Key=old_key, Body=b"something else")

    with pytest.raises(VerifyError, match="could not be verified"):
        verify(settings, old_key, report=report)
    assert known(settings) == {old_key: None}
    assert read_evidence(settings) == {}


class TestUnreachable:
    def test_nothing_is_claimed_and_local_copies_are_verified(
        self, settings: Settings, old_key: str, postgres16: PostgresServer, recorder: Recorder
    ):
        verify(settings, old_key, report=recorder)
        before = read_evidence(settings)
        path = guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, SLOT)
        down = settings.model_copy(update={"s3_endpoint_url": f"http://127.0.0.1:{free_port()}"})
        other = old_key.replace("_020000", "_030000")
        request = VerifyRequest((str(path),), (old_key, other), "bob")
        with pytest.raises(VerifyError) as caught:
            run_verify(down, request, recorder)
        assert len(caught.value.problems) == 2
        result = caught.value.result
        assert isinstance(result, VerifyResult)
        assert [copy.proof for copy in result.copies] == [Proof.COMPLETE, None, None]
        after = read_evidence(settings)
        assert {copy: after[copy] for copy in before} == before
        assert len(after) == len(before) + 1

    @pytest.fixture(scope="class")
    def large(self, postgres16: PostgresServer) -> Iterator[str]:
        create_database(postgres16, "verify_large", NOISE)
        yield "verify_large"
        drop_database(postgres16, "verify_large")

    @pytest.mark.parametrize("indexed", [True, False])
    def test_the_connection_breaks_off_for_good(
        self,
        postgres16: PostgresServer,
        large: str,
        settings: Settings,
        s3: S3Server,
        bucket: Any,
        recorder: Recorder,
        indexed: bool,
    ):
        here = settings.model_copy(update={"pgdatabase": large})
        key = run_backup(here, BackupRequest("alice", SLOT), recorder).keys[0]
        if not indexed:
            bucket.Object(key + MANIFEST_SUFFIX).delete()
        with Proxy(s3.port) as proxy:
            through = here.model_copy(update={"s3_endpoint_url": proxy.endpoint})

            def report(event: Event) -> None:
                recorder(event)
                if event.message.startswith("checking s3"):
                    proxy.cut_after(to_client=1 << 20)

            with pytest.raises(VerifyError) as caught:
                verify(through, key, report=report)
            assert proxy.cuts > 0
            assert "could not be verified" in caught.value.problem
            assert f"{key} can't be read at byte" in caught.value.cause
            assert known(here)[key] is None
            proxy.heal()
            before = proxy.bytes_to_client
            result = verify(through, key, report=recorder)
        assert result.copies[0].rows == 200_000
        size = bucket.Object(key).content_length
        assert proxy.bytes_to_client - before < size * 1.2 + (1 << 16)  # every byte once
        assert known(here)[key] is Proof.COMPLETE


def test_a_bucket_that_takes_no_manifest(
    settings: Settings, old_key: str, s3: S3Server, recorder: Recorder
):
    with Proxy(s3.port) as proxy:
        through = settings.model_copy(update={"s3_endpoint_url": proxy.endpoint})
        proxy.cut_answer_to(b"PUT ", then_refuse=True)
        verify(through, old_key, report=recorder)
    assert f"{old_key}{MANIFEST_SUFFIX} can't be uploaded" in recorder.warnings()[0]
    assert known(settings) == {old_key: Proof.COMPLETE}


@pytest.mark.parametrize(
    "key",
    [
        "daily/app_daily_20260201_020000.sql.gz",
        "backups/weekly/app_daily_20260201_020000.sql.gz",
        "backups/daily/app.sql.gz",
        "",
    ],
)
def test_what_is_no_key_of_a_backup(settings: Settings, recorder: Recorder, key: str):
    with pytest.raises(ConfigurationError, match="no key of a backup"):
        verify(settings, key, report=recorder)


def test_without_a_bucket(make_settings: MakeSettings, recorder: Recorder):
    key = "backups/daily/app_daily_20260201_020000.sql.gz"
    with pytest.raises(ConfigurationError, match="S3 is not set up"):
        verify(make_settings(), key, report=recorder)
    assert list(make_settings.backup_dir.iterdir()) == []
