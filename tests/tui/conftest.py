"""The console looks and counts the same on every machine; what it looks at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.logs.writing import LogHome
from tests.tui.log_scenes import usual_home

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
