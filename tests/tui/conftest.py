"""The console looks and counts the same on every machine; what it looks at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from syrupy.exceptions import SnapshotDoesNotExist
from tests.conftest import MakeSettings
from tests.logs.writing import LogHome
from tests.tui.log_scenes import usual_home
from tests.tui.pictures import Draw, Snap, becomes
from textual.app import App

from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings


@pytest.fixture(autouse=True)
def _same_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A terminal with all colours, no animations, and a time zone."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(name="snap_compare")
def _patient_snap_compare(snap_compare: Snap, snapshot: SnapshotAssertion) -> Snap:
    """The plugin's, but a picture has time to become the one that is expected.

    On a busy machine a part of the screen may come later than what the test waited for. A test
    takes one picture.
    """
    expected = None
    if not snapshot.update_snapshots:
        with suppress(SnapshotDoesNotExist):
            expected = str(
                SVGImageExtension().read_snapshot(
                    test_location=snapshot.test_location, index=0, session_id="patient"
                )
            )

    def compare(app: App[Any], terminal_size: tuple[int, int], run_before: Draw) -> bool:
        run_before = becomes(expected, run_before)
        return snap_compare(app, terminal_size=terminal_size, run_before=run_before)

    return compare


@pytest.fixture
def home(tmp_path: Path) -> LogHome:
    """Logs of two nights."""
    return usual_home(tmp_path)


@pytest.fixture
def real(
    make_settings: MakeSettings, postgres16: PostgresServer, database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    """A real database; jobs find the client tools on PATH."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database)
