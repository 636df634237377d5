"""What stops a restore before its target is touched: each says why, and what to do."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, pg_dump_wrapper
from tests.backups.restoring import confirmed, restore, safety_backups, state
from tests.conftest import MakeSettings, create_database, drop_database
from tests.damaged import damaged
from tests.guide import guide_backup

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import local_backups
from pgconsole.backups.confirmation import confirm_restore
from pgconsole.backups.evidence import Proof, latest, read_evidence
from pgconsole.backups.locking import database_lock
from pgconsole.backups.restore import RestoreRequest, run_restore
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import (
    BusyError,
    ConfigurationError,
    DamagedError,
    PgconsoleError,
    PreflightError,
    ServerError,
)
from pgconsole.postgres import tools
from pgconsole.postgres.server import advisory_lock
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

SLOT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
ALICE = BackupRequest("alice", SLOT)
UNTOUCHED = "nothing was sent to the target: it was not touched"


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A small database on PostgreSQL 16."""
    return make_settings(postgres16, database)


@pytest.fixture
def backup(settings: Settings) -> Path:
    """A good backup of it."""
    return Path(run_backup(settings, ALICE, Recorder()).paths[0])


@pytest.fixture
def untouched(
    settings: Settings, postgres16: PostgresServer, recorder: Recorder
) -> Iterator[Recorder]:
    """Sees that the database is what it was, that nobody was cut off, and that it was said."""
    before = state(postgres16, settings.pgdatabase)
    with postgres16.connect(settings.pgdatabase) as session:
        yield recorder
        session.execute("SELECT 1")
    assert UNTOUCHED in recorder.text
    assert state(postgres16, settings.pgdatabase) == before
    assert safety_backups(settings) == []


def refused(settings: Settings, request: RestoreRequest, report: Recorder) -> PgconsoleError:
    with pytest.raises(PgconsoleError) as caught:
        run_restore(settings, request, report)
    assert caught.value.fix
    return caught.value


class TestConfirmation:
    def changed(self, settings: Settings, path: Path, change: str) -> RestoreRequest:
        request = confirmed(settings, path, settings.pgdatabase)
        if change == "none":
            return replace(request, confirmation="")
        if change == "the word itself":
            return replace(request, confirmation="yes")
        if change == "of another target":
            other = confirmed(settings, path, "postgres")
            return replace(request, confirmation=other.confirmation)
        if change == "of another server":
            elsewhere = settings.model_copy(update={"pghost": "elsewhere"})
            other = confirmed(elsewhere, path, settings.pgdatabase)
            return replace(request, confirmation=other.confirmation)
        if change == "of another copy":
            copy = path.with_name(path.name.replace("_02", "_03"))
            copy.write_bytes(path.read_bytes())
            other = confirmed(settings, copy, settings.pgdatabase)
            return replace(request, confirmation=other.confirmation)
        assert change == "of the copy before it was replaced"
        os.utime(path, (1, 1))
        return request

    @pytest.mark.parametrize(
        "change",
        ["none", "the word itself", "of another target", "of another server", "of another copy",
         "of the copy before it was replaced"],
    )  # fmt: skip
    def test_a_token(
        self, settings: Settings, backup: Path, change: str, untouched: Recorder
    ) -> None:
        error = refused(settings, self.changed(settings, backup, change), untouched)
        assert isinstance(error, ConfigurationError)
        assert "nobody confirmed it" in error.cause

    @pytest.mark.parametrize("typed", ["", "y", "Yes", "YES", " yes", "yes ", "ja"])
    def test_other_words_make_none(self, settings: Settings, backup: Path, typed: str) -> None:
        from pgconsole.backups.restore_copy import find_copy

        copy = find_copy(settings, Place.LOCAL, str(backup))
        with pytest.raises(ConfigurationError, match="not confirmed"):
            confirm_restore(typed, settings, settings.pgdatabase, copy)


class TestIntegrity:
    @pytest.mark.parametrize("own", [True, False])
    def test_damaged_backups(
        self, own: bool, settings: Settings, postgres16: PostgresServer, untouched: Recorder
    ) -> None:
        """Some of each kind; that none of all of them verifies is shown elsewhere."""
        database = settings.pgdatabase

        def back_up(name: str) -> Path:
            if not own:
                return guide_backup(postgres16, name, settings.backup_dir, SLOT)
            named = settings.model_copy(update={"pgdatabase": name})
            return Path(run_backup(named, ALICE, Recorder()).paths[0])

        good = back_up(database)
        create_database(postgres16, "other_of_gate", "CREATE TABLE o AS SELECT 1 AS x")
        try:
            other = back_up("other_of_gate")
        finally:
            drop_database(postgres16, "other_of_gate")
        kinds = set()
        for what, data in damaged(good.read_bytes(), other.read_bytes(), flips=3):
            if (kind := what.split(" at ")[0]) in kinds:
                continue
            kinds.add(kind)
            path = good.with_name("damaged.sql.gz")
            path.write_bytes(data)
            request = confirmed(settings, path, database)
            with pytest.raises(DamagedError):
                run_restore(settings, request, untouched)
        assert len(kinds) > 8

    def test_one_that_is_not_its_manifests(
        self, settings: Settings, backup: Path, untouched: Recorder
    ) -> None:
        backup.write_bytes(gzip.compress(gzip.decompress(backup.read_bytes()) + b"\n"))
        error = refused(settings, confirmed(settings, backup, settings.pgdatabase), untouched)
        assert isinstance(error, DamagedError)
        [copy] = local_backups(settings).backups
        proof = latest(read_evidence(settings), settings, copy)
        assert proof is not None
        assert (proof.proof, proof.problem) == (Proof.DAMAGED, str(error))


class TestConnectivity:
    def test_a_target_that_is_not_there(self, settings: Settings, backup: Path) -> None:
        error = refused(settings, confirmed(settings, backup, 'no "such"'), Recorder())
        assert isinstance(error, ServerError)
        assert 'CREATE DATABASE "no ""such"""' in error.fix

    def test_a_server_that_is_not_there(self, settings: Settings, backup: Path) -> None:
        away = settings.model_copy(update={"pgport": 1})
        error = refused(away, confirmed(away, backup, settings.pgdatabase), Recorder())
        assert "not reachable" in error.problem

    def test_a_target_that_somebody_works_on(
        self, settings: Settings, backup: Path, untouched: Recorder
    ) -> None:
        request = confirmed(settings, backup, settings.pgdatabase)
        with database_lock(settings, settings.pgdatabase, what="backup", actor="bob", job=""):
            error = refused(settings, request, untouched)
        assert isinstance(error, BusyError)
        assert "backup by bob" in error.cause
        with advisory_lock(settings, "backup by carol on elsewhere"):
            error = refused(settings, request, untouched)
        assert isinstance(error, BusyError)
        assert "backup by carol on elsewhere" in error.cause


class TestCompatibility:
    def test_a_dump_of_a_newer_server(
        self, settings: Settings, postgres18: PostgresServer, make_settings: MakeSettings,
        untouched: Recorder,
    ) -> None:  # fmt: skip
        path = run_backup(make_settings(postgres18, "postgres"), ALICE, Recorder()).paths[0]
        error = refused(settings, confirmed(settings, path, settings.pgdatabase), untouched)
        assert isinstance(error, PreflightError)
        assert "The dump is of PostgreSQL 18" in error.problem
        assert "PostgreSQL 18 or newer" in error.fix

    def test_a_psql_that_does_not_know_restrict(
        self, settings: Settings, backup: Path, tmp_path: Path, untouched: Recorder,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        old = tmp_path / "old"
        old.mkdir()
        (old / "psql").write_text("#!/bin/sh\necho 'psql (PostgreSQL) 16.9'\n")
        (old / "psql").chmod(0o755)
        wrapper = pg_dump_wrapper(old, Path(str(_which("pg_dump"))), 'exec "$REAL" "$@"')
        monkeypatch.setenv("PATH", str(wrapper))
        monkeypatch.setattr(tools, "_PACKAGE_DIRECTORIES", ())  # this machine may have a newer one
        error = refused(settings, confirmed(settings, backup, settings.pgdatabase), untouched)
        assert "does not know \\restrict" in str(error)

    def test_extensions_that_the_server_lacks(
        self, settings: Settings, backup: Path, untouched: Recorder
    ) -> None:
        path = self.edited(
            backup,
            lambda sql: sql.replace(
                b"CREATE TABLE",
                b'CREATE EXTENSION IF NOT EXISTS "no such" WITH SCHEMA public;\nCREATE TABLE', 1,
            ),
        )  # fmt: skip
        error = refused(settings, confirmed(settings, path, settings.pgdatabase), untouched)
        assert "lacks extensions that the dump needs: no such" in str(error)

    def edited(self, backup: Path, edit: Callable[[bytes], bytes]) -> Path:
        path = backup.with_name("edited.sql.gz")
        path.write_bytes(gzip.compress(edit(gzip.decompress(backup.read_bytes()))))
        return path

    def test_a_command_in_the_dump(
        self, settings: Settings, backup: Path, tmp_path: Path, untouched: Recorder
    ) -> None:
        touched = tmp_path / "touched"
        command = f"\\! touch {touched}\n".encode()
        path = self.edited(
            backup, lambda sql: sql.replace(b"CREATE TABLE", command + b"CREATE TABLE", 1)
        )
        refused(settings, confirmed(settings, path, settings.pgdatabase), untouched)
        assert not touched.exists()

    def test_tables_of_others(
        self, settings: Settings, backup: Path, postgres16: PostgresServer, untouched: Recorder
    ) -> None:
        with postgres16.connect() as admin:
            admin.execute("CREATE ROLE guest LOGIN PASSWORD 'x'")
        try:
            guest = Settings.model_validate(
                settings.environment() | {"PGUSER": "guest", "PGPASSWORD": "x"}
            )
            error = refused(guest, confirmed(guest, backup, settings.pgdatabase), untouched)
            assert "User guest may not replace public.empty, public.users" in str(error)
            assert "they belong to postgres" in str(error)
        finally:
            with postgres16.connect() as admin:
                admin.execute("DROP ROLE guest")

    def test_a_standby_and_a_prepared_transaction(
        self, backup: Path, open_directory: Path, make_settings: MakeSettings
    ) -> None:
        server = PostgresServer(open_directory, 16, options=("max_prepared_transactions=1",))
        settings = make_settings(server, "postgres")
        with server:
            with server.connect() as connection:
                connection.execute("BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'it'")
            error = refused(settings, confirmed(settings, backup, "postgres"), Recorder())
            assert "1 prepared transactions hold locks" in str(error)
        (server.data / "standby.signal").touch()
        with server:
            error = refused(settings, confirmed(settings, backup, "postgres"), Recorder())
            assert "is a standby" in str(error)


def _which(name: str) -> str | None:
    import shutil

    return shutil.which(name)


def test_a_database_whose_name_no_file_can_have(settings: Settings, backup: Path) -> None:
    with pytest.raises(ConfigurationError, match="'/'"):
        restore(settings, backup, "a/b")
