"""What the console needs hangs: it says what and since when, its keys work, and it can be left.

How fast its keys are then `make bench` measures.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.e2e.driving import Open
from tests.e2e.terminal import Terminal, is_alive
from tests.faults.running import ROOT
from tests.faults.supervisor import DISK, Plan, unavailable
from tests.guide import guide_backup
from tests.support import wait_until

from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A database with one backup, and no S3."""
    found = make_settings(postgres16, database)
    guide_backup(postgres16, database, found.backup_dir, datetime.now(UTC))
    return found


def is_usable(terminal: Terminal) -> None:
    """Keys are answered, and it ends at once."""
    terminal.send("?")
    terminal.wait_for("Back up now", timeout=2)
    terminal.send("Escape")
    wait_until(lambda: "Back up now" not in terminal.screen(), 2)
    terminal.send("q")
    pid = terminal.pid()
    wait_until(lambda: not is_alive(pid), 2)
    assert terminal.is_restored()


def test_a_store_that_hangs(console: Open, silent: int) -> None:
    terminal = console(
        columns=160, rows=45, S3_BACKUP_BUCKET="backups", S3_ENDPOINT_URL=f"http://127.0.0.1:{silent}",
        AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret",
    )  # fmt: skip
    terminal.wait_for("never verified")
    terminal.send("2")
    terminal.wait_for("no answer for")
    is_usable(terminal)


def test_a_server_that_hangs(console: Open, silent: int) -> None:
    terminal = console(PGHOST="127.0.0.1", PGPORT=str(silent))
    terminal.wait_for("never verified")
    terminal.send("r")
    terminal.wait_for("No answer from the server for")
    terminal.send("Escape")
    terminal.wait_for("never verified")
    is_usable(terminal)


@pytest.mark.skipif(bool(unavailable()), reason=unavailable())
def test_a_disk_that_hangs(console: Open, settings: Settings, tmp_path: Path) -> None:
    plan = Plan(
        str(tmp_path / "calls"), str(settings.backup_dir), calls=DISK, delay=60.0, reading=True
    )
    terminal = console(
        argv=[sys.executable, "-m", "tests.faults.program", plan.to_json()], PYTHONPATH=str(ROOT)
    )
    terminal.wait_for("no answer for")
    is_usable(terminal)
