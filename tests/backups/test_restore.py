"""Restores that end well: of every form of backup, into every target, and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.backups.helpers import RICH_SCHEMA, Recorder, without_keys, zcat
from tests.backups.restoring import restore, safety_backups, state
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup
from tests.support import wait_until

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import local_backups, s3_backups
from pgconsole.backups.evidence import Proof, latest, read_evidence
from pgconsole.backups.integrity import prove
from pgconsole.backups.restore_copy import beside
from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

SLOT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
ALICE = BackupRequest("alice", SLOT)
PHASES = [
    "lock", "integrity", "connectivity", "compatibility", "confirmation", "safety", "sessions",
    "restore", "check",
]  # fmt: skip


@pytest.fixture
def target(postgres16: PostgresServer) -> Iterator[str]:
    """A database with other things in it."""
    create_database(
        postgres16, "target",
        "CREATE TABLE users (other int); INSERT INTO users VALUES (1), (2);"
        "CREATE TABLE mine (id int); INSERT INTO mine VALUES (42); CREATE TABLE empty (old int)",
    )  # fmt: skip
    yield "target"
    drop_database(postgres16, "target")


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    """A small database on PostgreSQL 16."""
    return make_settings(postgres16, database)


def phases(recorder: Recorder) -> list[str]:
    """The stages in their order."""
    return list(dict.fromkeys(event.phase for event in recorder.events))


class TestOwnBackups:
    def test_in_place(
        self, settings: Settings, database: str, postgres16: PostgresServer, recorder: Recorder
    ) -> None:
        before = state(postgres16, database)
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        with postgres16.connect(database) as connection:
            connection.execute("DELETE FROM users WHERE id > 10; DROP TABLE empty")
        changed = state(postgres16, database)
        result = restore(settings, path, database, recorder)
        assert state(postgres16, database) == before
        assert phases(recorder) == PHASES
        assert result.database == database
        assert {(check.name, check.found) for check in result.checks} >= {
            ("public.users", 1000), ("public.empty", 0),
        }  # fmt: skip
        assert all(check.expected == check.found for check in result.checks)
        [safety] = safety_backups(settings)
        assert str(safety) == result.safety_backup
        assert without_keys(zcat(safety)) == changed

    def test_a_service_of_the_operator_leads_to_no_other_database(
        self, settings: Settings, database: str, target: str, postgres16: PostgresServer,
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    ) -> None:  # fmt: skip
        """To libpq the file of a service counts more than the environment."""
        before, others = state(postgres16, database), state(postgres16, target)
        (tmp_path / "services").write_text(f"[mine]\ndbname={target}\n")
        with monkeypatch.context() as environment:
            environment.setenv("PGSERVICEFILE", str(tmp_path / "services"))
            environment.setenv("PGSERVICE", "mine")
            path = run_backup(settings, ALICE, Recorder()).paths[0]
            restore(settings, path, database)
        assert without_keys(zcat(path)) == before
        assert state(postgres16, target) == others
        assert without_keys(zcat(safety_backups(settings)[0])) == before

    @pytest.mark.parametrize("version", [16, 18])
    def test_everything_into_another_database(
        self, version: int, request: pytest.FixtureRequest, make_settings: MakeSettings
    ) -> None:
        server: PostgresServer = request.getfixturevalue(f"postgres{version}")
        settings = make_settings(server, "everything")
        create_database(server, "everything", RICH_SCHEMA)
        create_database(server, "empty_target")
        try:
            path = run_backup(settings, ALICE, Recorder()).paths[0]
            restore(settings, path, "empty_target")
            assert state(server, "empty_target") == state(server, "everything")
            restore(settings, path, "empty_target")  # over itself
            assert state(server, "empty_target") == state(server, "everything")
        finally:
            drop_database(server, "everything")
            drop_database(server, "empty_target")

    def test_what_the_backup_does_not_have_stays(
        self, settings: Settings, target: str, postgres16: PostgresServer
    ) -> None:
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        result = restore(settings, path, target)
        with postgres16.connect(target) as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
            assert connection.execute("SELECT * FROM mine").fetchone() == (42,)
        assert result.database == target

    def test_the_evidence_is_kept(self, settings: Settings, target: str) -> None:
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        restore(settings, path, target, job="20260303-020000-restore-abcd")
        [backup] = local_backups(settings).backups
        proof = latest(read_evidence(settings), settings, backup)
        assert proof is not None
        assert (proof.proof, proof.by) == (Proof.RESTORED, "alice")
        assert proof.job == "20260303-020000-restore-abcd"
        assert len(proof.sha256) == 64


class TestOldScripts:
    def test_a_local_file(
        self, settings: Settings, database: str, target: str, postgres16: PostgresServer
    ) -> None:
        path = guide_backup(postgres16, database, settings.backup_dir, SLOT)
        restore(settings, path, target)
        with postgres16.connect(target) as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
        [backup] = local_backups(settings).backups
        proof = latest(read_evidence(settings), settings, backup)
        assert proof is not None
        assert proof.proof is Proof.RESTORED

    def test_a_file_in_s3(
        self,
        postgres16: PostgresServer,
        database: str,
        target: str,
        make_settings: MakeSettings,
        s3_variables: dict[str, str],
        tmp_path: Path,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, database, **s3_variables)
        path = guide_backup(postgres16, database, tmp_path, SLOT)
        key = f"backups/daily/{path.name}"
        _client(settings).upload_file(str(path), settings.s3_bucket, key)
        result = restore(settings, key, target, recorder, place=Place.S3)
        assert result.path == str(settings.backup_dir / "restored" / path.name)
        assert phases(recorder) == ["lock", "download", *PHASES[1:]]
        with postgres16.connect(target) as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
        [backup] = s3_backups(settings).backups
        proof = latest(read_evidence(settings), settings, backup)
        assert proof is not None
        assert proof.proof is Proof.RESTORED
        assert local_backups(settings).backups == ()


class TestSafetyBackups:
    def test_one_is_restored_like_any_other(
        self, settings: Settings, target: str, postgres16: PostgresServer
    ) -> None:
        before = state(postgres16, target)
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        result = restore(settings, path, target)
        assert state(postgres16, target) != before
        undone = restore(settings, result.safety_backup, target)
        assert state(postgres16, target) == before
        assert len(safety_backups(settings)) == 2
        assert undone.safety_backup != result.safety_backup

    def test_it_has_its_manifest_and_is_no_backup_in_a_list(
        self, settings: Settings, target: str
    ) -> None:
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        result = restore(settings, path, target)
        safety = Path(result.safety_backup)
        manifest = beside(settings, safety)
        assert manifest is not None
        assert (manifest.database, manifest.actor, manifest.classes) == (target, "alice", ())
        prove(settings, safety, manifest, Recorder(), encrypted=False).file.close()
        assert safety.stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in safety.parent.iterdir()) == [
            safety.name, f"{safety.name}.manifest.json",
        ]  # fmt: skip
        assert [Path(backup.location) for backup in local_backups(settings).backups] == [Path(path)]

    def test_of_one_second_have_names_of_their_own(
        self, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from pgconsole.backups import safety

        class StoppedClock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return SLOT

        monkeypatch.setattr(safety, "datetime", StoppedClock)
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        for _ in range(2):
            restore(settings, path, target)
        assert [path.name for path in safety_backups(settings)] == [
            "pre_restore_20260303_020000.sql.gz", "pre_restore_20260303_020001.sql.gz",
        ]  # fmt: skip


class TestSessions:
    def test_of_others_are_cut_off(
        self, settings: Settings, target: str, postgres16: PostgresServer, recorder: Recorder
    ) -> None:
        path = run_backup(settings, ALICE, Recorder()).paths[0]
        with postgres16.connect(target) as one, postgres16.connect(target) as other:
            one.execute("BEGIN; LOCK TABLE users IN SHARE MODE")
            result = restore(settings, path, target, recorder)
            assert one.closed or _is_cut(one)
            assert other.closed or _is_cut(other)
        assert result.sessions_cut == 2
        assert "2 sessions of others were cut off" in recorder.text

    def test_those_we_may_not_end_are_named(
        self, database: str, postgres16: PostgresServer, make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:  # fmt: skip
        with postgres16.connect() as admin:
            admin.execute("CREATE ROLE owner LOGIN PASSWORD 'x'; CREATE ROLE boss SUPERUSER")
            admin.execute("CREATE DATABASE owned OWNER owner")
            try:
                settings = make_settings(postgres16, database)
                path = run_backup(settings, ALICE, Recorder()).paths[0]
                as_owner = make_settings(postgres16, database, PGUSER="owner", PGPASSWORD="x")
                with postgres16.connect("owned"):
                    assert restore(as_owner, path, "owned", recorder).sessions_cut == 0
                assert "1 sessions of role postgres stay" in recorder.text
            finally:
                admin.execute("DROP DATABASE owned WITH (FORCE)")
                admin.execute("DROP ROLE owner; DROP ROLE boss")


def _is_cut(connection: Any) -> bool:
    import psycopg

    def gone() -> bool:
        try:
            connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return True
        return False

    return wait_until(gone)


def _client(settings: Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )
