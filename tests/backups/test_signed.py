"""What somebody has changed on purpose is called altered and never restored; rot is damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.backups.attacks import (
    ATTACKS,
    beside,
    edit,
    remove_manifest,
    replay,
    sign_with_another_key,
    strip_and_change,
)
from tests.backups.helpers import Recorder
from tests.backups.restoring import restore, state
from tests.backups.verifying import forget, known, verify
from tests.conftest import MakeSettings, create_database, drop_database
from tests.dumps.aging import Key
from tests.guide import guide_backup

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups, s3_backups
from pgconsole.backups.evidence import Proof
from pgconsole.backups.opened import open_backup
from pgconsole.backups.prune import make_plan
from pgconsole.backups.trust import stored_whole
from pgconsole.backups.upload import UploadRequest, run_upload
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass
from pgconsole.dumps.signature import new_signing_key, read_signing_key
from pgconsole.errors import (
    AlteredError,
    ConfigurationError,
    DamagedError,
    PreflightError,
    VerifyError,
)
from pgconsole.settings import Settings
from pgconsole.status.gather import gather
from pgconsole.status.status import judge
from pgconsole.status.verdict import State
from pgconsole.storage.base import Place
from pgconsole.storage.s3 import S3Storage

SLOT = datetime(2026, 2, 3, 2, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 2, 8, 2, 0, tzinfo=UTC)
KEY = Key()


@pytest.fixture(params=["plain", pytest.param("encrypted", marks=pytest.mark.slow)])
def settings(
    request: pytest.FixtureRequest, postgres16: PostgresServer, database: str,
    make_settings: MakeSettings, s3_variables: dict[str, str], tmp_path: Path,
) -> Settings:  # fmt: skip
    """Of the host that takes backups, signs them, and can read them."""
    variables = s3_variables | {"BACKUP_SIGNING_KEY_FILE": new_key(tmp_path / "signing")}
    if request.param == "encrypted":
        (tmp_path / "identity").write_text(KEY.secret)
        variables |= {
            "BACKUP_AGE_RECIPIENTS": KEY.recipient,
            "BACKUP_AGE_IDENTITY_FILE": str(tmp_path / "identity"),
        }
    return make_settings(postgres16, database, **variables)


@pytest.fixture
def target(postgres16: PostgresServer) -> Iterator[str]:
    create_database(postgres16, "signed_target", "CREATE TABLE mine (id int)")
    yield "signed_target"
    drop_database(postgres16, "signed_target")


def new_key(path: Path) -> str:
    path.write_bytes(new_signing_key().pem())
    return str(path)


def backup(settings: Settings, slot: datetime = SLOT) -> Path:
    return Path(run_backup(settings, BackupRequest("alice", slot), Recorder()).paths[0])


def proof_of(settings: Settings, path: Path) -> Proof | None:
    """What verifying finds, and what is known then."""
    with suppress(VerifyError):
        verify(settings, path, report=Recorder())
    return known_of(settings, path)


def known_of(settings: Settings, path: Path) -> Proof | None:
    found = known(settings)[f"{path.parent.name}/{path.name}"]
    return found and found.proof


attacks = pytest.mark.parametrize(
    ("attack", "expected"), ATTACKS.items(), ids=[attack.__name__ for attack in ATTACKS]
)


class TestAttacks:
    @attacks
    def test_verify_tells_what_it_was_and_restore_refuses(
        self, settings: Settings, attack: Callable[[Path], None], expected: Proof, target: str,
        postgres16: PostgresServer, database: str,
    ) -> None:  # fmt: skip
        backup(settings, SLOT - timedelta(days=1))
        with postgres16.connect(database) as connection:
            connection.execute("UPDATE users SET name = 'x' || name")
        path = backup(settings)
        attack(path)
        before = state(postgres16, target)
        with pytest.raises(DamagedError) as caught:
            restore(settings, path, target)
        assert isinstance(caught.value, AlteredError) == (expected is Proof.ALTERED)
        assert caught.value.exit_code == 1
        assert state(postgres16, target) == before
        assert known_of(settings, path) is expected

        assert proof_of(settings, path) is expected
        assert make_plan(settings, Place.LOCAL).delete == ()
        verdict = judge(gather(settings, SLOT + timedelta(hours=1), ask_s3=False), SLOT)
        assert verdict.state is State.FAILED
        assert f"is {expected}" in verdict.text
        if expected is Proof.ALTERED:  # whatever lies there is kept as it is, for whoever looks
            assert not beside(path).exists() or beside(path).read_bytes() != b""
            assert attack is not remove_manifest or not beside(path).exists()

    @pytest.mark.slow
    @pytest.mark.parametrize("settings", ["plain"], indirect=True)
    @attacks
    def test_it_is_not_spread(
        self, settings: Settings, attack: Callable[[Path], None], expected: Proof
    ) -> None:
        local = settings.model_copy(update={"s3_bucket": ""})
        backup(local, SLOT - timedelta(days=1))
        path = backup(local)
        attack(path)
        with pytest.raises(DamagedError):
            run_upload(settings, UploadRequest(path.name, "bob"), Recorder())
        assert s3_backups(settings).backups == ()

    @pytest.mark.slow
    @pytest.mark.parametrize("settings", ["plain"], indirect=True)
    @pytest.mark.parametrize("place", Place)
    @pytest.mark.parametrize("attack", [replay, strip_and_change, sign_with_another_key])
    def test_nor_is_it_believed_where_nothing_is_known_of_it(
        self, settings: Settings, attack: Callable[[Path], None], place: Place, target: str,
    ) -> None:  # fmt: skip
        """On the host that restores: public key and bucket are all it has."""
        backup(settings, SLOT - timedelta(days=1))
        path = backup(settings)
        attack(path)
        restorer = restoring_host(settings)
        location = str(path)
        if place is Place.S3:
            [newest, _] = s3_backups(settings).backups
            location = newest.location
            put(settings, location, path)
        with pytest.raises(AlteredError):
            restore(restorer, location, target, place=place)
        if place is Place.S3:
            request = VerifyRequest((), (location,), "bob")
            with pytest.raises(VerifyError, match="is altered"):
                run_verify(restorer, request, Recorder())
            [newest, _] = s3_backups(settings).backups
            assert not stored_whole(restorer, S3Storage(restorer), newest)


def restoring_host(settings: Settings) -> Settings:
    """It holds the public key and no evidence, and takes nothing that is not signed."""
    assert settings.signing_key_file is not None
    public = read_signing_key(settings.signing_key_file).public
    forget(settings)
    return settings.model_copy(
        update={"signing_key_file": None, "trusted_keys": (public,), "require_signature": True}
    )


def client_of(settings: Settings) -> Any:
    return boto3.client(
        "s3", endpoint_url=settings.s3_endpoint_url, region_name=settings.aws_default_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )  # fmt: skip


def put(settings: Settings, key: str, path: Path) -> None:
    """Write a pair into the bucket as somebody with its credentials can."""
    client = client_of(settings)
    client.upload_file(str(path), settings.s3_bucket, key)
    client.upload_file(str(beside(path)), settings.s3_bucket, key + MANIFEST_SUFFIX)


class TestGoodOnes:
    def test_every_manifest_is_signed_and_all_goes_on(
        self, settings: Settings, target: str, postgres16: PostgresServer, database: str
    ) -> None:
        path = backup(settings, SUNDAY)
        listings = local_backups(settings), s3_backups(settings)
        manifests = [load_manifest(settings, one) for found in listings for one in found.backups]
        assert len(manifests) == 4  # daily and weekly, here and there
        assert len({one and one.signature and one.signature.value for one in manifests}) == 1
        weekly = settings.backup_dir / "weekly" / path.name.replace("daily", "weekly")
        forget(settings)
        verify(settings, path, weekly, report=Recorder())
        found = known(settings)
        assert {one and one.proof for one in found.values()} == {Proof.COMPLETE}
        assert len({one and one.signed for one in found.values()}) == 1
        request = VerifyRequest((), tuple(one.location for one in listings[1].backups), "bob")
        run_verify(settings, request, Recorder())

        restorer = restoring_host(settings)
        recorder = Recorder()
        done = restore(restorer, str(path), target, recorder)
        assert state(postgres16, target)[-500:] == state(postgres16, database)[-500:]
        assert "a trusted key" in recorder.text
        assert known_of(restorer, path) is Proof.RESTORED
        # The safety backup is of a host that does not sign: there it does not count.
        with pytest.raises(AlteredError, match="Nobody vouches"):
            restore(restorer, done.safety_backup, target)
        from_s3 = listings[1].backups[0].location
        restore(restorer, from_s3, target, place=Place.S3)
        downloaded = settings.backup_dir / "restored" / from_s3.rpartition("/")[2]
        restore(restorer, downloaded, target)

    def test_a_safety_backup_is_signed_and_bound_to_its_name(
        self, settings: Settings, target: str
    ) -> None:
        path = backup(settings)
        safety = Path(restore(settings, path, target).safety_backup)
        strict = settings.model_copy(update={"require_signature": True})
        restore(strict, safety, target)
        later = safety.with_name(safety.name.replace("pre_restore_2", "pre_restore_3"))
        shutil.copy(safety, later)
        shutil.copy(beside(safety), beside(later))
        with pytest.raises(AlteredError, match="is of another backup"):
            restore(strict, later, target)

    def test_a_class_that_was_made_up_has_the_signature(self, settings: Settings) -> None:
        path = backup(settings, SUNDAY)
        weekly = settings.backup_dir / "weekly" / path.name.replace("daily", "weekly")
        weekly.unlink()
        beside(weekly).unlink()
        backup(settings, SUNDAY + timedelta(days=1))
        assert proof_of(settings, weekly) is Proof.COMPLETE

    def test_a_missing_manifest_of_a_hard_link_is_put_back(self, settings: Settings) -> None:
        path = backup(settings, SUNDAY)
        weekly = settings.backup_dir / "weekly" / path.name.replace("daily", "weekly")
        assert weekly.samefile(path)
        beside(weekly).unlink()
        assert proof_of(settings, weekly) is Proof.COMPLETE
        assert beside(weekly).read_bytes() == beside(path).read_bytes()

    def test_an_altered_manifest_of_a_hard_link_condemns_that_name_alone(
        self, settings: Settings
    ) -> None:
        path = backup(settings, SUNDAY)
        weekly = settings.backup_dir / "weekly" / path.name.replace("daily", "weekly")
        other = beside(weekly).read_bytes().replace(b'"actor":"alice"', b'"actor":"mallory"')
        beside(weekly).unlink()
        beside(weekly).write_bytes(other)
        assert proof_of(settings, path) is Proof.COMPLETE
        assert proof_of(settings, weekly) is Proof.ALTERED
        assert proof_of(settings, path) is Proof.COMPLETE

    def test_an_upload_that_can_not_vouch_signs_that(self, settings: Settings) -> None:
        """An object that is there already: its manifest must not say that it was verified."""
        local = settings.model_copy(update={"s3_bucket": ""})
        path = backup(local)
        key = f"backups/daily/{path.name}"
        put(settings, key, path)
        client_of(settings).delete_object(Bucket=settings.s3_bucket, Key=key + MANIFEST_SUFFIX)
        run_upload(settings, UploadRequest(path.name, "bob"), Recorder())
        [there] = s3_backups(settings).backups
        manifest = load_manifest(settings, there)
        assert manifest is not None
        assert manifest.verified_at is None
        assert manifest.signature is not None
        assert not stored_whole(settings, S3Storage(settings), there)
        run_verify(settings, VerifyRequest((), (key,), "bob"), Recorder())


class TestKeys:
    def test_old_backups_are_unsigned_not_altered(
        self, settings: Settings, postgres16: PostgresServer, database: str, target: str
    ) -> None:
        without = settings.model_copy(update={"signing_key_file": None})
        path = backup(without)
        old = guide_backup(postgres16, database, settings.backup_dir, SLOT - timedelta(days=30))
        for one in (path, old):
            assert proof_of(settings, one) is Proof.COMPLETE
            restore(settings, one, target)
        [newest, older] = local_backups(settings).backups
        assert open_backup(settings, newest).signature == "not signed"
        # Who only looked at it does not vouch for where it came from.
        manifest = load_manifest(settings, older)
        assert manifest is not None
        assert manifest.signature is None

    def test_what_has_to_be_signed_is_altered_without(
        self, settings: Settings, target: str
    ) -> None:
        path = backup(settings.model_copy(update={"signing_key_file": None}))
        strict = settings.model_copy(update={"require_signature": True})
        with pytest.raises(AlteredError, match="BACKUP_REQUIRE_SIGNATURE"):
            restore(strict, path, target)
        assert proof_of(strict, path) is Proof.ALTERED
        assert proof_of(settings, path) is Proof.COMPLETE

    def test_keys_are_rotated(self, settings: Settings, tmp_path: Path) -> None:
        old = backup(settings, SLOT - timedelta(days=1))
        strict = restoring_host(settings)
        rotated = strict.model_copy(update={"signing_key_file": Path(new_key(tmp_path / "next"))})
        new = backup(rotated)
        for path in (old, new):  # both keys count
            assert proof_of(rotated, path) is Proof.COMPLETE
        only_new = rotated.model_copy(update={"trusted_keys": ()})
        assert proof_of(only_new, old) is Proof.ALTERED
        assert proof_of(only_new, new) is Proof.COMPLETE
        assert proof_of(rotated, old) is Proof.COMPLETE  # nothing is held against it for ever

    def test_without_keys_signatures_are_not_looked_at(
        self, settings: Settings, target: str
    ) -> None:
        path = backup(settings)
        nobody = settings.model_copy(update={"signing_key_file": None})
        edit(path, host="elsewhere")
        assert proof_of(nobody, path) is Proof.COMPLETE
        restore(nobody, path, target)
        assert (
            "no key is trusted here"
            in open_backup(nobody, local_backups(nobody).backups[0]).signature
        )

    def test_a_key_that_can_not_be_used_stops_a_backup_before_it_begins(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        broken = settings.model_copy(update={"signing_key_file": tmp_path / "none"})
        for _ in range(2):  # also where one is there whose signature would be checked
            with pytest.raises(PreflightError, match="Signing key"):
                backup(broken)
            backup(settings)
        with pytest.raises(ConfigurationError, match="Signing key"):
            verify(broken, backup(settings, SUNDAY), report=Recorder())

    def test_damage_of_a_manifest_is_no_excuse(self, settings: Settings) -> None:
        path = backup(settings)
        beside(path).write_bytes(b"{}")
        assert proof_of(settings, path) is Proof.ALTERED
        assert beside(path).read_bytes() == b"{}"  # nothing is signed, nothing is covered up


def test_every_class_of_a_manifest_is_of_its_name(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(
        postgres16, database, BACKUP_SIGNING_KEY_FILE=new_key(tmp_path / "signing")
    )
    path = backup(settings)
    for name in (
        path.name.replace("daily", "monthly"),
        path.name.replace("20260203", "20260204"),
        f"other_{path.name}",
    ):
        cls = next(one for one in BackupClass if f"_{one}_" in name)
        copy = settings.backup_dir / cls / name
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
        shutil.copy(beside(path), beside(copy))
        assert proof_of(settings, copy) is Proof.ALTERED, name
