"""One backup of a database at a time, on this host and on any other."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in
from tests.conftest import MakeSettings

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.locking import database_lock
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import BusyError
from pgconsole.postgres.server import advisory_lock
from pgconsole.report import Event
from pgconsole.settings import Settings

ALICE = BackupRequest(actor="alice", slot=datetime(2026, 3, 3, 2, 0, tzinfo=UTC))  # a Tuesday


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A small database on PostgreSQL 16."""
    return make_settings(postgres16, database)


class TestBusy:
    def test_who_what_since_when_and_what_next(
        self, settings: Settings, recorder: Recorder
    ) -> None:
        with (
            database_lock(settings, settings.pgdatabase, what="backup", actor="bob", job="j7"),
            pytest.raises(BusyError) as caught,
        ):
            run_backup(settings, ALICE, recorder)
        assert caught.value.exit_code == 3
        assert settings.pgdatabase in caught.value.problem
        assert f"backup by bob on {os.uname().nodename} (process {os.getpid()})" in (
            caught.value.cause
        )
        assert f"since {datetime.now(UTC):%Y-%m-%d}" in caught.value.cause
        assert caught.value.cause.endswith("UTC (now)")
        assert "pgconsole cancel j7" in caught.value.fix

    def test_another_host_by_the_lock_in_the_database(
        self, settings: Settings, recorder: Recorder
    ) -> None:
        with (
            advisory_lock(settings, "backup by bob on host2"),
            pytest.raises(BusyError, match="held by backup by bob on host2, connected from"),
        ):
            run_backup(settings, ALICE, recorder)
        assert files_in(settings) == []

    def test_another_backup_directory_of_the_same_database(
        self, settings: Settings, recorder: Recorder, tmp_path: Path
    ) -> None:
        elsewhere = settings.model_copy(update={"backup_dir": tmp_path / "elsewhere"})
        refused: list[BaseException] = []

        def report(event: Event) -> None:
            recorder(event)
            if event.phase == "verify":
                with pytest.raises(BusyError) as caught:
                    run_backup(elsewhere, replace(ALICE, actor="bob"), Recorder())
                refused.append(caught.value)

        run_backup(settings, ALICE, report)
        assert "held by backup by alice on " in str(refused[0])
        assert files_in(elsewhere) == []

    def test_another_database_is_not_hindered(
        self, settings: Settings, postgres16: PostgresServer, make_settings: MakeSettings
    ) -> None:
        with database_lock(settings, settings.pgdatabase, what="backup", actor="bob", job=""):
            assert run_backup(make_settings(postgres16), ALICE, Recorder()).paths


class TestAdvisoryLockLost:
    def test_it_is_said_and_the_dump_stands(
        self, settings: Settings, postgres16: PostgresServer, recorder: Recorder
    ) -> None:
        def report(event: Event) -> None:
            recorder(event)
            if event.phase == "verify":
                with postgres16.connect() as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE application_name LIKE 'pgconsole backup by %%' AND datname = %s",
                        [settings.pgdatabase],
                    )

        assert run_backup(settings, ALICE, report).paths
        assert any("lock in the database was lost" in text for text in recorder.warnings())
