"""Retention on real files: what goes is announced and goes whole; what must stay stays."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in
from tests.backups.shelf import (
    DAILY,
    MONTHLY,
    WEEKLY,
    fill,
    half_of,
    local_names,
    look_at,
    look_at_all,
    name_of,
    newest,
    put,
)
from tests.conftest import MakeSettings

from pgconsole.backups import pins
from pgconsole.backups.catalog import local_backups
from pgconsole.backups.evidence import evidence_path
from pgconsole.backups.locking import database_lock
from pgconsole.backups.prune import PHASE, PruneRequest, make_plan, run_prune
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import BusyError, StorageError
from pgconsole.report import Event
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.storage.local import LocalStorage

ALICE = PruneRequest("alice")


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """The guide's counts: 7, 4, 3."""
    return make_settings(database="app")


def damage(path: Path) -> None:
    """Flip a bit in the middle; the file is as long and as old as before."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


class TestFilesOfTheOldScripts:
    def test_they_are_pruned_once_enough_are_known_to_be_good(
        self, settings: Settings, old_dump: bytes, recorder: Recorder
    ):
        fill(settings, old_dump)
        result = run_prune(settings, ALICE, recorder)
        assert (result.deleted, result.kept, result.bytes_freed) == ((), 30, 0)
        assert "30 kept because they were never verified" in recorder.text
        assert "pgconsole verify --all" in recorder.text

        look_at_all(settings)
        recorder.events.clear()
        result = run_prune(settings, ALICE, recorder)
        assert local_names(settings) == newest(7, 4, 3)
        assert (len(result.deleted), result.kept) == (16, 14)
        assert result.bytes_freed == 16 * len(old_dump)
        announced = [text for text in recorder.text.splitlines() if text.startswith("to delete")]
        assert len(announced) == 16
        assert announced[0].endswith("(older than the 7 good daily backups that stay)")
        done = [text for text in recorder.text.splitlines() if text.startswith("deleted ")]
        assert {text.removeprefix("deleted ") for text in done} == set(result.deleted)
        assert all(event.phase == PHASE for event in recorder.events)

        assert run_prune(settings, ALICE, recorder).deleted == ()

    def test_a_valid_gzip_of_half_a_dump_pushes_out_nothing(
        self, settings: Settings, old_dump: bytes, recorder: Recorder
    ):
        half = half_of(old_dump)
        for age in range(20):
            put(settings, name_of(age), half if age < 10 else old_dump)
        assert not run_prune(settings, ALICE, recorder).deleted
        look_at_all(settings)
        result = run_prune(settings, ALICE, recorder)
        # What is damaged stays for somebody to look at; of the good ones the newest 7.
        assert local_names(settings) == {name_of(age) for age in range(17)}
        assert len(result.deleted) == 3


def test_counts_of_zero_keep_all(make_settings: MakeSettings, old_dump: bytes, recorder: Recorder):
    settings = make_settings(database="app", RETENTION_DAILY="0", RETENTION_WEEKLY="1")
    fill(settings, old_dump, count=5)
    look_at_all(settings)
    run_prune(settings, ALICE, recorder)
    assert local_names(settings) == newest(5, 1, 3)


def test_what_is_not_ours_stays_as_it_is(settings: Settings, old_dump: bytes, recorder: Recorder):
    for database in ("app2", "app_daily", "ap", "App", "app_daily_2"):
        fill(settings, old_dump, count=9, database=database)
    look_at_all(settings)
    directory = settings.backup_dir / "daily"
    for name in (
        "notes.txt", "app_daily_20260230_020000.sql.gz", "app.sql.gz",
        "app_weekly_20260101_020000.sql.gz", "app_daily_20260101_020000.sql.gz.partial",
        "app_daily_20260101_030000.sql.gz.manifest.json", "app_daily_20260101_040000.sql",
    ):  # fmt: skip
        (directory / name).write_bytes(old_dump)
    (directory / name_of(99).filename).symlink_to(directory / "notes.txt")
    (settings.backup_dir / "safety").mkdir()
    (settings.backup_dir / "safety" / "pre_restore_20260101_020000.sql.gz").write_bytes(old_dump)
    empty = put(settings, name_of(98), b"")
    before = files_in(settings)

    assert not run_prune(settings, ALICE, recorder).deleted
    fill(settings, old_dump)
    look_at(settings, *(b for b in local_backups(settings).backups if b.name.database == "app"))
    assert run_prune(settings, ALICE, recorder).deleted
    assert set(before) <= set(files_in(settings))
    assert empty.exists()
    assert local_names(settings) == newest(7, 4, 3) | {name_of(98)}


class TestHardLinks:
    """Daily, weekly and monthly names of one file."""

    def test_a_name_goes_and_the_others_stay(
        self, make_settings: MakeSettings, old_dump: bytes, recorder: Recorder
    ):
        settings = make_settings(database="app", RETENTION_DAILY="1")
        put(settings, name_of(0), old_dump)
        daily = put(settings, name_of(7), old_dump)
        weekly = settings.backup_dir / name_of(1, WEEKLY).relative_path
        weekly.parent.mkdir()
        weekly.hardlink_to(daily)
        look_at_all(settings)
        result = run_prune(settings, ALICE, recorder)
        assert result.deleted == (str(daily),)
        assert result.bytes_freed == 0
        assert weekly.read_bytes() == old_dump

    def test_damage_under_one_name_is_damage_under_all(
        self, make_settings: MakeSettings, old_dump: bytes, recorder: Recorder
    ):
        settings = make_settings(database="app", RETENTION_WEEKLY="1")
        daily = put(settings, name_of(0), old_dump)
        weekly = settings.backup_dir / name_of(0, WEEKLY).relative_path
        weekly.parent.mkdir()
        weekly.hardlink_to(daily)
        put(settings, name_of(1, WEEKLY), old_dump)
        put(settings, name_of(2, WEEKLY), old_dump)
        look_at_all(settings)
        damage(daily)
        look_at(settings, *(b for b in local_backups(settings).backups if b.location == str(daily)))
        result = run_prune(settings, ALICE, recorder)
        assert result.deleted == (str(settings.backup_dir / name_of(2, WEEKLY).relative_path),)


def test_a_file_that_changed_since_it_was_verified_takes_no_slot(
    make_settings: MakeSettings, old_dump: bytes, recorder: Recorder
):
    settings = make_settings(database="app", RETENTION_DAILY="1")
    new, old = put(settings, name_of(0), old_dump), put(settings, name_of(1), old_dump)
    look_at_all(settings)
    new.write_bytes(old_dump)
    os.utime(new, (1, 1))
    assert not run_prune(settings, ALICE, recorder).deleted
    assert old.exists()


def when_announced(path: Path, act: Callable[[], object]) -> Callable[[Event], None]:
    """A report that acts once a file's deletion is announced, before anything is deleted."""

    def report(event: Event) -> None:
        if event.message.startswith(f"to delete: {path}"):
            act()

    return report


