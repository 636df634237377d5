"""The bucket: listing, reading, small objects and copies, on a real S3 server."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from tests.proxy import Proxy
from tests.storage.conftest import NAME, NOON, Contents, MakeS3Settings, manifest_of

from pgconsole.demo.servers import S3Server
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, BackupName
from pgconsole.errors import StorageError
from pgconsole.storage import s3_listing
from pgconsole.storage.base import Place
from pgconsole.storage.s3 import S3Storage

KEY = f"backups/{NAME.relative_path}"
WEEKLY = f"backups/{NAME.in_class(BackupClass.WEEKLY).relative_path}"
ODD_NAMES = ["a b", "it's", 'say "x"', "größe-日本", "a+b=c&d?e#f%20", "Up.per", "app_daily_2"]


class TestListing:
    def test_sorts_what_it_finds(self, storage: S3Storage, contents: Contents) -> None:
        older = f"backups/daily/app_daily_{NOON - timedelta(days=1):%Y%m%d_%H%M%S}.sql.gz"
        orphan = f"backups/daily/gone_daily_20260101_020000.sql.gz{MANIFEST_SUFFIX}"
        contents.put(KEY, b"12345")
        contents.put(KEY + MANIFEST_SUFFIX, b"{}")
        contents.put(older, b"1")
        contents.put(orphan, b"{}")
        foreign = {
            "backups/daily/notes.txt",
            "backups/daily/sub/app_daily_20260101_020000.sql.gz",
            "backups/weekly/app_daily_20260101_020000.sql.gz",
            "backups/daily/app_daily_20260230_020000.sql.gz",
        }
        for key in foreign:
            contents.put(key, b"?")
        contents.put("elsewhere/daily/app_daily_20260101_020000.sql.gz", b"?")
        contents.put("backups/wal/0001", b"?")

        listing = storage.listing()

        assert [(b.location, b.size, b.has_manifest) for b in listing.backups] == [
            (KEY, 5, True),
            (older, 1, False),
        ]
        newest = listing.backups[0]
        assert (newest.name, newest.place) == (NAME, Place.S3)
        assert abs(newest.modified - datetime.now(UTC)) < timedelta(minutes=1)
        assert {found.location for found in listing.foreign} == foreign
        assert listing.leftovers == (orphan,)

    def test_empty(self, storage: S3Storage) -> None:
        storage.check()
        assert storage.listing().backups == ()
        assert list(storage.pages()) == []

    @pytest.mark.parametrize("prefix", ["", "a/b/", "with space/ü/"])
    def test_prefixes(self, s3_settings: MakeS3Settings, contents: Contents, prefix: str) -> None:
        settings = s3_settings(S3_BACKUP_PREFIX=prefix or "/")
        contents.put(f"{prefix}{NAME.relative_path}", b"1")
        contents.put(f"other{prefix}{NAME.relative_path}", b"1")
        listing = S3Storage(settings).listing()
        assert [b.location for b in listing.backups] == [f"{prefix}{NAME.relative_path}"]
        assert listing.foreign == ()

    @pytest.mark.parametrize("database", ODD_NAMES)
    def test_odd_names(self, storage: S3Storage, contents: Contents, database: str) -> None:
        name = BackupName(database, NOON, BackupClass.DAILY)
        key = f"backups/{name.relative_path}"
        contents.put(key, b"12345")
        storage.put_small(key + MANIFEST_SUFFIX, b"{}")
        (backup,) = storage.listing().backups
        assert (backup.name, backup.location, backup.has_manifest) == (name, key, True)
        assert storage.open(backup.location).read_at(1, 2) == b"23"
        weekly = f"backups/{name.in_class(BackupClass.WEEKLY).relative_path}"
        storage.copy(key, weekly, 5)
        assert contents.get(weekly) == b"12345"

    def test_a_manifest_on_the_next_page(
        self, storage: S3Storage, contents: Contents, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_listing, "_PAGE", 1)
        keys = []
        for hour in range(3):
            name = BackupName("app", NOON + timedelta(hours=hour), BackupClass.DAILY)
            keys.append(f"backups/{name.relative_path}")
            contents.put(keys[-1], b"1")
            if hour != 1:
                contents.put(keys[-1] + MANIFEST_SUFFIX, b"{}")
        found = [backup for page in storage.pages() for backup in page]
        assert [(b.location, b.has_manifest) for b in found] == list(
            zip(keys, (True, False, True), strict=True)
        )


class TestReading:
    def test_ranges(self, storage: S3Storage, contents: Contents) -> None:
        contents.put(KEY, bytes(range(256)))
        source = storage.open(KEY)
        assert source.size == 256
        assert source.read_at(10, 3) == bytes([10, 11, 12])
        assert source.read_at(254, 100) == bytes([254, 255])
        assert source.read_at(256, 1) == b""

    def test_an_object_that_was_replaced(self, storage: S3Storage, contents: Contents) -> None:
        contents.put(KEY, b"first")
        source = storage.open(KEY)
        contents.put(KEY, b"other")
        with pytest.raises(StorageError, match="replaced meanwhile"):
            source.read_at(0, 5)

    def test_an_object_that_was_deleted(
        self, storage: S3Storage, contents: Contents, client, s3_bucket: str
    ) -> None:  # type: ignore[no-untyped-def]
        contents.put(KEY, b"first")
        source = storage.open(KEY)
        client.delete_object(Bucket=s3_bucket, Key=KEY)
        with pytest.raises(StorageError, match="no such object"):
            source.read_at(0, 5)
        with pytest.raises(StorageError, match="no such object"):
            storage.read_small(KEY)

    def test_an_answer_that_breaks_off_is_asked_for_again(
        self, s3: S3Server, s3_settings: MakeS3Settings, contents: Contents
    ) -> None:
        contents.put(KEY, b"x" * (1 << 20))
        with Proxy(s3.port) as proxy:
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=proxy.endpoint), timeout=5)
            source = storage.open(KEY)
            proxy.cut_once(to_client=300_000)
            assert source.read_at(0, 1 << 20) == b"x" * (1 << 20)
            assert proxy.cuts == 1

    def test_answers_that_break_off_every_time(
        self, s3: S3Server, s3_settings: MakeS3Settings, contents: Contents
    ) -> None:
        contents.put(KEY, b"x" * (1 << 20))
        with Proxy(s3.port) as proxy:
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=proxy.endpoint), timeout=5)
            source = storage.open(KEY)
            proxy.cut_after(to_client=300_000)
            with pytest.raises(StorageError, match="was cut"):
                source.read_at(0, 1 << 20)

    def test_small(self, storage: S3Storage, contents: Contents) -> None:
        data = manifest_of(NAME).to_json()
        storage.put_small(KEY + MANIFEST_SUFFIX, b"older")
        storage.put_small(KEY + MANIFEST_SUFFIX, data)
        assert storage.read_small(KEY + MANIFEST_SUFFIX) == data
        assert contents.get(KEY + MANIFEST_SUFFIX) == data


class TestCopy:
    def test_copies(self, storage: S3Storage, contents: Contents, s3_settings) -> None:  # type: ignore[no-untyped-def]
        contents.put(KEY, b"x" * 100_000)
        storage.copy(KEY, WEEKLY, 100_000)
        assert contents.get(WEEKLY) == b"x" * 100_000
        assert list((s3_settings().state_dir / "uploads").iterdir()) == []

    def test_never_overwrites(self, storage: S3Storage, contents: Contents) -> None:
        contents.put(KEY, b"new")
        contents.put(WEEKLY, b"old")
        with pytest.raises(StorageError, match="has an object of this name"):
            storage.copy(KEY, WEEKLY, 3)
        assert contents.get(WEEKLY) == b"old"

    def test_a_copy_of_the_wrong_size(self, storage: S3Storage, contents: Contents) -> None:
        contents.put(KEY, b"new")
        with pytest.raises(StorageError, match="it has 3 bytes instead of 4"):
            storage.copy(KEY, WEEKLY, 4)

    def test_no_source(self, storage: S3Storage, contents: Contents) -> None:
        with pytest.raises(StorageError, match="no such object"):
            storage.copy(KEY, WEEKLY, 4)
        assert contents.keys == set()

    def test_in_parts_at_a_store_that_cannot(
        self, s3_settings: MakeS3Settings, contents: Contents
    ) -> None:
        """rclone answers a part's copy with an empty part: that must never become an object."""
        contents.put(KEY, b"x" * 100_000)
        storage = S3Storage(s3_settings(), single_copy_limit=50_000)
        with pytest.raises(StorageError, match="can't copy parts"):
            storage.copy(KEY, WEEKLY, 100_000)
        assert contents.keys == {KEY}
        assert contents.unfinished == set()
        assert list((s3_settings().state_dir / "uploads").iterdir()) == []


def test_importing_does_not_load_boto3() -> None:
    script = "import sys, pgconsole.storage.s3; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
