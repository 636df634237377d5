"""Without a safety backup nothing is restored, unless the operator asks for it in so many words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder
from tests.backups.restoring import restore, safety_backups, state
from tests.conftest import MakeSettings, create_database, drop_database

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import PgconsoleError
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage

ALICE = BackupRequest("alice", datetime(2026, 3, 3, 2, 0, tzinfo=UTC))


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A small database on PostgreSQL 16."""
    return make_settings(postgres16, database)


@pytest.fixture
def backup(settings: Settings) -> Path:
    """A good backup of it."""
    return Path(run_backup(settings, ALICE, Recorder()).paths[0])


def stopped(settings: Settings, path: Path, database: str, recorder: Recorder) -> PgconsoleError:
    with pytest.raises(PgconsoleError, match="can be made, so nothing was restored") as caught:
        restore(settings, path, database, recorder)
    assert "--without-safety-backup" in caught.value.fix
    assert str(caught.value).count("Next:") == 1
    assert "nothing was sent to the target: it was not touched" in recorder.text
    return caught.value


class TestTheDisk:
    def test_is_full(
        self, settings: Settings, backup: Path, small_disk: Path, postgres16: PostgresServer,
        recorder: Recorder,
    ) -> None:  # fmt: skip
        before = state(postgres16, settings.pgdatabase)
        (settings.backup_dir / "safety").symlink_to(small_disk)
        (small_disk / "filler").write_bytes(b"x" * LocalStorage(small_disk).free_bytes())
        error = stopped(settings, backup, settings.pgdatabase, recorder)
        assert "No space left" in error.cause
        assert state(postgres16, settings.pgdatabase) == before
        assert [path.name for path in small_disk.iterdir()] == ["filler"]

    def test_has_no_room_for_the_estimate(
        self, settings: Settings, backup: Path, small_disk: Path, recorder: Recorder
    ) -> None:
        there = settings.model_copy(update={"backup_dir": small_disk})
        run_backup(there, ALICE, Recorder())
        (small_disk / "filler").write_bytes(b"x" * (LocalStorage(small_disk).free_bytes() - 70_000))
        (small_disk / "more").write_bytes(b"x" * LocalStorage(small_disk).free_bytes())
        error = stopped(there, backup, settings.pgdatabase, recorder)
        assert "too little free space" in error.cause

    def test_has_a_file_where_the_directory_should_be(
        self, settings: Settings, backup: Path, postgres16: PostgresServer, recorder: Recorder
    ) -> None:
        before = state(postgres16, settings.pgdatabase)
        (settings.backup_dir / "safety").write_bytes(b"")
        with postgres16.connect(settings.pgdatabase) as session:
            stopped(settings, backup, settings.pgdatabase, recorder)
            session.execute("SELECT 1")  # it was not cut off
        assert state(postgres16, settings.pgdatabase) == before


class TestATargetThatIsBroken:
    @pytest.fixture
    def broken(self, postgres16: PostgresServer) -> Iterator[str]:
        """A database with a table whose file on the server's disk was damaged."""
        create_database(
            postgres16, "broken",
            "CREATE TABLE users (id int); INSERT INTO users VALUES (1);"
            "CREATE TABLE bad AS SELECT i FROM generate_series(1, 1000) i; CHECKPOINT",
        )  # fmt: skip
        with postgres16.connect("broken") as connection:
            row = connection.execute("SELECT pg_relation_filepath('bad')").fetchone()
            assert row is not None
        drop_buffers(postgres16)
        with (postgres16.data / row[0]).open("r+b") as file:
            file.write(b"\xff" * 100)
        yield "broken"
        drop_database(postgres16, "broken")

    def test_is_not_restored_over(
        self, settings: Settings, backup: Path, broken: str, postgres16: PostgresServer,
        recorder: Recorder,
    ) -> None:  # fmt: skip
        error = stopped(settings, backup, broken, recorder)
        assert "invalid page" in error.cause
        assert rows(postgres16, broken) == 1
        assert list((settings.backup_dir / "safety").iterdir()) == []

    def test_is_restored_over_if_asked_for_in_so_many_words(
        self, settings: Settings, backup: Path, broken: str, postgres16: PostgresServer,
        recorder: Recorder,
    ) -> None:  # fmt: skip
        result = restore(settings, backup, broken, recorder, without_safety_backup=True)
        assert result.safety_backup == ""
        assert rows(postgres16, broken) == 1000
        assert any("going on without it, as asked for" in text for text in recorder.warnings())


def test_one_is_made_although_one_could_go_on_without(settings: Settings, backup: Path) -> None:
    result = restore(settings, backup, settings.pgdatabase, without_safety_backup=True)
    assert [str(path) for path in safety_backups(settings)] == [result.safety_backup]


def test_a_manifest_that_a_killed_restore_left_alone_goes(settings: Settings, backup: Path) -> None:
    manifest = backup.with_name(f"{backup.name}.manifest.json").read_text()
    safety = settings.backup_dir / "safety"
    safety.mkdir()
    lone, others = (safety / f"pre_restore_20260303_02000{n}.sql.gz.manifest.json" for n in (0, 1))
    lone.write_text(manifest)
    others.write_text(manifest.replace(settings.pgdatabase, "another"))
    restore(settings, backup, settings.pgdatabase)
    assert not lone.exists()
    assert others.exists()


def drop_buffers(server: PostgresServer) -> None:
    """Let the server forget the pages it has in memory."""
    server.stop()
    server.start()


def rows(server: PostgresServer, database: str) -> int:
    with server.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()
    assert row is not None
    return int(row[0])
