"""Copying: to the terminal itself by OSC 52, and through a real tmux."""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import wait_until
from tests.tui import inside_scenes
from tests.tui.driving import shown, until_shown
from tests.tui.scenes import settings
from tests.tui.test_terminal import Console

from pgconsole.app import PgconsoleApp
from pgconsole.widgets import clipboard

TEXT = "s3://bucket/daily/[red] é 漢.sql.gz"
# The real app on a real terminal; what is copied comes from a variable.
PROGRAM = """
import os
from pgconsole.app import PgconsoleApp
from pgconsole.settings import load_settings
app = PgconsoleApp(load_settings())
async def pilot(_):
    app.copy_to_clipboard(os.environ["TEXT"])
app.run(auto_pilot=pilot)
"""


async def copied(text: str, told: str) -> str:
    """Copy in an app, wait for what it says, and return the screen."""
    app = PgconsoleApp(settings())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        clipboard.copy(app, text)
        await until_shown(pilot, told)
        return shown(app.screen)


def test_the_terminal_gets_it_by_osc_52(tmp_path: Path) -> None:
    running = Console(tmp_path, program=PROGRAM, TEXT=TEXT)
    try:
        expected = b"\x1b]52;c;" + base64.b64encode(TEXT.encode()) + b"\x07"
        running.read_until(expected)
        running.read_until(b"Sent to the terminal")
    finally:
        running.process.kill()
        running.process.wait()


async def test_it_says_sent_and_how_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    screen = await copied("/backups/[red]\x1b[31m\nsecond line", "Sent to the terminal")
    assert "/backups/[red]" in screen
    assert "second line" not in screen
    assert "…" in screen
    assert "copied" not in screen.lower()


async def test_a_huge_text_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert "1.0 MiB is more than terminals take (73.2 KiB)" in await copied(
        "x" * (1 << 20), "Not copied"
    )
    await copied("x" * 74_994, "Sent to the terminal")


async def test_y_copies_the_key_of_an_opened_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = inside_scenes.SCENES["full"]().app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "public.documents")
        await pilot.press("y")
        await until_shown(pilot, "Sent to the terminal")
        assert app.clipboard == inside_scenes.BACKUP.location


class Tmux:
    """A server of its own, with the console in it."""

    def __init__(self, directory: Path) -> None:
        self.socket = f"pgconsole-copy-{uuid.uuid4().hex[:12]}"
        variables = {
            "PATH": os.environ["PATH"], "TERM": "tmux-256color", "TEXT": TEXT, "LANG": "C.UTF-8",
            "BACKUP_DIR": str(directory),
        }  # fmt: skip
        # TMUX is what tmux itself sets: the rest of the environment is ours.
        given = " ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
        command = f'exec env -i TMUX="$TMUX" {given} {sys.executable} -c {shlex.quote(PROGRAM)}'
        self.run("new-session", "-d", "-x", "80", "-y", "24", "sh", "-c", command)

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, "-f", os.devnull, *arguments],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    def shows(self, text: str) -> bool:
        return text in self.run("capture-pane", "-p")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    server = Tmux(tmp_path)
    yield server
    subprocess.run(["tmux", "-L", server.socket, "kill-server"], check=False, capture_output=True)


def test_tmux_gets_it_as_a_buffer(tmux: Tmux) -> None:
    wait_until(lambda: tmux.shows("Sent to the terminal"))
    assert tmux.run("show-buffer") == TEXT


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'no [server] running' >&2; exit 1", "no [server] running"),
        ("exit 3", "exit status 3"),
        ("exec sleep 60", "no answer within 1 s"),
        (None, "No such file or directory"),
    ],
    ids=["fails", "fails silently", "hangs", "missing"],
)
async def test_a_tmux_that_does_not_take_it_is_said(
    script: str | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tmux"
    if script is not None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("TMUX", "/tmp/nowhere,1,0")
    system = os.environ["PATH"] if script else ""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{system}")
    monkeypatch.setattr(clipboard, "_TMUX_TAKES", 1.0)
    began = time.monotonic()
    screen = await copied("text", "tmux did not take it")
    assert says in screen
    assert "Next:" in screen
    assert "Sent to the terminal" not in screen
    assert time.monotonic() - began < 20
