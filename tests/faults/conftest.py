"""What every fault test gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.conftest import MakeSettings, _open_directory
from tests.faults.hostile_store import HostileStore, hostile_store
from tests.faults.recorder import Faults
from tests.faults.running import ROOT
from tests.faults.site import FaultyPostgres, Site

from pgconsole.demo.servers import S3Server
from pgconsole.settings import Settings

MakeSite = Callable[..., Site]


@pytest.fixture(scope="session")
def faults() -> Faults:
    """Seeded chance, and the recorder."""
    return Faults.from_environment()


@pytest.fixture(scope="session")
def mortal_postgres() -> Iterator[FaultyPostgres]:
    """A PostgreSQL that this worker may kill."""
    # Never analysed, so that preflight's estimate of a dump is far too low.
    options = ("autovacuum=off",)
    with _open_directory() as directory, FaultyPostgres(directory, options=options) as server:
        yield server


@pytest.fixture(scope="session")
def mortal_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that this worker may kill."""
    with S3Server(tmp_path_factory.mktemp("mortal-s3")) as server:
        yield server


@pytest.fixture
def make_site(
    mortal_postgres: FaultyPostgres,
    mortal_s3: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeSite]:
    """Makes sites, each with a database, a backup directory and a bucket of its own."""
    monkeypatch.setenv("PATH", mortal_postgres.environment["PATH"])
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # jobs inherit it: tests.faults.runner
    with ExitStack() as stack:

        def make(directory: Path | None = None, **variables: str) -> Site:
            where = directory or tmp_path / "backups"
            site = Site(where, mortal_postgres, mortal_s3, **variables)
            stack.callback(site.close)
            return site

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """One site."""
    return make_site()


@pytest.fixture
def store() -> Iterator[HostileStore]:
    """An S3 store that says what the test makes it say."""
    with hostile_store() as made:
        yield made


@pytest.fixture
def store_settings(make_settings: MakeSettings, store: HostileStore) -> Settings:
    """Settings that lead to that store; there is no PostgreSQL server."""
    return make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1", **store.variables)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the long form, one that is stopped early has seen something of everything."""
    faults = Faults.from_environment()
    if faults.long:
        faults.random("order").shuffle(items)


def blocks(trials: int, size: int = 10) -> list[int]:
    """Trials in portions that a worker does at a time: how many each has."""
    return [min(size, trials - first) for first in range(0, trials, size)]
