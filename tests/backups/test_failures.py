"""pg_dump fails, the disk fails, others are in the way: nothing half-made is ever left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in, pg_dump_wrapper, zcat
from tests.conftest import MakeSettings, create_database, drop_database
from tests.support import wait_until

from pgconsole.backups import dumping, tool_process
from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import local_backups
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import (
    Cancelled,
    DamagedError,
    PartlyFailedError,
    PreflightError,
    StorageError,
    ToolError,
)
from pgconsole.report import Event
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage

ALICE = BackupRequest(actor="alice", slot=datetime(2026, 3, 3, 2, 0, tzinfo=UTC))  # a Tuesday

UsePgDump = Callable[[str], None]


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A small database on PostgreSQL 16."""
    return make_settings(postgres16, database)


@pytest.fixture
def use_pg_dump(
    postgres16: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> UsePgDump:
    """Puts a `pg_dump` on PATH that runs a script; the real one is `$REAL`."""

    def use(script: str) -> None:
        wrapper = pg_dump_wrapper(tmp_path / "bin", postgres16.bin_dir / "pg_dump", script)
        monkeypatch.setenv("PATH", f"{wrapper}:{os.environ['PATH']}")

    return use


def sessions(server: PostgresServer, database: str) -> int:
    """How many others are connected to a database."""
    with server.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [database]
        ).fetchone()
    assert row is not None
    return int(row[0])


def assert_nothing_left(settings: Settings, server: PostgresServer) -> None:
    assert files_in(settings) == []
    assert wait_until(lambda: sessions(server, settings.pgdatabase) == 0)