class TestMeanwhile:
    """Something happens between the plan and the deletion."""

    @pytest.fixture
    def full(self, settings: Settings, old_dump: bytes) -> Settings:
        """Two more daily backups than are kept."""
        for age in range(9):
            put(settings, name_of(age), old_dump)
        look_at_all(settings)
        return settings

    def test_a_file_that_is_written_to_stays(self, full: Settings):
        path = full.backup_dir / name_of(7).relative_path
        with pytest.raises(StorageError, match="not the file any more"):
            run_prune(full, ALICE, when_announced(path, lambda: path.write_bytes(b"precious")))
        assert path.read_bytes() == b"precious"
        assert local_names(full) == {name_of(age) for age in range(8)}

    def test_a_file_that_became_a_link_stays(self, full: Settings, tmp_path: Path):
        path = full.backup_dir / name_of(7).relative_path
        precious = tmp_path / "precious"

        def swap() -> None:
            path.rename(precious)
            path.symlink_to(precious)

        with pytest.raises(StorageError, match="not the file any more"):
            run_prune(full, ALICE, when_announced(path, swap))
        assert path.is_symlink()
        assert precious.exists()

    def test_a_file_that_is_gone_is_fine(self, full: Settings):
        path = full.backup_dir / name_of(7).relative_path
        run_prune(full, ALICE, when_announced(path, path.unlink))
        assert local_names(full) == {name_of(age) for age in range(7)}

    def test_a_pin_comes_in_time(self, full: Settings):
        path = full.backup_dir / name_of(7).relative_path
        result = run_prune(
            full, ALICE, when_announced(path, lambda: pins.pin(full, name_of(7), "", "bob"))
        )
        assert path.exists()
        assert result.deleted == (str(full.backup_dir / name_of(8).relative_path),)
        assert result.kept == 8

    def test_a_cancel_leaves_whole_backups(self, full: Settings):
        class Stop(BaseException):
            pass

        def report(event: Event) -> None:
            if event.message.startswith("deleted"):
                raise Stop

        with pytest.raises(Stop):
            run_prune(full, ALICE, report)
        assert local_names(full) == {name_of(age) for age in range(9)} - {name_of(7)}


