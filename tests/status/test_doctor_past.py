"""What backups and jobs leave behind, and what hangs, as the doctor sees it."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.status.conftest import DATABASE, Site
from tests.status.doctoring import FAILED, OK, UNKNOWN, WARNING, check_only, diagnose
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.backups import evidence as evidence_module
from pgconsole.backups.evidence import Evidence, Proof, copy_id, record
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.settings import Settings
from pgconsole.status import doctor as doctor_module
from pgconsole.status import gather as gather_module
from pgconsole.status.gather import gather
from pgconsole.status.report import report_of
from pgconsole.status.status import judge
from pgconsole.status.verdict import State
from pgconsole.storage.local import LocalStorage
from pgconsole.storage.s3 import S3Storage


def add_backup(settings: Settings, taken_at: datetime, *, proven: bool) -> Path:
    """Another backup, as the shell scripts would have made it."""
    name = BackupName(DATABASE, taken_at, BackupClass.DAILY)
    (newest,) = settings.backup_dir.glob("daily/*.sql.gz")
    path = settings.backup_dir / name.relative_path
    shutil.copyfile(newest, path)
    listed = LocalStorage(settings.backup_dir).listing().backups
    (stored,) = (backup for backup in listed if backup.name == name)
    if proven:
        at = datetime.now(UTC)
        copy = copy_id(settings, stored)
        record(
            settings,
            Evidence(copy, Proof.COMPLETE, at, "alice", 1, stored.size, stored.modified),
        )
    return path


def test_old_backups_that_nobody_pruned(site: Site) -> None:
    settings = site.settings(RETENTION_DAILY="1")
    add_backup(settings, _now() - timedelta(minutes=1), proven=True)
    words = "Old backups not pruned: 1 are more than RETENTION_* wants"
    check_only(settings, WARNING, "retention", words)


def test_the_last_verify_is_the_last_look_also_at_a_copy_that_was_restored(site: Site) -> None:
    settings, now = site.settings(), _now()
    newest = LocalStorage(settings.backup_dir).listing().backups[0]
    for proof, minutes in ((Proof.RESTORED, 5), (Proof.COMPLETE, 9)):
        at = now + timedelta(minutes=minutes)
        copy = copy_id(settings, newest)
        record(settings, Evidence(copy, proof, at, "alice", 1, newest.size, newest.modified))
    facts = gather(settings, now)
    assert facts.local.value is not None
    assert facts.local.value.proof(newest) is Proof.RESTORED
    found = report_of(facts, now).last_proof
    assert found is not None
    assert (found.proof, found.at) == (Proof.COMPLETE, now + timedelta(minutes=9))


def test_files_of_the_old_scripts(site: Site) -> None:
    path = add_backup(site.settings(), _some_time(), proven=False)
    words = f"never verified: daily/{path.name}"
    found = check_only(site.settings(), WARNING, "verification", words)
    assert found.fix == "pgconsole verify --all"


def test_backup_that_was_killed(site: Site, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir(mode=0o700)
    settings = site.settings(BACKUP_DIR=str(tmp_path / "new"))
    with blocked_dump(site.server, DATABASE):
        job = jobs.start(settings, "backup", {}, "alice")
        wait_for_dump(site.server, DATABASE)
        state, text = judge_now(settings)
        assert state is State.UNKNOWN
        assert text.startswith("Unknown: no good backup yet; the first one is running")
        _, results = diagnose(settings)
        assert results["fresh backups"].state is UNKNOWN
        assert results["leftovers"].state is results["S3 leftovers"].state is OK
        pid = jobs.read_job(settings, job).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: jobs.read_job(settings, job).status.ended)
    state, text = judge_now(settings)
    assert state is State.FAILED
    assert "last attempt was interrupted" in text
    _, results = diagnose(settings)
    assert results["last backup"].state is FAILED
    assert "was interrupted" in results["last backup"].found
    assert results["leftovers"].state is WARNING
    assert results["S3 leftovers"].state is WARNING
    assert S3Storage(settings).abort_leftovers(DATABASE)


def judge_now(settings: Settings) -> tuple[State, str]:
    """The verdict, and its sentence."""
    now = datetime.now(UTC)
    verdict = judge(gather(settings, now), now)
    return verdict.state, verdict.text


def test_wal_that_is_not_archived(site: Site, open_directory: Path) -> None:
    options = ("archive_mode=on", "archive_command=exit 1")
    with PostgresServer(open_directory, options=options) as server:
        settings = site.settings(**server.environment, PGDATABASE="postgres")
        (settings.backup_dir / "wal").mkdir(mode=0o700)
        _, results = diagnose(settings)
        assert results["WAL archive"].state is OK
        with server.connect() as connection:
            connection.execute("SELECT pg_logical_emit_message(false, 'x', 'y'), pg_switch_wal()")
            count = "SELECT failed_count FROM pg_stat_archiver"
            wait_until(lambda: (connection.execute(count).fetchone() or (0,))[0])
        _, results = diagnose(settings)
    assert results["WAL archive"].state is FAILED
    assert "archiving 00000001" in results["WAL archive"].found


def test_disk_that_hangs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = site.settings()
    answers = threading.Event()

    def hang(*_: object) -> bytes:  # a network mount whose server is gone; none can be had here
        answers.wait(60)
        raise OSError(errno.EIO, "the disk is back, too late")

    monkeypatch.setattr(evidence_module, "read_whole", hang)
    monkeypatch.setattr(gather_module, "TIMEOUT", 1.0)
    monkeypatch.setattr(doctor_module, "_TIMEOUT", 3.0)
    try:
        state, text = judge_now(settings)
        assert state is State.UNKNOWN
        assert text.startswith("Unknown: The backup directory did not answer within")
        by_state, _ = diagnose(settings)
    finally:
        answers.set()
    assert FAILED not in by_state
    assert by_state[UNKNOWN] == ["fresh backups", "verification", "retention"]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _some_time() -> datetime:
    return datetime(2026, 2, 25, 2, tzinfo=UTC)
