"""Encrypted backups: whoever has the private key can do all, whoever has not loses nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.helpers import RICH_SCHEMA, Recorder, files_in, plain_dump, without_keys
from tests.backups.restoring import restore, state
from tests.backups.verifying import forget, known, verify
from tests.conftest import MakeSettings, create_database, drop_database
from tests.dumps.aging import Key, encrypt

from pgconsole.backups.backup import BackupRequest, BackupResult, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups, s3_backups
from pgconsole.backups.confirmation import WORD, confirm_restore
from pgconsole.backups.evidence import Proof, latest, read_evidence
from pgconsole.backups.export import ExportRequest, run_export
from pgconsole.backups.looking import Look, open_source
from pgconsole.backups.opened import find_table, open_backup
from pgconsole.backups.prune import make_plan
from pgconsole.backups.restore_copy import find_copy
from pgconsole.backups.upload import UploadRequest, run_upload
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, parse_name
from pgconsole.errors import DamagedError, PgconsoleError, SealedError, VerifyError
from pgconsole.planning.checks import Outcome
from pgconsole.planning.gather import gather
from pgconsole.planning.plan import conclude
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

SUNDAY_THE_FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
SLOT = datetime(2026, 2, 3, 2, 0, tzinfo=UTC)
NOISE = """
CREATE TABLE noise AS SELECT i, md5(i::text) || md5(i::text || 'x') AS x
    FROM generate_series(1, 150000) i;
