"""What counts as "nothing is configured", and what the program does then."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM
from tests.e2e.terminal import Terminal, open_terminal

from pgconsole.cli.first_run import is_first_run, welcome_for
from pgconsole.settings import Settings, load_settings


class TestRule:
    @pytest.mark.parametrize(
        "given",
        [
            [],
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"],
            ["PGCONSOLE_THEME", "PGCONSOLE_LOW_BANDWIDTH", "PGCONSOLE_READ_ONLY"],
        ],
    )
    def test_nothing_of_ours_is_nothing(self, given: list[str]) -> None:
        assert is_first_run(given, backups_there=False)

    @pytest.mark.parametrize(
        "variable",
        [
            "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "DB_PASSWORD", "PGDATABASE", "BACKUP_DIR",
            "BACKUP_SCHEDULE", "S3_BACKUP_BUCKET", "S3_BUCKET", "RETENTION_DAILY",
        ],
    )  # fmt: skip
    def test_each_variable_that_says_something_is_enough(self, variable: str) -> None:
        assert not is_first_run(["AWS_DEFAULT_REGION", variable], backups_there=False)

    def test_in_a_container_the_defaults_may_be_all_that_is_needed(self) -> None:
        assert not is_first_run([], backups_there=True)

    def test_every_variable_of_ours_is_decided_on(self) -> None:
        """A new variable counts as configured unless it is one of the console's looks."""
        for field in Settings.model_fields.values():
            for variable in field.validation_alias.choices:  # type: ignore[union-attr]
                silent = str(variable).startswith(("AWS_", "PGCONSOLE_"))
                assert is_first_run([str(variable)], backups_there=False) is silent


class TestSources:
    """In the test's own directory, without any variable."""

    @pytest.fixture(autouse=True)
    def _nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if Path("/backups").is_dir():
            pytest.skip("this machine has backups where the default is")
        monkeypatch.delenv("PGCONSOLE_ENV_FILE", raising=False)

    def welcomed(self) -> bool:
        return welcome_for(load_settings()) is not None

    def test_nothing(self) -> None:
        assert self.welcomed()
        welcome = welcome_for(load_settings())
        assert welcome is not None
        assert welcome.file == Path.cwd() / ".env"
        assert welcome.no_demo == ""

    def test_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGHOST", "")
        assert self.welcomed()
        monkeypatch.setenv("PGHOST", "db")
        assert not self.welcomed()

    def test_the_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(".env").write_text("DJANGO_SECRET=x\nPGHOST=\n# PGHOST=db\n")
        assert self.welcomed()
        Path(".env").rename("named.env")
        monkeypatch.setenv("PGCONSOLE_ENV_FILE", "named.env")
        welcome = welcome_for(load_settings())
        assert welcome is not None
        assert welcome.file == Path.cwd() / "named.env"
        Path("named.env").write_text("BACKUP_DIR=/srv/backups\n")
        assert not self.welcomed()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[ExitStack]:
    if Path("/backups").is_dir():
        pytest.skip("this machine has backups where the default is")
    with ExitStack() as stack:
        yield stack


def start(stack: ExitStack, directory: Path, *, rows: int = 24, **variables: str) -> Terminal:
    """The program in a directory, with nothing but what is given."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8",
        "TERM": "xterm-256color", **variables,
    }  # fmt: skip
    shell = ["sh", "-c", 'cd "$1" && exec "$2"', "sh", str(directory), PROGRAM]
    terminal = open_terminal(shell, environment, 80, rows)
    stack.callback(terminal.close)
    return terminal


@pytest.mark.e2e
class TestProgram:
    def test_says_what_to_set_and_goes_on(self, opened: ExitStack, tmp_path: Path) -> None:
        terminal = start(opened, tmp_path)
        screen = terminal.wait_for("Nothing is configured yet")
        assert all(name in screen for name in ("PGHOST=", "PGPASSWORD=", "BACKUP_DIR="))
        lines = [line.strip() for line in screen.splitlines()]
        assert f"{tmp_path}/.env" in "".join(lines)  # a long one goes on in the next line
        terminal.send("c")
        terminal.wait_for("Backup directory /backups")
        terminal.send("q")
        terminal.wait_gone()
        assert terminal.is_restored()

    def test_q_quits(self, opened: ExitStack, tmp_path: Path) -> None:
        terminal = start(opened, tmp_path)
        terminal.wait_for("Nothing is configured yet")
        terminal.send("q")
        terminal.wait_gone()
        assert terminal.is_restored()

    def test_a_configured_program_opens_the_console(
        self, opened: ExitStack, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text(f"BACKUP_DIR={tmp_path}\n")
        terminal = start(opened, tmp_path)
        assert "Nothing is configured" not in terminal.wait_for("no backup yet")

    def test_a_broken_file_is_an_error_and_no_first_run(
        self, opened: ExitStack, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text("PGPORT=five\n")
        terminal = start(opened, tmp_path)
        screen = terminal.wait_for("PGPORT is 'five'")
        assert "Nothing is configured" not in screen

    @pytest.mark.skipif(not shutil.which("tmux"), reason="needs the exit status on the screen")
    def test_d_runs_the_demo(self, opened: ExitStack, tmp_path: Path) -> None:
        terminal = start(opened, tmp_path, TMPDIR="/tmp")
        terminal.wait_for("Nothing is configured yet")
        terminal.send("d")
        terminal.wait_for("starting PostgreSQL 16 and an S3 server", timeout=60)
        terminal.send("C-c")
        terminal.wait_for("everything is removed", timeout=90)
