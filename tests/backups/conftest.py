"""What tests of operations need: the client tools on PATH, and settings with S3."""

from __future__ import annotations

import os

import pytest
from tests.backups.helpers import Recorder

from pgconsole.demo.servers import S3Server, embedded_bin_dir


@pytest.fixture(autouse=True)
def _client_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's client tools of both versions come first."""
    directories = [str(embedded_bin_dir(16)), str(embedded_bin_dir(18)), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(directories))


@pytest.fixture
def recorder() -> Recorder:
    """A report that keeps the events."""
    return Recorder()


@pytest.fixture
def s3_variables(s3: S3Server, s3_bucket: str) -> dict[str, str]:
    """The variables that turn S3 on, with a bucket of this test's own."""
    return s3.environment(s3_bucket)
