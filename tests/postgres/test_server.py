"""Connections: what a failure means, what the server tells, and the lock between hosts."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from psycopg import sql
from tests.conftest import MakeSettings, create_database, drop_database
from tests.support import wait_until

from pgconsole.demo.servers import PostgresServer, free_port
from pgconsole.errors import BusyError, ServerError
from pgconsole.postgres.server import advisory_lock, connect, probe

ODD_PASSWORDS = [
    "p@ss#w:o/r\\d",
    'it\'s "quoted" 100%',
    " spaces at both ends ",
    "pässwörd→",
    "%41$x`;",
]
ODD_DATABASES = [
    "a=b",
    "two words",
    "postgresql://x/y?z=1",
    "it's",
    'say "hi"',
    "-x",
    "Ünï.Ö",
    "%s",
]


@contextlib.contextmanager
def role(server: PostgresServer, name: str, options: str, password: str) -> Iterator[None]:
    with server.connect() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN " + options + " PASSWORD {}").format(
                sql.Identifier(name), sql.Literal(password)
            )
        )
        yield
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


class TestProbe:
    def test_versions_and_sizes(
        self, postgres: PostgresServer, make_settings: MakeSettings
    ) -> None:
        info = probe(make_settings(postgres))
        assert info.version.startswith(f"{info.major}.")
        assert info.version_num // 10000 == info.major
        assert 5_000_000 < info.database_bytes < 20_000_000

    def test_data_bytes_leave_out_indexes_and_catalogs(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        name = "sizes"
        create_database(
            postgres16, name,
            "CREATE TABLE t (id int PRIMARY KEY, x text); CREATE INDEX ON t (x);"
            "INSERT INTO t SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 10000) i;"
            "ANALYZE t",
        )  # fmt: skip
        try:
            info = probe(make_settings(postgres16, name))
        finally:
            drop_database(postgres16, name)
        table_bytes = 10_000 * 30 * 32
        assert table_bytes < info.data_bytes < 1.4 * table_bytes < info.database_bytes

    @pytest.mark.parametrize("password", ODD_PASSWORDS)
    def test_odd_passwords(
        self, postgres16: PostgresServer, make_settings: MakeSettings, password: str
    ) -> None:
        with role(postgres16, "odd", "", password):
            settings = make_settings(postgres16, PGUSER="odd", PGPASSWORD=password)
            assert probe(settings).major == 16

    @pytest.mark.parametrize("name", ODD_DATABASES)
    def test_odd_database_names(
        self, postgres16: PostgresServer, make_settings: MakeSettings, name: str
    ) -> None:
        create_database(postgres16, name)
        try:
            with connect(make_settings(postgres16, name)) as connection:
                row = connection.execute("SELECT current_database()").fetchone()
        finally:
            drop_database(postgres16, name)
        assert row == (name,)


class TestFailures:
    """Each says what is wrong, and what to do about it."""

    def test_nobody_listens(self, make_settings: MakeSettings) -> None:
        port = free_port()
        with pytest.raises(ServerError) as caught:
            probe(make_settings(PGHOST="127.0.0.1", PGPORT=str(port)))
        assert f"127.0.0.1:{port} is not reachable" in caught.value.problem
        assert "refused" in caught.value.cause
        assert "PGHOST" in caught.value.fix

    def test_nobody_answers(self, make_settings: MakeSettings) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            with pytest.raises(ServerError) as caught:
                probe(make_settings(PGHOST="127.0.0.1", PGPORT=str(silent.getsockname()[1])))
        assert "no answer in time" in caught.value.cause

    def test_unknown_host(self, make_settings: MakeSettings) -> None:
        with pytest.raises(ServerError) as caught:
            probe(make_settings(PGHOST="no-such-host.invalid"))
        assert "no-such-host.invalid:5432 is not reachable" in caught.value.problem
        assert "host name is not known" in caught.value.cause

    def test_no_socket(self, make_settings: MakeSettings) -> None:
        with pytest.raises(ServerError, match="no socket of a server"):
            probe(make_settings(PGHOST="/nonexistent"))

    def test_wrong_password(self, postgres16: PostgresServer, make_settings: MakeSettings) -> None:
        with pytest.raises(ServerError) as caught:
            probe(make_settings(postgres16, PGPASSWORD="not-the-password"))
        assert "refuses user 'postgres'" in caught.value.problem
        assert "password is wrong" in caught.value.cause
        assert "not-the-password" not in str(caught.value)

    def test_no_password(self, postgres16: PostgresServer, make_settings: MakeSettings) -> None:
        with pytest.raises(ServerError) as caught:
            probe(make_settings(postgres16, PGPASSWORD="", PGPASSFILE="/nonexistent"))
        assert caught.value.fix == "set PGPASSWORD"

    def test_no_such_database(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        with pytest.raises(ServerError) as caught:
            probe(make_settings(postgres16, "Nonesuch"))
        assert "Database 'Nonesuch' does not exist on 127.0.0.1:" in caught.value.problem
        assert "PGDATABASE" in caught.value.fix

    def test_no_free_connection(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        settings = make_settings(postgres16, PGUSER="limited", PGPASSWORD="x")
        with (
            role(postgres16, "limited", "CONNECTION LIMIT 0", "x"),
            pytest.raises(ServerError, match="no free connection"),
        ):
            probe(settings)

    def test_no_privilege(self, postgres16: PostgresServer, make_settings: MakeSettings) -> None:
        create_database(postgres16, "closed")
        with postgres16.connect() as connection:
            connection.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        try:
            with (
                role(postgres16, "outsider", "", "x"),
                pytest.raises(ServerError, match="CONNECT privilege is missing"),
            ):
                probe(make_settings(postgres16, "closed", PGUSER="outsider", PGPASSWORD="x"))
        finally:
            drop_database(postgres16, "closed")

    def test_what_is_not_recognised_is_passed_on(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        with pytest.raises(ServerError) as caught:
            connect(make_settings(postgres16), options="-c no_such_setting=1")
        assert "no_such_setting" in caught.value.cause


class TestAdvisoryLock:
    def test_second_holder_learns_who_and_since_when(
        self, postgres: PostgresServer, make_settings: MakeSettings
    ) -> None:
        settings = make_settings(postgres)
        with (
            advisory_lock(settings, "backup by alice on host1"),
            pytest.raises(BusyError) as caught,
            advisory_lock(settings, "backup by bob on host2"),
        ):
            pass
        assert "held by backup by alice on host1" in caught.value.cause
        assert "from 127.0.0.1, since 20" in caught.value.cause
        assert caught.value.exit_code == 3

    def test_databases_do_not_hinder_each_other(
        self, postgres16: PostgresServer, make_settings: MakeSettings, database: str
    ) -> None:
        with (
            advisory_lock(make_settings(postgres16), "a"),
            advisory_lock(make_settings(postgres16, database), "b"),
        ):
            pass

    def test_it_ends_with_its_block(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        settings = make_settings(postgres16)
        for _ in range(2):
            with contextlib.suppress(KeyError), advisory_lock(settings, "a"):
                raise KeyError

    def test_a_lost_connection_is_noticed(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        with advisory_lock(make_settings(postgres16), "backup by carol") as lock:
            assert lock.survived()
            with postgres16.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'pgconsole backup by carol'"
                )
            assert wait_until(lambda: not lock.survived())

    def test_it_keeps_no_transaction_open(
        self, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        with advisory_lock(make_settings(postgres16), "x" * 100 + " ä"), postgres16.connect() as c:
            rows = c.execute(
                "SELECT state, xact_start FROM pg_stat_activity "
                "WHERE application_name LIKE 'pgconsole xxx%'"
            ).fetchall()
        assert rows == [("idle", None)]


def test_connections_are_closed(postgres16: PostgresServer, make_settings: MakeSettings) -> None:
    probe(make_settings(postgres16))

    def sessions() -> int:
        with postgres16.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgconsole probe'"
            ).fetchone()
        assert row is not None
        return int(row[0])

    assert wait_until(lambda: sessions() == 0)
