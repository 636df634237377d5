"""What the doctor says of keys, and of copies that only keys tell about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.dumps.aging import Key
from tests.status.conftest import Site
from tests.status.doctoring import FAILED, OK, WARNING, check_only, diagnose

from pgconsole.backups.evidence import Evidence, Proof, copy_id, record
from pgconsole.dumps.signature import new_signing_key
from pgconsole.settings import Settings
from pgconsole.status.gather import gather
from pgconsole.status.report import report_of
from pgconsole.status.verdict import State
from pgconsole.storage.local import LocalStorage

KEY, OTHER = Key(), Key()


@pytest.fixture
def identity(tmp_path: Path) -> str:
    (tmp_path / "identity").write_text(KEY.secret)
    return str(tmp_path / "identity")


def test_keys_that_fit(site: Site, identity: str, tmp_path: Path) -> None:
    (tmp_path / "signing").write_bytes(new_signing_key().pem())
    both = f"{OTHER.recipient} {KEY.recipient}"
    settings = site.settings(
        BACKUP_AGE_RECIPIENTS=both, BACKUP_AGE_IDENTITY_FILE=identity,
        BACKUP_SIGNING_KEY_FILE=str(tmp_path / "signing"), BACKUP_REQUIRE_SIGNATURE="true",
    )  # fmt: skip
    _, results = diagnose(settings)
    assert results["encryption"].state is results["signatures"].state is OK
    assert "encrypted to 2 keys; a private key that is here opens them" in (
        results["encryption"].found
    )
    assert "manifests are signed; 1 key trusted; unsigned ones" in results["signatures"].found
    _, results = diagnose(site.settings(BACKUP_AGE_RECIPIENTS=both))
    assert "no private key is here" in results["encryption"].found


def test_a_private_key_that_does_not_fit(site: Site, identity: str) -> None:
    settings = site.settings(
        BACKUP_AGE_RECIPIENTS=OTHER.recipient, BACKUP_AGE_IDENTITY_FILE=identity
    )
    found = check_only(settings, WARNING, "encryption", "don't open new backups")
    assert KEY.recipient in found.cause


def test_files_that_can_not_be_used(site: Site, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    check_only(
        site.settings(BACKUP_AGE_IDENTITY_FILE=missing), FAILED, "encryption", "can't be used"
    )
    _, results = diagnose(site.settings(BACKUP_SIGNING_KEY_FILE=missing))
    assert results["signatures"].state is FAILED
    assert missing in results["signatures"].found


@pytest.mark.parametrize(
    ("proof", "state", "words", "verdict"),
    [
        (Proof.ALTERED, FAILED, "1 backup altered", State.FAILED),
        (Proof.INTACT, WARNING, "1 backup of {all} encrypted and never looked into", State.UNKNOWN),
    ],
)
def test_copies_that_only_keys_tell_about(
    site: Site, proof: Proof, state: object, words: str, verdict: State
) -> None:
    settings = site.settings()
    note(settings, proof)
    _, results = diagnose(settings)
    assert results["verification"].state is state
    # On a Sunday or a 1st there is a copy in another class, too.
    there = len(LocalStorage(settings.backup_dir).listing().backups)
    assert words.format(all=there) in results["verification"].found
    report = report_of(gather(settings, datetime.now(UTC), ask_s3=False), datetime.now(UTC))
    assert report.verdict.state is verdict
    assert f"is {proof}" in report.verdict.text
    assert (f"1 backup known to be {proof}" in report.warnings) == proof.is_bad


def note(settings: Settings, proof: Proof) -> None:
    stored = LocalStorage(settings.backup_dir).listing().backups[0]
    record(
        settings,
        Evidence(
            copy_id(settings, stored), proof, datetime.now(UTC), "alice", 1, stored.size,
            stored.modified, problem="its signature does not fit",
        ),
    )  # fmt: skip
