"""Pins: none is lost, whoever writes and whatever dies; what can't be read is an error."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.shelf import DAILY, WEEKLY, name_of
from tests.cli.program import environment
from tests.conftest import MakeSettings
from tests.support import wait_until

from pgconsole.backups.locking import database_lock
from pgconsole.backups.pins import (
    backup_id,
    held_pins,
    pin,
    pins_path,
    read_pins,
    unpin,
)
from pgconsole.dumps.naming import BackupName
from pgconsole.errors import ConfigurationError, ExitCode, StorageError
from pgconsole.settings import Settings

WHEN = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """A backup directory without pins."""
    return make_settings(database="app")


def test_pin_and_unpin(settings: Settings):
    assert read_pins(settings) == {}
    made = pin(settings, name_of(1), "vor der Umstellung: größer", "alice")
    pin(settings, name_of(2), "", "bob")
    found = read_pins(settings)
    assert found["app_20260224_020000"] == made
    assert (made.note, made.by) == ("vor der Umstellung: größer", "alice")
    assert datetime.now(UTC) - made.at < timedelta(minutes=5)

    pin(settings, name_of(1), "another note", "bob")
    assert read_pins(settings)["app_20260224_020000"].note == "another note"
    unpin(settings, name_of(1), "alice")
    assert set(read_pins(settings)) == {"app_20260223_020000"}


def test_what_is_not_pinned_is_said(settings: Settings):
    pin(settings, name_of(2), "", "bob")
    with pytest.raises(ConfigurationError, match="app_20260223_020000") as error:
        unpin(settings, name_of(1), "alice")
    assert error.value.exit_code is ExitCode.USAGE


def test_one_pin_for_all_classes_and_one_for_each_database():
    assert backup_id(name_of(0)) == backup_id(BackupName("app", WHEN, WEEKLY))
    databases = ["app", "app2", "app_daily", "app_daily_2", "app_20260225_020000"]
    ids = {backup_id(BackupName(name, WHEN, DAILY)) for name in databases}
    assert len(ids) == len(databases)


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "{}", '{"format": "pgconsole-pins", "version": 1}',
        '{"format": "pgconsole-pins", "version": 2, "pins": []}',
        '{"format": "pgconsole-pins", "version": 1, "pins": [{"backup": "app_20260225_020000"}]}',
        '{"format": "pgconsole-pins", "version": 1, "pins": [1]}',
        '{"format": "pgconsole-pins", "version": 1, "pins": '
        '[{"backup": 7, "note": "", "by": "a", "at": "2026-02-25T02:00:00+00:00"}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_ours_is_an_error(settings: Settings, content: str):
    """No pin and a broken file are two things: one of them lets retention delete."""
    settings.state_dir.mkdir()
    pins_path(settings).write_text(content)
    with pytest.raises(StorageError, match=r"pins\.json can't be used"):
        read_pins(settings)
    with pytest.raises(StorageError):
        pin(settings, name_of(0), "", "alice")
    assert pins_path(settings).read_text() == content


def test_a_directory_in_its_place_is_an_error(settings: Settings):
    pins_path(settings).mkdir(parents=True)
    with pytest.raises(StorageError, match="not a regular file"):
        read_pins(settings)


def test_a_database_called_pins_has_a_lock_of_its_own(settings: Settings):
    with (
        database_lock(settings, "pins", what="backup", actor="a", job=""),
        held_pins(settings, "alice") as held,
    ):
        assert held == {}


PINNING = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pgconsole.backups.pins import pin
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.settings import load_settings
settings, writer, count = load_settings(), int(sys.argv[1]), int(sys.argv[2])
for number in range(count):
    taken_at = datetime(2026, 1, writer, 0, 0, tzinfo=UTC) + timedelta(seconds=number)
    pin(settings, BackupName("app", taken_at, BackupClass.DAILY), "", f"writer {writer}")
    print(number, flush=True)
"""


def pinning(settings: Settings, writer: int, count: int, output: Path) -> subprocess.Popen[bytes]:
    """A process that pins so many backups."""
    return subprocess.Popen(
        [sys.executable, "-c", PINNING, str(writer), str(count)],
        env=environment(settings), stdout=output.open("wb"),
    )  # fmt: skip


def test_writers_at_the_same_time_lose_nothing(settings: Settings, tmp_path: Path):
    writers = [pinning(settings, writer, 20, tmp_path / str(writer)) for writer in range(1, 5)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert len(read_pins(settings)) == 80


def test_a_writer_that_is_killed_loses_nothing(settings: Settings, tmp_path: Path):
    output = tmp_path / "output"
    writer = pinning(settings, 1, 100_000, output)
    wait_until(lambda: output.exists() and output.read_text().count("\n") > 20)
    writer.kill()
    writer.wait()
    said = output.read_text().count("\n")
    assert len(read_pins(settings)) in {said, said + 1}
    pin(settings, name_of(0), "", "alice")
    assert backup_id(name_of(0)) in read_pins(settings)
    json.loads(pins_path(settings).read_bytes())
