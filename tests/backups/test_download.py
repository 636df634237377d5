"""Downloads from S3: whole and proven, or without their name; they go on where they were."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.backups.helpers import Recorder
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup
from tests.proxy import Proxy

from pgconsole import locks
from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.download import download
from pgconsole.backups.integrity import ProvenDump
from pgconsole.backups.restore_copy import check_key, find_copy
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.errors import (
    BusyError,
    Cancelled,
    ConfigurationError,
    DamagedError,
    StorageError,
)
from pgconsole.report import Event
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

SLOT = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
SOME_20_MB = "CREATE TABLE t AS SELECT md5(i::text) || md5(i::text || 'x') AS x " \
             "FROM generate_series(1, 600000) i"  # fmt: skip


@pytest.fixture(scope="module")
def dump(postgres16: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A dump of some 20 MB, five requests long, with its manifest."""
    create_database(postgres16, "download", SOME_20_MB)
    directory = tmp_path_factory.mktemp("dump")
    patch = pytest.MonkeyPatch()
    patch.setenv("PATH", postgres16.environment["PATH"])
    settings = MakeSettings(directory)(postgres16, "download")
    made = run_backup(settings, BackupRequest("alice", SLOT), Recorder())
    patch.undo()
    yield Path(made.paths[0])
    drop_database(postgres16, "download")


@pytest.fixture
def settings(make_settings: MakeSettings, s3_variables: dict[str, str]) -> Settings:
    """A bucket, and no database."""
    return make_settings(**s3_variables)


def put(settings: Settings, key: str, path: Path, *, manifest: bool = True) -> None:
    """Upload a dump and its manifest as any other program would."""
    client = _client(settings)
    client.upload_file(str(path), settings.s3_bucket, key)
    beside = Path(f"{path}.manifest.json")
    if manifest and beside.exists():
        client.upload_file(str(beside), settings.s3_bucket, f"{key}.manifest.json")


def _client(settings: Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )


def fetch(settings: Settings, key: str, report: Any = None) -> ProvenDump:
    copy = find_copy(settings, Place.S3, key)
    proven = download(settings, copy, report or Recorder(), actor="alice", job="")
    proven.source.close()
    return proven


def restored(settings: Settings) -> list[str]:
    directory = settings.backup_dir / "restored"
    return sorted(path.name for path in directory.iterdir() if path.suffix != ".lock")


class TestWhole:
    def test_a_dump_with_its_manifest(self, settings: Settings, dump: Path) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        recorder = Recorder()
        proven = fetch(settings, key, recorder)
        assert proven.path == settings.backup_dir / "restored" / dump.name
        assert proven.path.read_bytes() == dump.read_bytes()
        assert proven.path.stat().st_mode & 0o777 == 0o600
        assert proven.manifest is not None
        assert restored(settings) == [
            dump.name, f"{dump.name}.download.json", f"{dump.name}.manifest.json",
        ]  # fmt: skip
        done = [event.bytes_done for event in recorder.events if event.phase == "download"]
        assert done[-2:] == [dump.stat().st_size, None]

    def test_of_the_old_scripts_without_a_manifest(
        self, settings: Settings, postgres16: PostgresServer, database: str, tmp_path: Path
    ) -> None:
        path = guide_backup(postgres16, database, tmp_path, SLOT)
        put(settings, f"elsewhere/{path.name}", path)
        proven = fetch(settings, f"elsewhere/{path.name}")
        assert proven.path.read_bytes() == path.read_bytes()
        assert proven.manifest is None

    def test_once_downloaded_is_used_again(self, settings: Settings, dump: Path) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        inode = fetch(settings, key).path.stat().st_ino
        recorder = Recorder()
        assert fetch(settings, key, recorder).path.stat().st_ino == inode
        assert "was downloaded before" in recorder.text

    def test_one_that_was_damaged_here_is_downloaded_anew(
        self, settings: Settings, dump: Path
    ) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        path = fetch(settings, key).path
        _flip(path, 5_000_000)
        recorder = Recorder()
        assert fetch(settings, key, recorder).path.read_bytes() == dump.read_bytes()
        assert any(warning.startswith("downloaded anew") for warning in recorder.warnings())

    def test_a_file_that_is_not_ours_is_left_alone(self, settings: Settings, dump: Path) -> None:
        put(settings, "x.sql.gz", dump)
        mine = settings.backup_dir / "restored" / "x.sql.gz"
        mine.parent.mkdir()
        mine.write_bytes(b"mine")
        with pytest.raises(StorageError, match="not downloaded by pgconsole"):
            fetch(settings, "x.sql.gz")
        assert mine.read_bytes() == b"mine"