class TestPgDumpFails:
    def test_after_a_whole_dump(
        self,
        settings: Settings,
        postgres16: PostgresServer,
        recorder: Recorder,
        use_pg_dump: UsePgDump,
    ) -> None:
        use_pg_dump('"$REAL" "$@"; echo "pg_dump: error: the last straw" >&2; exit 1')
        with pytest.raises(ToolError) as caught:
            run_backup(settings, ALICE, recorder)
        assert caught.value.problem == "pg_dump failed with exit status 1"
        assert caught.value.cause == "pg_dump: error: the last straw"
        assert "pg_dump: error: the last straw" in recorder.warnings()
        assert_nothing_left(settings, postgres16)

    def test_half_way(
        self,
        settings: Settings,
        postgres16: PostgresServer,
        recorder: Recorder,
        use_pg_dump: UsePgDump,
    ) -> None:
        use_pg_dump('"$REAL" "$@" | head -c 3000; echo "server closed the connection" >&2; exit 1')
        with pytest.raises(ToolError, match="server closed the connection"):
            run_backup(settings, ALICE, recorder)
        assert_nothing_left(settings, postgres16)

    def test_killed(
        self,
        settings: Settings,
        postgres16: PostgresServer,
        recorder: Recorder,
        use_pg_dump: UsePgDump,
    ) -> None:
        use_pg_dump('"$REAL" "$@" | head -c 3000; kill -9 $$')
        with pytest.raises(ToolError, match="pg_dump was killed by SIGKILL"):
            run_backup(settings, ALICE, recorder)
        assert_nothing_left(settings, postgres16)

    @pytest.mark.parametrize("script", ['"$REAL" "$@" | head -c 3000', "true"])
    def test_cut_off_with_exit_status_0(
        self,
        script: str,
        settings: Settings,
        postgres16: PostgresServer,
        recorder: Recorder,
        use_pg_dump: UsePgDump,
    ) -> None:
        use_pg_dump(script)
        with pytest.raises(DamagedError):
            run_backup(settings, ALICE, recorder)
        assert_nothing_left(settings, postgres16)

    def test_its_own_words_when_a_table_is_forbidden(
        self, postgres16: PostgresServer, database: str, make_settings: MakeSettings
    ) -> None:
        with postgres16.connect() as connection:
            connection.execute("CREATE ROLE nosy LOGIN PASSWORD 'x'")
            try:
                settings = make_settings(postgres16, database, PGUSER="nosy", PGPASSWORD="x")
                with pytest.raises(ToolError, match="permission denied for table"):
                    run_backup(settings, ALICE, Recorder())
            finally:
                connection.execute("DROP ROLE nosy")
        assert_nothing_left(settings, postgres16)

    def test_one_that_does_not_end_after_its_last_byte(
        self,
        settings: Settings,
        postgres16: PostgresServer,
        recorder: Recorder,
        use_pg_dump: UsePgDump,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(dumping, "_END_TIMEOUT", 0.3)
        use_pg_dump('"$REAL" "$@"; exec >&-; exec sleep 1000')
        with pytest.raises(ToolError, match="pg_dump did not end"):
            run_backup(settings, ALICE, recorder)
        assert_nothing_left(settings, postgres16)

    def test_its_own_words_where_the_partial_file_cant_be_removed(
        self, settings: Settings, recorder: Recorder, use_pg_dump: UsePgDump
    ) -> None:
        partial = f"{settings.backup_dir}/daily/*.partial"
        use_pg_dump(
            f"until name=$(ls {partial} 2>/dev/null); do sleep 0.01; done; "
            'rm "$name"; mkdir "$name"; echo "the cause" >&2; exit 1'
        )
        with pytest.raises(ToolError, match="the cause"):
            run_backup(settings, ALICE, recorder)
        assert any("can't be removed" in text for text in recorder.warnings())

    def test_a_flood_of_words_is_bounded(
        self, settings: Settings, recorder: Recorder, use_pg_dump: UsePgDump
    ) -> None:
        use_pg_dump('yes "pg_dump: warning: blah" | head -n 200000 >&2; echo last >&2; exit 3')
        with pytest.raises(ToolError) as caught:
            run_backup(settings, ALICE, recorder)
        assert caught.value.cause.endswith("; last")
        assert len(recorder.events) < 5000

    def test_the_next_backup_works(
        self, settings: Settings, recorder: Recorder, use_pg_dump: UsePgDump
    ) -> None:
        use_pg_dump("exit 1")
        with pytest.raises(ToolError):
            run_backup(settings, ALICE, recorder)
        use_pg_dump('exec "$REAL" "$@"')
        assert len(run_backup(settings, ALICE, recorder).paths) == 1


class TestDisk:
    @pytest.fixture
    def large(self, postgres16: PostgresServer) -> Iterator[str]:
        """A database whose dump takes some 4 MB, although its estimate says far less."""
        create_database(
            postgres16, "large",
            "CREATE TABLE t AS SELECT md5(i::text) FROM generate_series(1, 200000) i",
        )  # fmt: skip
        yield "large"
        drop_database(postgres16, "large")

    def test_full_half_way(
        self,
        small_disk: Path,
        large: str,
        postgres16: PostgresServer,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, large, BACKUP_DIR=str(small_disk))
        with pytest.raises(StorageError, match="No space left on device"):
            run_backup(settings, ALICE, recorder)
        assert_nothing_left(settings, postgres16)

    def test_too_small_from_the_start(
        self,
        small_disk: Path,
        database: str,
        postgres16: PostgresServer,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, database, BACKUP_DIR=str(small_disk))
        run_backup(settings, ALICE, recorder)
        (small_disk / "filler").write_bytes(b"x" * LocalStorage(small_disk).free_bytes())
        with pytest.raises(PreflightError, match=r"too little free space: 0 Bytes are free, about"):
            run_backup(settings, ALICE, recorder)

    def test_a_class_that_fails_takes_nothing_from_the_others(
        self, small_disk: Path, settings: Settings, recorder: Recorder
    ) -> None:
        (small_disk / "filler").write_bytes(b"x" * LocalStorage(small_disk).free_bytes())
        (settings.backup_dir / "weekly").symlink_to(small_disk)  # no hard link, no room for a copy
        sunday_the_first = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
        with pytest.raises(PartlyFailedError, match="can't be added to the weekly") as caught:
            run_backup(settings, BackupRequest("alice", slot=sunday_the_first), recorder)
        assert len(caught.value.result.paths) == 2  # type: ignore[attr-defined]
        backups = local_backups(settings).backups
        assert [str(backup.name.backup_class) for backup in backups] == ["daily", "monthly"]
        assert not list(small_disk.glob("*.partial"))


class TestInterruption:
    @pytest.mark.parametrize("phase", ["lock", "preflight", "dump", "verify"])
    def test_cancelled_before_it_is_published(
        self, phase: str, settings: Settings, postgres16: PostgresServer
    ) -> None:
        def report(event: Event) -> None:
            if event.phase == phase:
                raise Cancelled

        with pytest.raises(Cancelled):
            run_backup(settings, ALICE, report)
        assert_nothing_left(settings, postgres16)
        assert run_backup(settings, ALICE, Recorder()).paths

    def test_cancelled_after_it_is_published(self, settings: Settings) -> None:
        def report(event: Event) -> None:
            if event.phase == "publish":
                raise Cancelled

        with pytest.raises(Cancelled):
            run_backup(settings, ALICE, report)
        assert len(local_backups(settings).backups) == 1
        assert local_backups(settings).leftovers == ()

    def test_pg_dump_that_ignores_sigterm_is_ended_with_all_it_started(
        self,
        settings: Settings,
        postgres16: PostgresServer,
        use_pg_dump: UsePgDump,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(tool_process, "_GRACE", 0.3)
        pids = tmp_path / "pids"
        use_pg_dump(
            f'trap \'\' TERM; sleep 1000 & echo $! $$ > {pids}; "$REAL" "$@" | head -c 3000; wait'
        )

        def report(event: Event) -> None:
            if event.bytes_done is not None and pids.exists():
                raise Cancelled

        with pytest.raises(Cancelled):
            run_backup(settings, ALICE, report)
        for pid in pids.read_text().split():
            assert wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists())
        assert_nothing_left(settings, postgres16)

    def test_killed_with_9_then_the_next_backup_cleans_up(
        self,
        settings: Settings,
        postgres16: PostgresServer,
        recorder: Recorder,
        use_pg_dump: UsePgDump,
        tmp_path: Path,
    ) -> None:
        pid_file = tmp_path / "pid"
        use_pg_dump(f'echo $$ > {pid_file}; "$REAL" "$@" | head -c 3000; exec sleep 1000')
        process = start_backup(settings)
        partial = settings.backup_dir / "daily" / f"{settings.pgdatabase}_daily_20260303_020000"
        partial = partial.with_name(partial.name + ".sql.gz.partial")
        wait_until(lambda: partial.exists() and pid_file.exists())
        process.kill()
        process.wait()
        wait_until(lambda: not Path(f"/proc/{pid_file.read_text().strip()}").exists())
        assert files_in(settings) == [f"daily/{partial.name}"]
        assert local_backups(settings).backups == ()
        use_pg_dump('exec "$REAL" "$@"')
        result = run_backup(settings, ALICE, recorder)
        assert f"removed what a killed job left: {partial}" in recorder.warnings()
        assert files_in(settings) == [f"daily/{result.name}", f"daily/{result.name}.manifest.json"]
        assert b"COPY public.users" in zcat(result.paths[0])

    def test_leftovers_of_other_databases_stay(
        self, settings: Settings, recorder: Recorder
    ) -> None:
        directory = settings.backup_dir / "daily"
        directory.mkdir()
        other = directory / f"{settings.pgdatabase}_x_daily_20260303_020000.sql.gz.partial"
        other.write_bytes(b"")
        run_backup(settings, ALICE, recorder)
        assert other.exists()


def start_backup(settings: Settings) -> subprocess.Popen[bytes]:
    """`run_backup` in a process of its own, of the same slot."""
    code = (
        "from datetime import UTC, datetime\n"
        "from pgconsole.backups.backup import BackupRequest, run_backup\n"
        "from pgconsole.settings import load_settings\n"
        "slot = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)\n"
        "run_backup(load_settings(), BackupRequest('alice', slot), lambda event: None)\n"
    )
    environment = settings.environment() | {"PATH": os.environ["PATH"]}
    return subprocess.Popen([sys.executable, "-c", code], env=environment)