class TestUnknown:
    """What can't be read deletes nothing."""

    @pytest.fixture
    def full(self, settings: Settings, old_dump: bytes) -> Settings:
        """More than are kept, all verified."""
        fill(settings, old_dump)
        look_at_all(settings)
        return settings

    def test_pins(self, full: Settings, recorder: Recorder):
        pins.pins_path(full).write_text('{"format": "pgconsole-pins", "version": 2, "pins": []}')
        with pytest.raises(StorageError, match=r"pins\.json.*newer than this pgconsole"):
            run_prune(full, ALICE, recorder)
        assert local_names(full) == newest(10, 10, 10)

    def test_evidence(self, full: Settings, recorder: Recorder):
        evidence_path(full).unlink()
        evidence_path(full).mkdir()
        with pytest.raises(StorageError, match=r"evidence\.jsonl can't be read"):
            run_prune(full, ALICE, recorder)
        assert local_names(full) == newest(10, 10, 10)

    def test_lost_evidence(self, full: Settings, recorder: Recorder):
        evidence_path(full).unlink()
        assert not run_prune(full, ALICE, recorder).deleted

    def test_busy(self, full: Settings, recorder: Recorder):
        with (
            database_lock(full, "app", what="backup", actor="bob", job=""),
            pytest.raises(BusyError, match="backup by bob"),
        ):
            run_prune(full, ALICE, recorder)
        assert local_names(full) == newest(10, 10, 10)


def test_the_plan_alone_changes_nothing(settings: Settings, old_dump: bytes):
    fill(settings, old_dump)
    put(settings, name_of(11, MONTHLY, "app2"), old_dump)
    before = sorted(settings.backup_dir.rglob("*"))
    assert not make_plan(settings, Place.LOCAL).delete
    assert sorted(settings.backup_dir.rglob("*")) == before
    look_at_all(settings)
    assert len(make_plan(settings, Place.LOCAL).delete) == 16


def remove_and_die(settings: Settings, calls: int) -> int:
    """Prune in a process that kills itself at its n-th call that may change the file system.

    Returns:
        Its exit status: -9 if it was killed, 0 if it came to its end before.
    """
    pid = os.fork()
    if pid == 0:
        left = calls

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in {"open", "os.remove"} and str(settings.backup_dir) in str(arguments[0]):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            storage = LocalStorage(settings.backup_dir)
            (oldest,) = [b for b in storage.listing().backups if b.name == name_of(1)]
            sys.addaudithook(count)
            storage.remove(oldest)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_killed_between_any_two_steps(tmp_path: Path, make_settings: MakeSettings, old_dump: bytes):
    """Whatever is left, no dump has lost its manifest, and the next backup sweeps the rest."""
    status, calls, leftovers = -9, 0, 0
    while status == -9:
        calls += 1
        settings = make_settings(database="app", BACKUP_DIR=str(tmp_path / f"run{calls}"))
        settings.backup_dir.mkdir()
        for age in range(2):
            path = put(settings, name_of(age), old_dump)
            path.with_name(path.name + MANIFEST_SUFFIX).write_text("{}")
        status = remove_and_die(settings, calls)
        storage = LocalStorage(settings.backup_dir)
        listing = storage.listing()
        assert all(backup.has_manifest for backup in listing.backups)
        leftovers += len(listing.leftovers)
        storage.remove_leftovers("app")
        assert storage.listing().leftovers == ()
        assert name_of(0) in local_names(settings)
    assert status == 0
    assert leftovers > 0
    assert local_names(settings) == {name_of(0)}


def test_the_clock_that_ran_ahead(make_settings: MakeSettings, old_dump: bytes, recorder: Recorder):
    """A name of the future must not make the newest real backup the one too many."""
    settings = make_settings(database="app", RETENTION_DAILY="1")
    future = name_of(0)
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
    put(settings, type(future)("app", ahead, DAILY), old_dump)
    put(settings, name_of(0), old_dump)
    look_at_all(settings)
    assert not run_prune(settings, ALICE, recorder).deleted