class TestCutOff:
    def through(self, settings: Settings, proxy: Proxy) -> Settings:
        return settings.model_copy(update={"s3_endpoint_url": f"http://127.0.0.1:{proxy.port}"})

    def test_goes_on_where_it_was(self, settings: Settings, s3: S3Server, dump: Path) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        size = dump.stat().st_size
        with Proxy(s3.port) as proxy:
            through = self.through(settings, proxy)

            def report(event: Event) -> None:
                if event.phase == "download" and event.bytes_done:
                    proxy.cut_after(to_client=1)

            with pytest.raises(StorageError) as caught:
                fetch(through, key, report)
            partial = settings.backup_dir / "restored" / f"{dump.name}.partial"
            have = partial.stat().st_size
            assert 0 < have < size
            assert f"{have} of {size} bytes are here" in caught.value.fix
            assert not partial.with_name(dump.name).exists()
            proxy.heal()
            before = proxy.bytes_to_client
            recorder = Recorder()
            proven = fetch(through, key, recorder)
            assert proxy.bytes_to_client - before < size - have + 200_000  # and some headers
        assert f"from byte {have} on" in recorder.text
        assert proven.path.read_bytes() == dump.read_bytes()

    def test_one_cut_does_not_stop_it(self, settings: Settings, s3: S3Server, dump: Path) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        with Proxy(s3.port) as proxy:
            proxy.cut_once(to_client=dump.stat().st_size // 2)
            proven = fetch(self.through(settings, proxy), key)
            assert proxy.cuts == 1
        assert proven.path.read_bytes() == dump.read_bytes()

    def test_of_another_version_begins_anew(self, settings: Settings, dump: Path) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        self.cancel_half_way(settings, key)
        begun = (settings.backup_dir / "restored" / f"{dump.name}.partial").read_bytes()
        other = gzip.compress(gzip.decompress(dump.read_bytes()), 1)
        _client(settings).put_object(Bucket=settings.s3_bucket, Key=key, Body=other)
        _client(settings).delete_object(Bucket=settings.s3_bucket, Key=f"{key}.manifest.json")
        assert not other.startswith(begun)
        assert fetch(settings, key).path.read_bytes() == other

    def test_what_is_resumed_and_damaged_begins_anew(self, settings: Settings, dump: Path) -> None:
        key = f"backups/daily/{dump.name}"
        put(settings, key, dump)
        self.cancel_half_way(settings, key)
        _flip(settings.backup_dir / "restored" / f"{dump.name}.partial", 1_000_000)
        recorder = Recorder()
        assert fetch(settings, key, recorder).path.read_bytes() == dump.read_bytes()
        assert any(text.startswith("what was resumed is damaged") for text in recorder.warnings())

    def cancel_half_way(self, settings: Settings, key: str) -> None:
        def report(event: Event) -> None:
            if event.bytes_done:
                raise Cancelled

        with pytest.raises(Cancelled):
            fetch(settings, key, report)
        assert [name for name in restored(settings) if name.endswith(".partial")]


class TestDamaged:
    def test_in_s3(self, settings: Settings, dump: Path, tmp_path: Path) -> None:
        bad = tmp_path / dump.name
        bad.write_bytes(dump.read_bytes())
        _flip(bad, 7_000_000)
        put(settings, dump.name, bad)
        with pytest.raises(DamagedError, match="byte"):
            fetch(settings, dump.name)
        assert restored(settings) == []

    def test_truncated_is_refused_before_it_is_downloaded(
        self, settings: Settings, dump: Path, tmp_path: Path
    ) -> None:
        bad = tmp_path / dump.name
        bad.write_bytes(dump.read_bytes()[:-1])
        put(settings, dump.name, bad)
        manifest = Path(f"{dump}.manifest.json")
        _client(settings).upload_file(
            str(manifest), settings.s3_bucket, f"{dump.name}.manifest.json"
        )
        recorder = Recorder()
        with pytest.raises(DamagedError, match="not what its manifest says"):
            fetch(settings, dump.name, recorder)
        assert recorder.events == []


class TestRefused:
    @pytest.mark.parametrize(
        "key",
        ["", "/x.sql.gz", "../x.sql.gz", "a/../x.sql.gz", "a/./x.sql.gz", "a//x.sql.gz", "a/",
         "a/.sql.gz", "x.sql", "a\n.sql.gz"],
    )  # fmt: skip
    def test_a_key_that_is_none(self, settings: Settings, key: str) -> None:
        with pytest.raises(ConfigurationError):
            check_key(settings, key)

    def test_a_key_as_a_url_of_this_bucket(self, settings: Settings) -> None:
        key = "backups/daily/thinktank_daily_20260225_020000.sql.gz"
        assert check_key(settings, f"s3://{settings.s3_bucket}/{key}") == key

    def test_one_that_is_not_there(self, settings: Settings) -> None:
        with pytest.raises(StorageError, match="no such object"):
            find_copy(settings, Place.S3, "backups/daily/x.sql.gz")

    def test_a_disk_that_is_too_small(
        self, settings: Settings, dump: Path, small_disk: Path
    ) -> None:
        put(settings, dump.name, dump)
        there = settings.model_copy(update={"backup_dir": small_disk})
        with pytest.raises(StorageError, match="too little free space"):
            fetch(there, dump.name)

    def test_while_somebody_else_downloads_it(self, settings: Settings, dump: Path) -> None:
        put(settings, dump.name, dump)
        path = settings.backup_dir / "restored" / f".{dump.name}.lock"
        now = datetime.now(UTC).isoformat()
        with (
            locks.hold(path, locks.Holder("bob", "download", now, "there", 1)),
            pytest.raises(BusyError, match="by bob on there"),
        ):
            fetch(settings, dump.name)


def _flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
