"""What is remembered comes back; a bad file harms nobody; nobody waits for it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support import wait_until

from pgconsole.memory import VERSION, Memory
from pgconsole.places import key_map_file, memory_file
from pgconsole.settings import Settings

HERE = Settings.model_validate({"BACKUP_DIR": "/backups", "PGDATABASE": "app"})
ELSEWHERE = Settings.model_validate({"BACKUP_DIR": "/backups", "PGDATABASE": "app2"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pgconsole" / "state.json"


def remembered(file: Path) -> Memory:
    """A file with a theme, and views of one database."""
    memory = Memory(file)
    memory.set("theme", "light")
    memory.set("main.share", 70, of=HERE)
    memory.set("wrap", True, of=HERE)
    memory.settle(20)
    return memory


def test_it_comes_back_where_it_was(file: Path) -> None:
    remembered(file)
    memory = Memory(file)
    assert memory.problem == ""
    assert memory.get("theme", "dark") == "light"
    assert memory.get("main.share", 60, of=HERE) == 70
    assert memory.get("wrap", False, of=HERE) is True
    assert memory.get("main.share", 60, of=ELSEWHERE) == 60
    assert memory.get("theme", "dark", of=HERE) == "dark"


def test_it_is_private_whole_and_versioned(file: Path) -> None:
    remembered(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert json.loads(file.read_text())["version"] == VERSION
    assert not file.with_name("state.json.new").exists()


def test_what_is_usual_is_not_written(file: Path) -> None:
    memory = Memory(file)
    memory.set("main.pane", memory.get("main.pane", "local"))
    memory.settle(20)
    assert not file.exists()
    memory.set("main.pane", "s3")
    memory.set("main.pane", "local")
    memory.settle(20)
    assert Memory(file).get("main.pane", "s3") == "local"


def test_without_a_file_it_lasts_as_long_as_the_console(tmp_path: Path) -> None:
    memory = Memory()
    memory.set("theme", "light")
    assert memory.get("theme", "dark") == "light"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "JSONDecodeError"),
        (b'{"version": 1, "views": {"": {"theme": "li', "JSONDecodeError"),
        (b"\xff", "Unicode"),
        (b'{"version": 2, "views": {}}', "of version 2, this is 1"),
        (b'{"views": {"": {"theme": "light"}}}', "KeyError"),
        (b"[]", "TypeError"),
        (b"null", "TypeError"),
        (b'{"version": 1, "views": []}', "AttributeError"),
        (b'{"version": 1, "views": {"": "light"}}', "AttributeError"),
        (b"[" * 200_000, "Error"),
        (b" " * (1 << 21), "not a file of ours"),
    ],
)
def test_a_bad_file_counts_as_empty_and_is_replaced(file: Path, content: bytes, says: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    memory = Memory(file)
    assert says in memory.problem
    assert memory.get("theme", "dark") == "dark"
    memory.set("theme", "light")
    memory.settle(20)
    assert Memory(file).get("theme", "dark") == "light"


@pytest.mark.parametrize("value", [5, True, None, ["light"], {"a": 1}, 1.5, "\x1b[31m", "x" * 1001])
def test_a_value_of_another_kind_is_none(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": VERSION, "views": {"": {"theme": value, "pane": "s3"}}}))
    memory = Memory(file)
    assert memory.get("theme", "dark") == "dark"
    assert memory.get("pane", "local") == "s3"


def test_a_directory_in_its_place_is_said_and_harms_nobody(file: Path) -> None:
    file.mkdir(parents=True)
    memory = Memory(file)
    assert "not a file of ours" in memory.problem
    memory.set("theme", "light")
    memory.settle(20)
    assert "can't be written" in memory.problem
    assert memory.get("theme", "dark") == "light"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_directory_is_said(file: Path) -> None:
    remembered(file)
    file.parent.chmod(0)
    try:
        assert "PermissionError" in Memory(file).problem
    finally:
        file.parent.chmod(0o700)


def test_a_file_where_a_directory_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("mine")
    memory = Memory(tmp_path / "state" / "pgconsole" / "state.json")
    assert "NotADirectoryError" in memory.problem
    memory.set("theme", "light")
    memory.settle(20)
    assert "can't be written" in memory.problem
    assert (tmp_path / "state").read_text() == "mine"


def test_two_consoles_do_not_take_each_other_s_views(file: Path) -> None:
    one, other = Memory(file), Memory(file)
    for number in range(20):
        one.set("main.share", number, of=HERE)
        other.set("main.share", number, of=ELSEWHERE)
        other.set("theme", f"theme {number}")
    one.settle(20)
    other.settle(20)
    memory = Memory(file)
    assert memory.problem == ""
    assert memory.get("main.share", 60, of=HERE) == 19
    assert memory.get("main.share", 60, of=ELSEWHERE) == 19
    assert memory.get("theme", "dark") == "theme 19"


def test_places_nobody_returns_to_are_forgotten(file: Path) -> None:
    memory = Memory(file)
    memory.set("theme", "light")
    for number in range(130):
        place = Settings.model_validate({"BACKUP_DIR": f"/demo-{number}"})
        memory.set("main.share", number, of=place)
    memory.settle(20)
    views = json.loads(file.read_text())["views"]
    assert len(views) == 101
    assert views[""] == {"theme": "light"}
    assert "thinktank in /demo-129" in views
    assert "thinktank in /demo-0" not in views


def test_a_disk_that_does_not_answer_holds_nobody_up(file: Path) -> None:
    """Somebody holds the lock, as a disk that hangs would hold the writer."""
    import fcntl

    file.parent.mkdir(parents=True)
    with file.with_name("state.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        memory = Memory(file)
        memory.set("theme", "light")
        memory.settle(0.2)
        assert time.monotonic() - began < 2
        assert not file.exists()
        writers = [each for each in threading.enumerate() if each.name == "memory"]
        assert all(each.daemon for each in writers)
    wait_until(file.exists)


def test_a_process_ends_while_its_writer_hangs(file: Path) -> None:
    file.parent.mkdir(parents=True)
    code = (
        "import sys, time; from pathlib import Path; from pgconsole.memory import Memory;"
        "memory = Memory(Path(sys.argv[1])); memory.set('theme', 'light'); memory.settle(0.2);"
        "print(time.monotonic(), flush=True)"
    )
    import fcntl

    with file.with_name("state.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", code, str(file)], capture_output=True, text=True, timeout=60,
            check=True,
        )  # fmt: skip
    assert time.monotonic() - float(done.stdout) < 5


class TestPlaces:
    def test_the_variables_of_the_specification(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
        assert key_map_file() == tmp_path / "c" / "pgconsole" / "keys.toml"
        assert memory_file() == tmp_path / "s" / "pgconsole" / "state.json"

    @pytest.mark.parametrize("value", [None, "", "relative/path"])
    def test_the_home_directory_otherwise(
        self, value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            monkeypatch.delenv(variable, raising=False)
            if value is not None:
                monkeypatch.setenv(variable, value)
        assert key_map_file() == tmp_path / ".config" / "pgconsole" / "keys.toml"
        assert memory_file() == tmp_path / ".local" / "state" / "pgconsole" / "state.json"

    def test_whoever_has_no_home_gets_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/nonexistent")
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        assert key_map_file() is None
        assert memory_file() is None
