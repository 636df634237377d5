"""The operator's own keys and what the console remembers, in a real terminal."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM, environment, run
from tests.conftest import MakeSettings
from tests.e2e.terminal import Terminal, open_terminal
from tests.support import wait_until

from pgconsole.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


class Operator:
    """Somebody with a home of their own."""

    def __init__(self, stack: ExitStack, settings: Settings, home: Path) -> None:
        self._stack = stack
        self._settings = settings
        self.own = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
        self.keys = home / "config" / "pgconsole" / "keys.toml"
        self.keys.parent.mkdir(parents=True)
        self.state = home / "state" / "pgconsole" / "state.json"

    def console(self, columns: int = 80, rows: int = 24) -> Terminal:
        variables = environment(self._settings, **self.own)
        terminal = open_terminal([PROGRAM], variables, columns, rows)
        self._stack.callback(terminal.close)
        terminal.wait_for("no backup yet")
        return terminal

    def info(self) -> str:
        done = run(self._settings, "info", **self.own)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def operator(make_settings: MakeSettings, tmp_path: Path) -> Iterator[Operator]:
    settings = make_settings(PGHOST="127.0.0.1", PGPORT="1")
    with ExitStack() as stack:
        yield Operator(stack, settings, tmp_path / "home")


def quit_and_wait(terminal: Terminal) -> None:
    terminal.send("q")
    terminal.wait_gone()


def test_own_keys(operator: Operator) -> None:
    operator.keys.write_text('backup = "v"\nverify = "b"\nhelp = "f1"\n')
    terminal = operator.console()
    terminal.wait_for("v Backup  b Verify")
    terminal.send("v")
    terminal.wait_for("Back up postgres now?")
    assert str(operator.keys) in operator.info()


def test_a_broken_file_of_keys_is_said_and_locks_nobody_out(operator: Operator) -> None:
    operator.keys.write_text('backup = "v"\nverfy = "x"\n')
    terminal = operator.console()
    screen = terminal.wait_for("is not used")
    assert "is verify meant?" in " ".join(screen.replace("▌", " ").split())
    terminal.send("b")
    terminal.wait_for("Back up postgres now?")
    info = operator.info()
    assert "verfy: no action has this name" in info
    assert "all keys are the usual ones" in info


def test_views_come_back(operator: Operator) -> None:
    terminal = operator.console()
    assert not operator.state.exists()
    terminal.send("3")
    terminal.wait_for("[3 Schedule")
    quit_and_wait(terminal)
    wait_until(operator.state.exists)
    assert stat.S_IMODE(operator.state.stat().st_mode) == 0o600
    terminal = operator.console()
    terminal.wait_for("[3 Schedule")
    quit_and_wait(terminal)
    assert str(operator.state) in operator.info()


def test_a_damaged_memory_is_only_said_in_info(operator: Operator) -> None:
    operator.state.parent.mkdir(parents=True)
    operator.state.write_text('{"version": 1, "views"')
    terminal = operator.console()
    terminal.wait_for("[1 Local")
    assert "JSON" not in terminal.screen()
    quit_and_wait(terminal)
    assert "it is not used: JSONDecodeError" in operator.info()


def test_whoever_has_no_home_gets_none(operator: Operator) -> None:
    operator.own = {}
    terminal = operator.console()
    terminal.send("3")
    terminal.wait_for("[3 Schedule")
    quit_and_wait(terminal)
    assert operator.info().count("nowhere: there is no home directory") == 2
    assert not Path("/nonexistent").exists()


def test_themes_in_a_real_terminal(operator: Operator) -> None:
    for theme in ("light", "high-contrast", "ansi"):
        operator.own["PGCONSOLE_THEME"] = theme
        quit_and_wait(operator.console())
    operator.own["PGCONSOLE_THEME"] = "pink"
    done = run(operator._settings, "info", **operator.own)
    assert done.returncode == 2
    assert "PGCONSOLE_THEME is 'pink'" in done.stderr
    assert "high-contrast" in done.stderr
