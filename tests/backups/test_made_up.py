"""A process that dies between the daily and the weekly name: the next backup makes it up."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in
from tests.conftest import MakeSettings

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings

SLOT = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)  # a Sunday and a 1st
FIRST, SECOND = BackupRequest("alice", slot=SLOT), BackupRequest("alice", SLOT + timedelta(days=1))
CLASSES = ("daily", "weekly", "monthly")


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A small database."""
    return make_settings(postgres16, database)


def names(settings: Settings, stamp: str = "20260201") -> list[str]:
    """The classes that a day's backup is in."""
    return [name.split("/")[0] for name in files_in(settings) if name.endswith("sql.gz")
            and stamp in name]  # fmt: skip


def killed_at(settings: Settings, link: int) -> int:
    """Take a backup in a process that kills itself before the n-th hard link it makes."""
    pid = os.fork()
    if pid == 0:
        left = link

        def count(event: str, _: object) -> None:
            nonlocal left
            if event == "os.link":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(count)
            run_backup(settings, FIRST, lambda _: None)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("link", [3, 4, 5, 6])
def test_killed_between_two_classes(settings: Settings, link: int, recorder: Recorder):
    """Links 1 and 2 are the daily manifest and dump; 3 to 6 those of the other classes."""
    assert killed_at(settings, link) == -signal.SIGKILL
    assert len(names(settings)) in {1, 2}
    run_backup(settings, SECOND, recorder)
    assert sorted(names(settings)) == sorted(CLASSES)
    assert len(files_in(settings)) == 8
    assert "made up what the last backup did not get" in recorder.text
    daily, *others = (
        settings.backup_dir / name for name in files_in(settings) if "20260201" in name
        and name.endswith(".sql.gz")
    )  # fmt: skip
    assert all(daily.samefile(other) for other in others)


def test_nothing_is_made_up_for_older_backups(settings: Settings, recorder: Recorder):
    """There retention may have taken the name away."""
    run_backup(settings, FIRST, recorder)
    run_backup(settings, SECOND, recorder)
    for path in settings.backup_dir.glob("weekly/*"):
        path.unlink()
    run_backup(settings, BackupRequest("alice", SLOT + timedelta(days=2)), recorder)
    assert sorted(names(settings)) == ["daily", "monthly"]


def test_a_failure_does_not_keep_the_next_backup_from_running(
    settings: Settings, recorder: Recorder
):
    assert killed_at(settings, 3) == -signal.SIGKILL
    (manifest,) = settings.backup_dir.glob("daily/*.manifest.json")
    Path(manifest).write_text("no manifest")
    run_backup(settings, SECOND, recorder)
    assert names(settings) == ["daily"]
    assert names(settings, "20260202") == ["daily"]
    assert "the last backup lacks a class" in recorder.warnings()[0]
