"""Real servers for all tests: PostgreSQL 16 and 18, and S3 over HTTP; one set per worker."""

from __future__ import annotations

import gc
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql
from tests.moto_server import MotoServer

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

_numbers = itertools.count(1)


def pytest_collection_finish() -> None:
    """Collect garbage less often: it took 30 % of the time of tests with a console (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the developer's own environment, and no .env, reaches a test."""
    for variable in list(os.environ):
        if variable.startswith(("PG", "S3_", "AWS_", "BACKUP_", "RETENTION_", "DB_")):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


@contextmanager
def _open_directory() -> Iterator[Path]:
    # Not under pytest's directory: every run of pytest makes that one private again, and as root
    # the server is another user, who then loses its data.
    with tempfile.TemporaryDirectory(prefix="pgconsole-test-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """An empty directory that every user can enter, as an embedded PostgreSQL has to."""
    with _open_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def open_module_directory() -> Iterator[Path]:
    """The same for all tests of a module."""
    with _open_directory() as directory:
        yield directory


def _server(version: int) -> Iterator[PostgresServer]:
    with _open_directory() as directory, PostgresServer(directory, version) as server:
        yield server


@pytest.fixture(scope="session")
def postgres16() -> Iterator[PostgresServer]:
    """A PostgreSQL 16 of this worker."""
    yield from _server(16)


@pytest.fixture(scope="session")
def postgres18() -> Iterator[PostgresServer]:
    """A PostgreSQL 18 of this worker."""
    yield from _server(18)


@pytest.fixture(params=[16, 18])
def postgres(request: pytest.FixtureRequest) -> PostgresServer:
    """Each PostgreSQL in turn."""
    server: PostgresServer = request.getfixturevalue(f"postgres{request.param}")
    return server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server of this worker. Use `s3_bucket` for a bucket of the test's own."""
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    """An S3 server of this worker that knows encryption, versions and locks."""
    with MotoServer(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def s3_bucket(s3: S3Server) -> str:
    """An empty bucket of this test's own."""
    name = f"bucket-{next(_numbers)}"
    s3.make_bucket(name)
    return name


class MakeSettings:
    """Builds settings for a server, as if the operator had set the variables."""

    def __init__(self, backup_dir: Path) -> None:
        self.backup_dir = backup_dir

    def __call__(
        self, server: PostgresServer | None = None, database: str = "postgres", **variables: str
    ) -> Settings:
        """Settings for this server and database, with these variables besides."""
        environment = {"BACKUP_DIR": str(self.backup_dir), "PGDATABASE": database}
        if server is not None:
            environment |= server.environment
        return Settings.model_validate(environment | variables)


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """A factory of settings with a backup directory of this test's own."""
    backup_dir = tmp_path / "backups"
    backup_dir.mkdir(mode=0o700)
    return MakeSettings(backup_dir)


def create_database(server: PostgresServer, name: str, script: str = "") -> None:
    """Create a database (any name) and run a script of SQL statements in it."""
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    if script:
        with server.connect(name) as connection:
            connection.execute(script)  # type: ignore[call-overload]


@pytest.fixture
def database(postgres16: PostgresServer) -> Iterator[str]:
    """A small database on PostgreSQL 16 with two tables."""
    name = f"test{next(_numbers)}"
    create_database(
        postgres16,
        name,
        "CREATE TABLE users (id int PRIMARY KEY, name text);"
        "INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 1000) i;"
        "CREATE TABLE empty (id int);",
    )
    yield name
    drop_database(postgres16, name)


def drop_database(server: PostgresServer, name: str) -> None:
    """Drop a database, cutting off whoever is connected."""
    with server.connect() as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