"""
KEY, OTHER = Key(), Key()


@pytest.fixture(scope="module")
def rich(postgres16: PostgresServer) -> Iterator[str]:
    create_database(postgres16, "encrypted", RICH_SCHEMA + NOISE)
    yield "encrypted"
    drop_database(postgres16, "encrypted")


@pytest.fixture
def settings(
    postgres16: PostgresServer, rich: str, make_settings: MakeSettings,
    s3_variables: dict[str, str],
) -> Settings:  # fmt: skip
    """Of the host that takes backups: it has no private key."""
    recipients = f"{KEY.recipient}, {OTHER.recipient}"
    return make_settings(postgres16, rich, **s3_variables, BACKUP_AGE_RECIPIENTS=recipients)


@pytest.fixture
def with_key(settings: Settings, tmp_path: Path) -> Settings:
    return opened_with(settings, tmp_path, KEY)


def opened_with(settings: Settings, tmp_path: Path, key: Key) -> Settings:
    path = tmp_path / f"identity-{key.recipient[-6:]}"
    path.write_text(f"# {key.recipient}\n{key.secret}\n")
    return settings.model_copy(update={"age_identity_file": path})


@pytest.fixture
def result(settings: Settings, recorder: Recorder) -> BackupResult:
    return run_backup(settings, BackupRequest("alice", SLOT, job="job-1"), recorder)


class TestBackup:
    def test_every_class_and_place_has_it(self, settings: Settings, recorder: Recorder) -> None:
        request = BackupRequest("alice", SUNDAY_THE_FIRST)
        result = run_backup(settings, request, recorder)
        names = [
            f"{cls}/{settings.pgdatabase}_{cls}_20260201_020000.sql.gz.age" for cls in BackupClass
        ]
        assert files_in(settings) == sorted(
            name + end for name in names for end in ("", MANIFEST_SUFFIX)
        )
        for listing in (local_backups(settings), s3_backups(settings)):
            assert sorted(one.name.relative_path for one in listing.backups) == sorted(names)
            assert all(one.has_manifest and one.name.encrypted for one in listing.backups)
            assert not listing.foreign
            assert not listing.leftovers
        assert {item and item.proof for item in known(settings).values()} == {Proof.COMPLETE}
        assert f"encrypted to {KEY.recipient} {OTHER.recipient}" in recorder.text
        assert Path(result.paths[0]).samefile(result.paths[1])

    def test_age_and_zcat_and_psql_restore_it_without_pgconsole(
        self, result: BackupResult, postgres16: PostgresServer, rich: str, tmp_path: Path
    ) -> None:
        (gz := tmp_path / "dump.sql.gz").write_bytes(
            OTHER.decrypt(Path(result.paths[0]).read_bytes())
        )
        sql = subprocess.run(["zcat", gz], check=True, capture_output=True).stdout
        assert without_keys(sql) == without_keys(plain_dump(postgres16, rich))
        create_database(postgres16, "emergency")
        try:
            subprocess.run(
                [postgres16.bin_dir / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=on"],
                input=sql, check=True, stdout=subprocess.DEVNULL,
                env=postgres16.environment | {"PGDATABASE": "emergency"},
            )  # fmt: skip
            assert state(postgres16, "emergency") == state(postgres16, rich)
        finally:
            drop_database(postgres16, "emergency")

    def test_the_manifest_says_who_can_read_it(
        self, settings: Settings, result: BackupResult
    ) -> None:
        [backup] = local_backups(settings).backups
        manifest = load_manifest(settings, backup)
        assert manifest is not None
        assert manifest.encryption is not None
        assert manifest.encryption.recipients == (KEY.recipient, OTHER.recipient)
        assert manifest.compressed_bytes == backup.size == result.compressed_bytes
        assert manifest.gzip_bytes < backup.size
        assert manifest.verified_at is not None

    def test_a_second_that_an_unencrypted_one_bears_is_passed_over(
        self, settings: Settings, result: BackupResult
    ) -> None:
        plain = settings.model_copy(update={"age_recipients": ()})
        later = run_backup(plain, BackupRequest("alice", SLOT), Recorder())
        first, second = parse_name(result.name), parse_name(later.name)
        assert first is not None
        assert second is not None
        assert second.taken_at - first.taken_at == timedelta(seconds=1)
        assert (first.encrypted, second.encrypted) == (True, False)
        assert [one.name for one in local_backups(settings).backups] == [second, first]
        assert make_plan(settings, Place.LOCAL).delete == ()


class TestVerify:
    def test_with_the_private_key(self, with_key: Settings, result: BackupResult) -> None:
        forget(with_key)
        found = verify(with_key, Path(result.paths[0]), report=Recorder())
        [copy] = found.copies
        assert (copy.proof, copy.rows) == (Proof.COMPLETE, result.rows)

    def test_without_it_the_bytes_are_proven(
        self, settings: Settings, result: BackupResult, recorder: Recorder
    ) -> None:
        forget(settings)
        found = verify(settings, Path(result.paths[0]), report=recorder)
        [copy] = found.copies
        assert (copy.proof, copy.rows) == (Proof.INTACT, None)
        [item] = known(settings).values()
        assert item is not None
        assert item.sha256 == result.sha256
        assert any("BACKUP_AGE_IDENTITY_FILE is not set" in text for text in recorder.warnings())

    def test_bytes_that_were_proven_whole_still_are(
        self, settings: Settings, result: BackupResult
    ) -> None:
        """What these bytes hold was looked at when they were read back from the disk."""
        found = verify(settings, Path(result.paths[0]), report=Recorder())
        assert [copy.proof for copy in found.copies] == [Proof.COMPLETE]
        request = VerifyRequest((), (result.keys[0],), "bob")
        in_s3 = run_verify(settings, request, Recorder())
        assert [copy.proof for copy in in_s3.copies] == [Proof.COMPLETE]

    def test_other_bytes_are_damaged_for_everybody(
        self, settings: Settings, with_key: Settings, result: BackupResult
    ) -> None:
        path = Path(result.paths[0])
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        for one in (settings, with_key):
            with pytest.raises(VerifyError, match="damaged"):
                verify(one, path, report=Recorder())
            [item] = known(settings).values()
            assert item is not None
            assert item.proof is Proof.DAMAGED

    def test_the_key_of_somebody_else_proves_no_more_than_none(
        self, settings: Settings, result: BackupResult, tmp_path: Path, recorder: Recorder
    ) -> None:
        forget(settings)
        foreign = opened_with(settings, tmp_path, Key())
        found = verify(foreign, Path(result.paths[0]), report=recorder)
        assert [copy.proof for copy in found.copies] == [Proof.INTACT]
        assert "encrypted to others" in recorder.text

    def test_without_key_and_manifest_nothing_is_known(
        self, settings: Settings, result: BackupResult
    ) -> None:
        forget(settings)
        path = Path(result.paths[0])
        path.with_name(path.name + MANIFEST_SUFFIX).unlink()
        with pytest.raises(VerifyError, match="could not be verified") as caught:
            verify(settings, path, report=Recorder())
        assert "no private key is set" in str(caught.value)
        assert list(known(settings).values()) == [None]

    def test_one_that_somebody_encrypted_by_hand(
        self, with_key: Settings, postgres16: PostgresServer, rich: str
    ) -> None:
        gz = subprocess.run(
            ["gzip", "-9"], input=plain_dump(postgres16, rich), capture_output=True, check=True
        ).stdout
        path = with_key.backup_dir / "daily" / f"{rich}_daily_20260110_020000.sql.gz.age"
        path.parent.mkdir()
        path.write_bytes(encrypt(gz, KEY))
        verify(with_key, path, report=Recorder())
        [backup] = local_backups(with_key).backups
        manifest = load_manifest(with_key, backup)
        assert manifest is not None
        assert manifest.encryption is not None
        assert manifest.encryption.recipients == ()
        assert manifest.gzip_bytes == len(gz)
        verify(with_key, path, report=Recorder())
        assert open_backup(with_key, backup).problem is None


class TestLookingInside:
    @pytest.mark.parametrize("place", Place)
    def test_a_table_reads_a_part_of_the_file(
        self, with_key: Settings, result: BackupResult, place: Place
    ) -> None:
        listing = local_backups(with_key) if place is Place.LOCAL else s3_backups(with_key)
        [backup] = listing.backups
        opened = open_backup(with_key, backup)
        assert opened.manifest is not None
        look = Look(open_source(with_key, backup), opened.manifest)
        page = look.page(find_table(opened.tables, "public.users").section, 2998, 100)
        assert [row[0].text for row in page.rows if row[0] is not None] == ["2999", "3000"]
        assert look.source.bytes_read < result.compressed_bytes / 4
        assert any(one.name == "looks_like_copy()" for one in look.objects())

    def test_a_table_is_exported(
        self, with_key: Settings, result: BackupResult, tmp_path: Path
    ) -> None:
        [backup] = s3_backups(with_key).backups
        path = tmp_path / "users.csv"
        done = run_export(with_key, ExportRequest(backup, "public.bytes", path), Recorder())
        assert done.rows == 500

    def test_what_lies_open_is_shown_without_a_key(
        self, settings: Settings, result: BackupResult
    ) -> None:
        [backup] = local_backups(settings).backups
        opened = open_backup(settings, backup)
        assert sum(table.rows for table in opened.tables) == result.rows
        with pytest.raises(SealedError, match="no private key is set") as caught:
            open_source(settings, backup)
        assert caught.value.exit_code == 2


class TestRestore:
    @pytest.fixture
    def target(self, postgres16: PostgresServer) -> Iterator[str]:
        create_database(postgres16, "sealed_target", "CREATE TABLE users (mine int)")
        yield "sealed_target"
        drop_database(postgres16, "sealed_target")

    @pytest.mark.parametrize("place", [Place.LOCAL, pytest.param(Place.S3, marks=pytest.mark.slow)])
    def test_it_comes_back(
        self, with_key: Settings, result: BackupResult, place: Place, target: str,
        postgres16: PostgresServer, rich: str,
    ) -> None:  # fmt: skip
        before = state(postgres16, target)
        source = result.paths[0] if place is Place.LOCAL else result.keys[0]
        done = restore(with_key, source, target, place=place)
        assert state(postgres16, target) == state(postgres16, rich)
        safety = Path(done.safety_backup)
        assert safety.name.endswith(".sql.gz.age")
        gz = KEY.decrypt(safety.read_bytes())
        sql = subprocess.run(["zcat"], input=gz, capture_output=True, check=True).stdout
        assert without_keys(sql) == before
        create_database(postgres16, "sealed_again")
        try:
            restore(with_key, safety, "sealed_again")
            assert state(postgres16, "sealed_again") == before
        finally:
            drop_database(postgres16, "sealed_again")

    @pytest.mark.parametrize("place", Place)
    @pytest.mark.parametrize("key", [None, Key()], ids=["no key", "another's key"])
    def test_without_the_key_nothing_is_begun(
        self, settings: Settings, result: BackupResult, place: Place, key: Key | None,
        target: str, postgres16: PostgresServer, tmp_path: Path,
    ) -> None:  # fmt: skip
        if key is not None:
            settings = opened_with(settings, tmp_path, key)
        before = state(postgres16, target)
        source = result.paths[0] if place is Place.LOCAL else result.keys[0]
        with pytest.raises(SealedError) as caught:
            restore(settings, source, target, place=place)
        assert "BACKUP_AGE_IDENTITY_FILE" in str(caught.value)
        assert caught.value.exit_code == 2
        assert state(postgres16, target) == before
        assert not list(settings.backup_dir.glob("restored/[!.]*"))
        assert not (settings.backup_dir / "safety").exists()
        [item] = known(settings).values()
        assert item is not None
        assert item.proof is Proof.COMPLETE  # nothing was found out about the backup

    def test_it_is_said_before_anybody_is_asked(
        self, settings: Settings, result: BackupResult
    ) -> None:
        copy = find_copy(settings, Place.LOCAL, result.paths[0])
        facts = gather(settings, copy, settings.pgdatabase, counting=0)
        [check] = [one for one in conclude(facts, SLOT).checks if one.name == "Copy"]
        assert check.outcome is Outcome.FAILED
        assert "no private key is set" in check.text

    def test_a_changed_byte_is_refused(
        self, with_key: Settings, result: BackupResult, target: str
    ) -> None:
        path = Path(result.paths[0])
        data = bytearray(path.read_bytes())
        data[-100] ^= 0x80
        path.write_bytes(data)
        with pytest.raises(DamagedError, match="encrypted file is damaged between"):
            restore(with_key, path, target)


class TestOtherWays:
    def test_upload_needs_no_key(self, settings: Settings, recorder: Recorder) -> None:
        local = settings.model_copy(update={"s3_bucket": ""})
        result = run_backup(local, BackupRequest("alice", SLOT), recorder)
        done = run_upload(settings, UploadRequest(result.name, "bob"), recorder)
        assert done.uploaded == (f"backups/daily/{result.name}",)
        [there] = s3_backups(settings).backups
        assert there.size == result.compressed_bytes
        found = run_verify(settings, VerifyRequest((), done.keys, "bob"), Recorder())
        assert found.copies[0].proof is Proof.COMPLETE

    def test_upload_of_changed_bytes_is_refused(self, settings: Settings) -> None:
        local = settings.model_copy(update={"s3_bucket": ""})
        result = run_backup(local, BackupRequest("alice", SLOT), Recorder())
        path = Path(result.paths[0])
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
        with pytest.raises(DamagedError, match="SHA-256"):
            run_upload(settings, UploadRequest(result.name, "bob"), Recorder())
        assert s3_backups(settings).backups == ()

    def test_retention_counts_them_like_all_others(self, settings: Settings) -> None:
        few = settings.model_copy(update={"retention_daily": 2})
        plain = few.model_copy(update={"age_recipients": ()})
        names = []
        for day, one in enumerate((few, plain, few, plain)):
            request = BackupRequest("alice", SLOT + timedelta(days=day + 1))
            names.append(run_backup(one, request, Recorder()).name)
        assert [one.name.filename for one in local_backups(settings).backups] == names[:1:-1]
        assert [name.endswith(".age") for name in names[2:]] == [True, False]

    def test_intact_alone_pushes_nothing_out(self, settings: Settings) -> None:
        few = settings.model_copy(update={"retention_daily": 1})
        keep = few.model_copy(update={"retention_daily": 0})
        for day in (1, 2):
            run_backup(keep, BackupRequest("alice", SLOT + timedelta(days=day)), Recorder())
        forget(few)
        paths = [Path(one.location) for one in local_backups(few).backups]
        verify(few, *paths, report=Recorder())
        assert {item and item.proof for item in known(few).values()} == {Proof.INTACT}
        assert make_plan(few, Place.LOCAL).delete == ()

    def test_a_token_is_of_the_encrypted_file(
        self, with_key: Settings, result: BackupResult
    ) -> None:
        path = Path(result.paths[0])
        one = find_copy(with_key, Place.LOCAL, str(path))
        other = replace(one, location=str(path.with_suffix("")))
        tokens = {confirm_restore(WORD, with_key, "x", copy) for copy in (one, other)}
        assert len(tokens) == 2

    def test_a_full_disk_leaves_nothing(
        self, settings: Settings, small_disk: Path, recorder: Recorder
    ) -> None:
        small = settings.model_copy(update={"backup_dir": small_disk, "s3_bucket": ""})
        with pytest.raises(PgconsoleError) as caught:
            run_backup(small, BackupRequest("alice", SLOT), recorder)
        assert "space" in str(caught.value).lower()
        assert [name for name in files_in(small) if name.startswith("daily")] == []


def test_latest_of_another_file_of_the_same_size_is_not_believed(
    settings: Settings, result: BackupResult
) -> None:
    """What was restored once is not what lies there now, if its bytes are others."""
    [backup] = local_backups(settings).backups
    proofs = read_evidence(settings)
    [(copy, [first])] = [item for item in proofs.items() if item[0].startswith("local:")]
    restored = replace(first, proof=Proof.RESTORED)
    intact = replace(first, proof=Proof.INTACT, sha256="0" * 64)
    assert latest({copy: [restored, first]}, settings, backup) is restored
    assert latest({copy: [restored, intact]}, settings, backup) is intact
