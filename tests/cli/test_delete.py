"""`delete` and `download`, end to end: real program, real files, real S3."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.backups.shelf import guide_dump, keys, local_names, look_at_all, name_of, put, put_s3
from tests.cli.program import run
from tests.cli.test_prune import answer, audit
from tests.conftest import MakeSettings

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e

OLD, NEW = name_of(1), name_of(0)


@pytest.fixture
def dump(postgres16: PostgresServer, database: str, tmp_path: Path) -> bytes:
    return guide_dump(postgres16, database, tmp_path)


@pytest.fixture
def settings(make_settings: MakeSettings, s3: S3Server, s3_bucket: str, dump: bytes) -> Settings:
    """Two verified daily backups, and a third of which nothing is known in S3."""
    settings = make_settings(database="app", **s3.environment(s3_bucket))
    put(settings, OLD, dump)
    put(settings, NEW, dump)
    look_at_all(settings)
    put_s3(settings, name_of(2), dump)
    return settings


def test_a_dry_run_says_what_may_go(settings: Settings) -> None:
    done = run(settings, "delete", "--dry-run", OLD.filename, "--s3", name_of(2).filename)
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["delete", "local"], ["delete", "s3"],
    ]  # fmt: skip
    assert f"{NEW.filename} stays here, proven complete" in done.stdout
    done = run(settings, "delete", "--dry-run", OLD.filename, NEW.filename)
    assert done.returncode == 1
    assert "2 of 2 must stay" in done.stderr
    assert local_names(settings) == {OLD, NEW}


def test_yes_is_needed(settings: Settings) -> None:
    done = run(settings, "delete", OLD.filename)
    assert done.returncode == 2
    assert "'' was typed, not 'yes'" in done.stderr
    assert answer(settings, "y", "delete", OLD.filename)[0] == 2
    assert local_names(settings) == {OLD, NEW}
    code, output = answer(settings, "yes", "delete", OLD.filename)
    assert code == 0, output
    assert local_names(settings) == {NEW}
    assert "start delete" in [action for action, _ in audit(settings)]


def test_deleted_here_and_in_s3(settings: Settings) -> None:
    done = run(settings, "delete", "--yes", OLD.filename, "--s3", name_of(2).filename)
    assert done.returncode == 0, done.stderr
    assert local_names(settings) == {NEW}
    assert keys(settings) == set()


@pytest.mark.parametrize("command", ["delete", "download"])
def test_refused_where_only_reading_is_wanted(settings: Settings, command: str) -> None:
    done = run(settings, "--read-only", command, OLD.filename)
    assert done.returncode == 2
    assert "read-only" in done.stderr
    assert local_names(settings) == {OLD, NEW}


def test_download_prints_the_path(settings: Settings, dump: bytes) -> None:
    done = run(settings, "download", name_of(2).filename)
    assert done.returncode == 0, done.stderr
    path = settings.backup_dir / "restored" / name_of(2).filename
    assert done.stdout.splitlines() == [str(path)]
    assert path.read_bytes() == dump
    done = run(settings, "download", "no-such.sql.gz")
    assert done.returncode == 2
    assert "no-such.sql.gz" in done.stderr
