"""The backup operation when all goes well, on real servers."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import sql
from tests.backups.helpers import (
    RICH_SCHEMA,
    Recorder,
    files_in,
    pg_dump_wrapper,
    plain_dump,
    restore,
    without_keys,
    zcat,
)
from tests.conftest import MakeSettings, create_database, drop_database

from pgconsole.backups.backup import BackupRequest, BackupResult, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups, s3_backups
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.errors import ConfigurationError
from pgconsole.settings import Settings

ALICE = BackupRequest(actor="alice", slot=datetime(2026, 3, 3, 2, 0, tzinfo=UTC))  # a Tuesday
SUNDAY_THE_FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def rich(postgres: PostgresServer) -> Iterator[tuple[PostgresServer, str]]:
    """A database with everything in it, on each version in turn."""
    create_database(postgres, "rich", RICH_SCHEMA)
    create_database(postgres, "rich_copy")
    yield postgres, "rich"
    drop_database(postgres, "rich")
    drop_database(postgres, "rich_copy")


class TestRoundTrip:
    def test_bytes_are_pg_dumps_and_restore_to_the_same(
        self, rich: tuple[PostgresServer, str], make_settings: MakeSettings, recorder: Recorder
    ) -> None:
        server, database = rich
        result = run_backup(make_settings(server, database), ALICE, recorder)
        expected = without_keys(plain_dump(server, database))
        assert without_keys(zcat(result.paths[0])) == expected
        restore(server, "rich_copy", result.paths[0])
        assert without_keys(plain_dump(server, "rich_copy")) == expected

    def test_manifest_says_what_is_inside(
        self, rich: tuple[PostgresServer, str], make_settings: MakeSettings, recorder: Recorder
    ) -> None:
        server, database = rich
        settings = make_settings(server, database)
        result = run_backup(settings, ALICE, recorder)
        (stored,) = local_backups(settings).backups
        manifest = load_manifest(settings, stored)
        assert manifest is not None
        rows = {(table.schema_name, table.table): table.rows for table in manifest.tables}
        assert rows[("public", "users")] == 3000
        assert rows[("Mixed Case", 'Od;d "na--me"')] == 3
        assert rows[("public", "empty")] == 0
        assert rows[("public", "events_2025")] + rows[("public", "events_2026")] == 401
        assert (manifest.database, manifest.actor) == (database, "alice")
        assert manifest.pg_dump_version.startswith(str(server.bin_dir.parent.name[9:] or 16))
        assert manifest.sha256 == result.sha256
        assert manifest.compressed_bytes == Path(result.paths[0]).stat().st_size
        assert manifest.raw_bytes == result.raw_bytes == len(zcat(result.paths[0]))
        assert (result.tables, result.rows) == (len(rows), sum(rows.values()))


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_other_encodings(
    encoding: str,
    postgres16: PostgresServer,
    make_settings: MakeSettings,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "UTF8")  # must not change the dump
    with postgres16.connect() as connection:
        connection.execute(
            f"CREATE DATABASE encoded ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
    try:
        with postgres16.connect("encoded") as connection:
            connection.execute("SET client_encoding = 'LATIN1'")
            connection.execute("""CREATE TABLE "t\u00e4" AS SELECT 'gr\u00fc\u00dfe' AS x""")
        result = run_backup(make_settings(postgres16, "encoded"), ALICE, recorder)
        expected = without_keys(plain_dump(postgres16, "encoded"))
    finally:
        drop_database(postgres16, "encoded")
    assert without_keys(zcat(result.paths[0])) == expected
    assert b"gr\xfc\xdfe" in expected


def test_files_are_private(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, recorder: Recorder
) -> None:
    before = os.umask(0)
    try:
        settings = make_settings(postgres16, database)
        run_backup(settings, ALICE, recorder)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in settings.backup_dir.rglob("*")}
    assert modes
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items())


class TestEvents:
    def test_they_tell_the_story(
        self,
        postgres16: PostgresServer,
        database: str,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        result = run_backup(make_settings(postgres16, database), ALICE, recorder)
        phases = list(dict.fromkeys(event.phase for event in recorder.events))
        assert phases == ["lock", "preflight", "dump", "verify", "publish", "retention"]
        assert (
            f"PGPASSWORD=*** PGDATABASE={database} {postgres16.bin_dir}/pg_dump "
            "--no-owner --no-acl --clean --if-exists --no-password"
        ) in recorder.text
        assert postgres16.password not in recorder.text
        assert result.sha256 in recorder.text
        assert recorder.warnings() == []

    def test_the_last_backup_is_the_estimate_of_the_next(
        self,
        postgres16: PostgresServer,
        database: str,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, database)
        first = run_backup(settings, ALICE, recorder)
        assert "an estimate from the size of the database" in recorder.text
        again = Recorder()
        run_backup(settings, ALICE, again)
        assert "an estimate from the backup of 20" in again.text
        expected = {event.bytes_expected for event in again.events if event.bytes_done} - {None}
        assert expected <= {first.raw_bytes}


class TestNames:
    def test_two_backups_of_one_slot_take_two_seconds(
        self,
        postgres16: PostgresServer,
        database: str,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, database)
        request = BackupRequest("alice", slot=datetime(2026, 3, 3, 23, 59, 59, 999, tzinfo=UTC))
        names = [run_backup(settings, request, recorder).name for _ in range(2)]
        assert names == [
            f"{database}_daily_20260303_235959.sql.gz",
            f"{database}_daily_20260304_000000.sql.gz",
        ]

    def test_classes_follow_the_schedules_time_zone_and_names_utc(
        self,
        postgres16: PostgresServer,
        database: str,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, database, BACKUP_TIMEZONE="Pacific/Auckland")
        # 02:00 on Sunday, the 1st of February in Auckland.
        slot = datetime(2026, 1, 31, 13, 0, tzinfo=UTC)
        result = run_backup(settings, BackupRequest("alice", slot=slot), recorder)
        assert [Path(path).name for path in result.paths] == [
            f"{database}_{cls}_20260131_130000.sql.gz" for cls in ("daily", "weekly", "monthly")
        ]

    @pytest.mark.parametrize(
        "name",
        ["two words", 'it\'s "quoted"', "UPPER", "a.b..c", "app_daily_2", "x_daily_20260101_000000",
         "Ünïcødé→", "-leading", "a=b", "%s[bold]", "$(id)`", "back\\slash", "~"],
    )  # fmt: skip
    def test_odd_database_names(
        self, name: str, postgres16: PostgresServer, make_settings: MakeSettings, recorder: Recorder
    ) -> None:
        create_database(postgres16, name, "CREATE TABLE t AS SELECT 1 AS one")
        try:
            settings = make_settings(postgres16, name)
            result = run_backup(settings, ALICE, recorder)
        finally:
            drop_database(postgres16, name)
        (stored,) = local_backups(settings).backups
        assert stored.name.database == name
        assert stored.location == result.paths[0]
        assert b"COPY public.t (one) FROM stdin;\n1\n" in zcat(result.paths[0])

    @pytest.mark.parametrize(("name", "char"), [("a/b", "'/'"), ("a\nb", r"'\n'"), (".x", "'.'")])
    def test_names_that_no_file_can_have_are_refused_before_anything_runs(
        self,
        name: str,
        char: str,
        postgres16: PostgresServer,
        make_settings: MakeSettings,
        recorder: Recorder,
    ) -> None:
        settings = make_settings(postgres16, name)
        with pytest.raises(ConfigurationError) as caught:
            run_backup(settings, ALICE, recorder)
        assert caught.value.exit_code == 2
        assert char in caught.value.cause
        assert recorder.events == []
        assert list(settings.backup_dir.iterdir()) == []


class TestPasswords:
    @pytest.mark.parametrize(
        "password", ["p@ss#w:o/r\\d", 'it\'s "quoted" 100%', " two  spaces ", "pässwörd→"]
    )
    def test_odd_passwords_work_and_are_nowhere(
        self,
        password: str,
        *,
        postgres16: PostgresServer,
        database: str,
        make_settings: MakeSettings,
        recorder: Recorder,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        seen = tmp_path / "seen"
        script = f'cat /proc/$$/cmdline > {seen}; exec "$REAL" "$@"'
        wrapper = pg_dump_wrapper(tmp_path / "bin", postgres16.bin_dir / "pg_dump", script)
        monkeypatch.setenv("PATH", f"{wrapper}:{os.environ['PATH']}")
        settings = make_settings(postgres16, database, PGUSER="odd", PGPASSWORD=password)
        with postgres16.connect() as connection:
            statement = sql.SQL("CREATE ROLE odd SUPERUSER LOGIN PASSWORD {}")
            connection.execute(statement.format(sql.Literal(password)))
            try:
                run_backup(settings, ALICE, recorder)
            finally:
                connection.execute("DROP ROLE odd")
        arguments = seen.read_bytes().split(b"\0")
        assert arguments[2:-2] == [
            b"--no-owner", b"--no-acl", b"--clean", b"--if-exists", b"--no-password",
        ]  # fmt: skip
        assert password not in recorder.text
        for path in settings.backup_dir.rglob("*"):
            assert path.is_dir() or password.encode() not in path.read_bytes()


class TestClasses:
    @pytest.fixture
    def settings(
        self, postgres16: PostgresServer, database: str, make_settings: MakeSettings,
        s3_variables: dict[str, str],
    ) -> Settings:  # fmt: skip
        return make_settings(postgres16, database, **s3_variables)

    def test_hard_links_and_server_side_copies(
        self, settings: Settings, recorder: Recorder, s3: S3Server
    ) -> None:
        request = BackupRequest("alice", slot=SUNDAY_THE_FIRST)
        result = run_backup(settings, request, recorder)
        names = [
            f"{cls}/{settings.pgdatabase}_{cls}_20260201_020000.sql.gz"
            for cls in ("daily", "weekly", "monthly")
        ]
        assert [str(Path(path).relative_to(settings.backup_dir)) for path in result.paths] == names
        assert len({Path(path).stat().st_ino for path in result.paths}) == 1
        assert list(result.keys) == [f"backups/{name}" for name in names]
        data = Path(result.paths[0]).read_bytes()
        for key in result.keys:
            assert (s3.buckets / settings.s3_bucket / key).read_bytes() == data
        assert sorted(backup.location for backup in s3_backups(settings).backups) == sorted(
            result.keys
        )

    def test_manifests_are_the_same_everywhere(
        self, settings: Settings, recorder: Recorder
    ) -> None:
        run_backup(settings, BackupRequest("alice", slot=SUNDAY_THE_FIRST), recorder)
        stored = [*local_backups(settings).backups, *s3_backups(settings).backups]
        manifests = [load_manifest(settings, backup) for backup in stored]
        assert len(manifests) == 6
        assert manifests[0] is not None
        assert all(manifest == manifests[0] for manifest in manifests)
        assert manifests[0].classes == ("daily", "weekly", "monthly")


def test_a_missing_directory_is_made(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, recorder: Recorder
) -> None:
    settings = make_settings(postgres16, database)
    settings = make_settings(
        postgres16, database, BACKUP_DIR=str(settings.backup_dir / "deep" / "er")
    )
    result: BackupResult = run_backup(settings, ALICE, recorder)
    assert files_in(settings) == [
        f"daily/{result.name}",
        f"daily/{result.name}.manifest.json",
    ]
    manifest = json.loads(
        (settings.backup_dir / "daily" / f"{result.name}.manifest.json").read_text()
    )
    assert manifest["format"] == "pgconsole-manifest"
