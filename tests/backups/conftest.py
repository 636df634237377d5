"""What tests of operations need: the client tools on PATH, and settings with S3."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder
from tests.backups.shelf import guide_dump
from tests.conftest import create_database, drop_database

from pgconsole.demo.servers import PostgresServer, S3Server, embedded_bin_dir


@pytest.fixture(autouse=True)
def _client_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's client tools of both versions come first."""
    directories = [str(embedded_bin_dir(16)), str(embedded_bin_dir(18)), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(directories))


@pytest.fixture
def recorder() -> Recorder:
    """A report that keeps the events."""
    return Recorder()


@pytest.fixture(scope="session")
def old_dump(
    postgres16: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[bytes]:
    """A dump by the guide's pipeline."""
    create_database(
        postgres16,
        "prune_source",
        "CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 99) i",
    )
    yield guide_dump(postgres16, "prune_source", tmp_path_factory.mktemp("guide"))
    drop_database(postgres16, "prune_source")


@pytest.fixture
def s3_variables(s3: S3Server, s3_bucket: str) -> dict[str, str]:
    """The variables that turn S3 on, with a bucket of this test's own."""
    return s3.environment(s3_bucket)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    directory = tmp_path / "small"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", directory],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield directory
    subprocess.run(["umount", directory], check=True)
