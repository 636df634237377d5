"""A healthy setup on real servers, and a way to make it ill without touching pgconsole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from tests.conftest import create_database, drop_database
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer, S3Server, embedded_bin_dir
from pgconsole.schedule.state import Heartbeat, write_heartbeat
from pgconsole.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DATABASE = "statusdb"
BUCKET = "status-bucket"


@dataclass(frozen=True)
class Site:
    """What an operator set up, and the servers behind it.

    Attributes:
        variables: The settings as variables; nothing is wrong with them.
        server: PostgreSQL.
        s3: The store.
    """

    variables: dict[str, str]
    server: PostgresServer
    s3: S3Server

    def settings(self, **variables: str) -> Settings:
        """The settings, with these variables besides."""
        return Settings.model_validate(self.variables | variables)

    def s3_client(self) -> S3Client:
        """A client of the test's own."""
        return boto3.client(
            "s3", endpoint_url=self.s3.endpoint, aws_access_key_id=self.s3.access_key,
            aws_secret_access_key=self.s3.secret_key, region_name="us-east-1",
        )  # fmt: skip


def client_tools() -> str:
    """A PATH with the wheel's client tools of both versions."""
    directories = [str(embedded_bin_dir(16)), str(embedded_bin_dir(18)), os.environ["PATH"]]
    return os.pathsep.join(directories)


@pytest.fixture(autouse=True)
def _client_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", client_tools())


@pytest.fixture(scope="session")
def _template(
    postgres16: PostgresServer, s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A database, a bucket, and one backup in both places, made by a real job."""
    directory = tmp_path_factory.mktemp("status") / "backups"
    directory.mkdir(mode=0o700)
    create_database(postgres16, DATABASE, "CREATE TABLE users AS SELECT generate_series(1, 100) id")
    s3.make_bucket(BUCKET)
    environment = postgres16.environment | s3.environment(BUCKET)
    variables = environment | {
        "PGDATABASE": DATABASE, "BACKUP_DIR": str(directory), "S3_RETENTION": "true",
    }  # fmt: skip
    site = Site(variables, postgres16, s3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", client_tools())
        settings = site.settings()
        job = jobs.wait(settings, jobs.start(settings, "backup", {}, "alice"))
        assert job.status is jobs.JobStatus.DONE, job
    yield site
    drop_database(postgres16, DATABASE)


@pytest.fixture
def site(_template: Site, tmp_path: Path) -> Site:
    """The healthy setup with a backup directory of this test's own, and a living scheduler."""
    source, target = _template.variables["BACKUP_DIR"], tmp_path / "backups"
    subprocess.run(["cp", "-a", source, target], check=True)  # to the nanosecond: proofs stay
    made = Site(_template.variables | {"BACKUP_DIR": str(target)}, _template.server, _template.s3)
    beat(made.settings(), timedelta())
    return made


def beat(settings: Settings, age: timedelta) -> None:
    """Leave a scheduler's sign of life of so long ago."""
    at = datetime.now(UTC) - age
    write_heartbeat(settings, Heartbeat(at, at, "host1", 7, settings.backup_schedule, "UTC"))


@contextmanager
def mounted(path: Path, *options: str) -> Iterator[None]:
    """Something is mounted over a directory."""
    if subprocess.run(["mount", *options, str(path)], check=False, capture_output=True).returncode:
        pytest.skip("only who may mount can have a disk of such a kind")
    try:
        yield
    finally:
        wait_until(lambda: subprocess.run(["umount", str(path)], check=False).returncode == 0)
