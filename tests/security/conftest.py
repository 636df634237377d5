"""A server, a bucket and a tour through all commands, with planted secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import sql
from tests.backups.helpers import Recorder
from tests.conftest import create_database, drop_database
from tests.security.tour import PASSWORD, SECRET_KEY, Tour, run_short, run_tour, run_work

from pgconsole.demo.servers import PostgresServer, S3Server


@pytest.fixture(scope="module")
def s3_with_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A store whose secret key is the planted one."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.secret_key = SECRET_KEY
    with server:
        server.make_bucket("tour")
        yield server


@pytest.fixture(scope="module")
def toured_server(postgres16: PostgresServer) -> Iterator[PostgresServer]:
    """A server with the database and the role of the tour."""
    create_database(
        postgres16,
        "tour",
        "CREATE TABLE users (id int PRIMARY KEY, name text);"
        "INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 1000) i;",
    )
    with postgres16.connect() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE tour SUPERUSER LOGIN PASSWORD {}").format(sql.Literal(PASSWORD))
        )
    yield postgres16
    drop_database(postgres16, "tour")
    with postgres16.connect() as connection:
        connection.execute("DROP ROLE tour")


@pytest.fixture(scope="module")
def tour(
    toured_server: PostgresServer,
    s3_with_secret: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Tour:
    """All commands once, under the umask that hides nothing."""
    return run_tour(tmp_path_factory.mktemp("tour"), 0o000, toured_server, s3_with_secret)


@pytest.fixture(scope="module")
def strict_tour(
    toured_server: PostgresServer,
    s3_with_secret: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Tour:
    """All that writes, under the umask that hides everything."""
    return run_work(tmp_path_factory.mktemp("strict"), 0o077, toured_server, s3_with_secret)


@pytest.fixture(scope="module")
def short_tour(
    toured_server: PostgresServer,
    s3_with_secret: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Tour:
    """What the console has to show: a few good jobs, and many that failed."""
    return run_short(tmp_path_factory.mktemp("short"), 0o000, toured_server, s3_with_secret)


@pytest.fixture
def recorder() -> Recorder:
    """A report that keeps the events."""
    return Recorder()
