"""What tests of plans need: the client tools on PATH."""

from __future__ import annotations

import os

import pytest

from pgconsole.demo.servers import embedded_bin_dir


@pytest.fixture(autouse=True)
def _client_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's client tools of both versions come first."""
    directories = [str(embedded_bin_dir(16)), str(embedded_bin_dir(18)), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(directories))
