"""`pgconsole verify` and what `pgconsole list` says of it: real program, backups of the guide."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from tests.cli.program import run
from tests.conftest import MakeSettings
from tests.guide import guide_backup

from pgconsole.backups.catalog import local_backups
from pgconsole.backups.evidence import Evidence, Proof, copy_id, record
from pgconsole.backups.pins import pin
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.dumps.naming import BackupClass, parse_name
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e
AT = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    return make_settings(postgres16, database)


@pytest.fixture
def olds(settings: Settings, postgres16: PostgresServer) -> list[Path]:
    """Three backups of the old scripts, the newest first; one of them a weekly one."""
    classes = (BackupClass.DAILY, BackupClass.WEEKLY, BackupClass.DAILY)
    return [
        guide_backup(
            postgres16, settings.pgdatabase, settings.backup_dir, AT - timedelta(days=day), one
        )
        for day, one in enumerate(classes)
    ]


def fields(stdout: str) -> list[list[str]]:
    return [line.split("\t") for line in stdout.splitlines()]


def states(settings: Settings, *arguments: str, **more: str) -> dict[str, str]:
    listed = run(settings, "list", "--json", *arguments, **more)
    assert listed.returncode == 0, listed.stderr
    return {entry["name"]: entry["state"] for entry in json.loads(listed.stdout)}


def test_backups_by_name_class_and_path(
    settings: Settings, olds: list[Path], monkeypatch: pytest.MonkeyPatch
):
    assert set(states(settings).values()) == {"listed"}
    monkeypatch.chdir(olds[2].parent.parent)
    given = [olds[0].name, f"weekly/{olds[1].name}", f"./daily/../daily/{olds[2].name}"]
    done = run(settings, "verify", *given)
    assert done.returncode == 0, done.stderr
    assert [(path, proof, rows) for path, proof, rows, _ in fields(done.stdout)] == [
        (str(path), "complete", "1000") for path in olds
    ]
    assert all(float(seconds) >= 0 for *_, seconds in fields(done.stdout))
    assert states(settings) == {path.name: "complete" for path in olds}
    again = run(settings, "verify", "--all")  # against the manifests, now that there are some
    assert again.returncode == 0, again.stderr
    assert "wrote a manifest" in done.stderr
    assert "wrote a manifest" not in again.stderr


def test_a_copy_that_was_restored_stays_that_when_it_is_verified(
    settings: Settings, olds: list[Path]
):
    copy = next(one for one in local_backups(settings).backups if one.location == str(olds[0]))
    at = datetime.now(UTC) - timedelta(days=3)
    record(
        settings,
        Evidence(
            copy_id(settings, copy), Proof.RESTORED, at, "alice", 1.5, copy.size, copy.modified
        ),
    )
    assert run(settings, "verify", "--latest").returncode == 0
    first = run(settings, "list").stdout.splitlines()[0]
    assert "restored 3 days ago, verified " in first
    entry = json.loads(run(settings, "list", "--json").stdout)[0]
    assert (entry["state"], entry["evidence"]["at"]) == ("restored", at.isoformat())
    assert entry["verified_at"] > entry["evidence"]["at"]


def test_the_list_shows_proofs_with_their_age_and_pins(settings: Settings, olds: list[Path]):
    assert run(settings, "verify", "--latest").returncode == 0
    olds[1].write_bytes(olds[1].read_bytes()[:-20])
    damaged = run(settings, "verify", str(olds[1]))
    assert damaged.returncode == 1
    assert fields(damaged.stdout)[0][:3] == [str(olds[1]), "damaged", "-"]
    assert f"{olds[1]} is damaged" in damaged.stderr
    name = parse_name(olds[2].name)
    assert name is not None
    pin(settings, name, "before the migration", "alice")
    listed = run(settings, "list")
    first, second, third = listed.stdout.splitlines()
    assert first.startswith(olds[0].name)
    assert " complete " in first
    assert "second" in first.split("complete")[1] or "now" in first.split("complete")[1]
    assert " damaged " in second
    assert third.endswith("listed  pinned: before the migration")
    entries = json.loads(run(settings, "list", "--json").stdout)
    assert entries[0]["evidence"]["proof"] == "complete"
    assert len(entries[0]["evidence"]["sha256"]) == 64
    assert "damaged" in entries[1]["evidence"]["problem"]
    assert entries[2]["evidence"] is None
    assert entries[2]["pin"]["note"] == "before the migration"
    assert entries[0]["verified_at"] == entries[0]["evidence"]["at"]
    assert entries[2]["verified_at"] is None
    (settings.state_dir / "evidence.jsonl").unlink()
    (settings.state_dir / "evidence.jsonl").mkdir()
    (settings.state_dir / "pins.json").write_text("?")
    blind = run(settings, "list")
    assert blind.returncode == 0
    assert "complete" not in blind.stdout
    assert "what was proven of the backups is unknown" in blind.stderr
    assert "which backups are pinned is unknown" in blind.stderr


def test_copies_in_s3(settings: Settings, olds: list[Path], s3: S3Server, s3_bucket: str):
    """As `aws s3 cp` of the old scripts put them there."""
    with_s3 = s3.environment(s3_bucket)
    client = boto3.client(
        "s3", endpoint_url=s3.endpoint, aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key, region_name="us-east-1",
    )  # fmt: skip
    keys = [f"backups/{path.parent.name}/{path.name}" for path in olds]
    for path, key in zip(olds, keys, strict=True):
        client.upload_file(str(path), s3_bucket, key)
    assert set(states(settings, "--s3", **with_s3).values()) == {"listed"}
    done = run(settings, "verify", olds[2].name, "--s3", keys[0], "--s3", olds[1].name, **with_s3)
    assert done.returncode == 0, done.stderr
    assert [(where, proof) for where, proof, *_ in fields(done.stdout)] == [
        (str(olds[2]), "complete"),
        (f"s3://{s3_bucket}/{keys[0]}", "complete"),
        (f"s3://{s3_bucket}/{keys[1]}", "complete"),
    ]
    assert states(settings, "--s3", **with_s3) == {
        olds[0].name: "complete", olds[1].name: "complete", olds[2].name: "listed",
    }  # fmt: skip
    assert states(settings)[olds[0].name] == "listed"  # each copy for itself

    missing = run(settings, "verify", "--s3", keys[0].replace("_020000", "_030000"), **with_s3)
    assert missing.returncode == 2
    assert "_030000" in missing.stderr
    down = {**with_s3, "S3_ENDPOINT_URL": "http://127.0.0.1:9"}
    unknown = run(settings, "verify", olds[0].name, "--s3", keys[0], **down)
    assert unknown.returncode == 1
    assert [proof for _, proof, *_ in fields(unknown.stdout)] == ["complete", "unknown"]


def test_files_elsewhere_and_other_roads_to_the_same_file(
    settings: Settings, olds: list[Path], tmp_path: Path
):
    safety = settings.backup_dir / "safety" / "pre_restore_20260225_030000.sql.gz"
    safety.parent.mkdir()
    shutil.copy(olds[0], safety)
    (tmp_path / "link").symlink_to(settings.backup_dir)
    road = tmp_path / "link" / "daily" / olds[0].name
    done = run(settings, "verify", str(safety), str(road))
    assert done.returncode == 0, done.stderr
    assert [where for where, *_ in fields(done.stdout)] == [str(safety), str(olds[0])]
    assert states(settings)[olds[0].name] == "complete"
    assert len(list(safety.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "There is nothing to verify"),
        (["no_daily_20260225_020000.sql.gz"], "'no_daily_20260225_020000.sql.gz'"),
        (["/nowhere/x.sql.gz"], "'/nowhere/x.sql.gz'"),
        (["daily"], "'daily'"),
        (["--latest"], "There is no backup of"),
        (["--all"], "There is no backup in"),
        (["--s3", "x.sql.gz"], "'x.sql.gz'"),
        (["--s3", "backups/daily/app_daily_20260225_020000.sql.gz"], "S3 is not set up"),
    ],
    ids=str,
)
def test_what_matches_nothing_is_named_and_nothing_is_tried(
    settings: Settings, arguments: list[str], says: str
):
    (settings.backup_dir / "daily").mkdir()
    done = run(settings, "verify", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""
    assert not settings.state_dir.exists()
