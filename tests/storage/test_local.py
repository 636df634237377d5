"""The backup directory: what is listed, and that nothing half-made gets a final name."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.storage.conftest import NAME, NOON, manifest_of

from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.storage import files
from pgconsole.storage.base import Place
from pgconsole.storage.local import LocalStorage

DUMP = b"not really gzip, but that is not this layer's business" * 1000


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    directory = tmp_path / "backups"
    directory.mkdir()
    return LocalStorage(directory)


def write_partial(storage: LocalStorage, name: BackupName = NAME, data: bytes = DUMP) -> Path:
    path = storage.partial_path(name)
    path.write_bytes(data)
    return path


def publish(storage: LocalStorage, name: BackupName = NAME, data: bytes = DUMP) -> Path:
    write_partial(storage, name, data)
    return storage.publish(name, manifest_of(name))


def tree(storage: LocalStorage) -> set[str]:
    return {
        str(path.relative_to(storage.backup_dir))
        for path in storage.backup_dir.rglob("*")
        if not path.is_dir()
    }


class TestListing:
    def test_sorts_what_it_finds(self, storage: LocalStorage) -> None:
        daily = storage.backup_dir / "daily"
        older = BackupName("app_daily_2", NOON - timedelta(days=1), BackupClass.DAILY)
        publish(storage)
        publish(storage, older)
        (daily / "old_daily_20250101_020000.sql.gz").write_bytes(b"x")  # of the shell scripts
        (daily / "app_weekly_20260301_120000.sql.gz").write_bytes(b"wrong class")
        (daily / "app_daily_20260230_120000.sql.gz").write_bytes(b"no such day")
        (daily / "notes.txt").write_bytes(b"12345")
        (daily / "notes.partial").write_bytes(b"")
        (daily / "app_daily_20260302_120000.sql.gz").symlink_to(daily / NAME.filename)
        (daily / "app_daily_20260303_120000.sql.gz").mkdir()
        (daily / "app_daily_20260304_120000.sql.gz.partial").write_bytes(b"")
        (daily / "app_daily_20260305_120000.sql.gz.manifest.json").write_bytes(b"")
        (daily / "app_daily_20260306_120000.sql.gz.manifest.json.partial").write_bytes(b"")
        os.mkfifo(daily / "app_daily_20260307_120000.sql.gz")

        listing = storage.listing()

        assert [(b.name.filename, b.has_manifest) for b in listing.backups] == [
            (NAME.filename, True),
            (older.filename, True),
            ("old_daily_20250101_020000.sql.gz", False),
        ]
        newest = listing.backups[0]
        assert newest.place is Place.LOCAL
        assert newest.location == str(daily / NAME.filename)
        assert newest.size == len(DUMP)
        assert abs(newest.modified - datetime.now(UTC)) < timedelta(minutes=1)
        assert {Path(f.location).name for f in listing.foreign} == {
            "app_weekly_20260301_120000.sql.gz",
            "app_daily_20260230_120000.sql.gz",
            "notes.txt",
            "notes.partial",
            "app_daily_20260302_120000.sql.gz",
            "app_daily_20260303_120000.sql.gz",
            "app_daily_20260307_120000.sql.gz",
        }
        assert {Path(f.location).name: f.size for f in listing.foreign}["notes.txt"] == 5
        assert {Path(path).name for path in listing.leftovers} == {
            "app_daily_20260304_120000.sql.gz.partial",
            "app_daily_20260305_120000.sql.gz.manifest.json",
            "app_daily_20260306_120000.sql.gz.manifest.json.partial",
        }
        assert [b for page in storage.pages() for b in page if b.has_manifest] != []

    def test_nothing_yet(self, storage: LocalStorage) -> None:
        assert storage.listing().backups == ()
        assert list(storage.pages()) == []

    def test_a_name_with_bytes_that_are_no_text_is_foreign(self, storage: LocalStorage) -> None:
        storage.partial_path(NAME)
        raw = os.fsencode(storage.backup_dir / "daily") + b"/\xff_daily_20260101_020000.sql.gz"
        os.close(os.open(raw, os.O_CREAT | os.O_WRONLY))
        listing = storage.listing()
        assert listing.backups == ()
        assert len(listing.foreign) == 1

    @pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(b"")])
    def test_no_backup_directory(self, tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
        make(tmp_path / "gone")
        with pytest.raises(StorageError) as caught:
            LocalStorage(tmp_path / "gone").listing()
        assert str(tmp_path / "gone") in caught.value.problem
        assert caught.value.cause in {"it does not exist", "part of the path is not a directory"}
        assert caught.value.fix

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
    def test_unreadable_directory(self, storage: LocalStorage) -> None:
        storage.backup_dir.chmod(0o700)
        os.seteuid(65534)
        try:
            with pytest.raises(StorageError) as caught:
                storage.listing()
        finally:
            os.seteuid(0)
        assert caught.value.cause == "user id 65534 has no permission"

    def test_twenty_thousand_backups(self, storage: LocalStorage) -> None:
        storage.partial_path(NAME)
        for hour in range(20_000):
            name = BackupName("app", NOON + timedelta(hours=hour), BackupClass.DAILY)
            path = storage.path(name)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            os.close(os.open(f"{path}.manifest.json", os.O_CREAT | os.O_WRONLY))
        listing = storage.listing()
        assert len(listing.backups) == 20_000
        assert all(backup.has_manifest for backup in listing.backups)
        assert listing.backups[0].name.taken_at > listing.backups[-1].name.taken_at


class TestReading:
    def test_ranges(self, storage: LocalStorage) -> None:
        source = storage.open(str(publish(storage)))
        assert source.size == len(DUMP)
        assert source.read_at(7, 11) == DUMP[7:18]
        assert source.read_at(len(DUMP) - 3, 100) == DUMP[-3:]
        assert source.read_at(len(DUMP), 1) == b""

    def test_small(self, storage: LocalStorage) -> None:
        path = publish(storage)
        manifest = storage.read_small(f"{path}.manifest.json")
        assert manifest == manifest_of(NAME).to_json()
        os.truncate(path, (64 << 20) + 1)
        with pytest.raises(StorageError, match="more than"):
            storage.read_small(str(path))

    def test_refuses_what_is_no_file(self, storage: LocalStorage, tmp_path: Path) -> None:
        path = publish(storage)
        link, pipe = tmp_path / "link", tmp_path / "pipe"
        link.symlink_to(path)
        os.mkfifo(pipe)
        with pytest.raises(StorageError, match="symbolic link"):
            storage.open(str(link))
        with pytest.raises(StorageError, match="not a regular file"):
            storage.open(str(pipe))
        with pytest.raises(StorageError, match="does not exist"):
            storage.open(str(tmp_path / "missing"))

    def test_descriptors_are_closed(self, storage: LocalStorage) -> None:
        path = publish(storage)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(10):
            storage.open(str(path)).read_at(0, 1)
            storage.read_small(f"{path}.manifest.json")
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_free_bytes(self, storage: LocalStorage) -> None:
        assert storage.free_bytes() > 0
        with pytest.raises(StorageError, match="does not exist"):
            LocalStorage(storage.backup_dir / "gone").free_bytes()


class TestPublish:
    def test_dump_and_manifest(self, storage: LocalStorage) -> None:
        path = publish(storage)
        assert path.read_bytes() == DUMP
        assert tree(storage) == {NAME.relative_path, f"{NAME.relative_path}.manifest.json"}
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.with_name(path.name + ".manifest.json").stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_nlink == 1

    def test_never_overwrites(self, storage: LocalStorage) -> None:
        path = publish(storage)
        manifest = path.with_name(path.name + ".manifest.json")
        before = manifest.read_bytes()
        write_partial(storage, data=b"another")
        other = manifest_of(NAME).model_copy(update={"actor": "somebody else"})
        with pytest.raises(StorageError, match="a file of this name exists"):
            storage.publish(NAME, other)
        assert path.read_bytes() == DUMP
        assert manifest.read_bytes() == before
        storage.discard(NAME)
        assert tree(storage) == {NAME.relative_path, f"{NAME.relative_path}.manifest.json"}

    def test_never_overwrites_what_appeared_in_between(
        self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_partial(storage)
        real = os.link

        def slow(source: Path, target: Path, **options: bool) -> None:
            if target == storage.path(NAME):
                target.write_bytes(b"theirs")
            real(source, target, **options)

        monkeypatch.setattr(os, "link", slow)
        with pytest.raises(StorageError, match="a file of this name exists"):
            storage.publish(NAME, manifest_of(NAME))
        assert storage.path(NAME).read_bytes() == b"theirs"
        assert not Path(f"{storage.path(NAME)}.manifest.json").exists()

    def test_replaces_an_orphan_manifest(self, storage: LocalStorage) -> None:
        write_partial(storage)
        Path(f"{storage.path(NAME)}.manifest.json").write_bytes(b"of a killed job")
        path = storage.publish(NAME, manifest_of(NAME))
        assert Path(f"{path}.manifest.json").read_bytes() == manifest_of(NAME).to_json()

    def test_a_symbolic_link_is_not_published(self, storage: LocalStorage, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_bytes(b"x")
        storage.partial_path(NAME).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(StorageError, match="symbolic link"):
            storage.publish(NAME, manifest_of(NAME))
        assert not storage.path(NAME).exists()

    def test_a_name_with_a_slash(self, storage: LocalStorage) -> None:
        with pytest.raises(ConfigurationError):
            storage.partial_path(BackupName("../../etc/x", NOON, BackupClass.DAILY))

    @pytest.mark.parametrize("renameat2", [True, False])
    def test_without_hard_links(
        self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, renameat2: bool
    ) -> None:
        """Stands in for FAT and network mounts, which can't be made here."""
        monkeypatch.setattr(os, "link", no_links(errno.EPERM))
        if not renameat2:
            monkeypatch.setattr(files, "_libc", object())  # as with an older musl
        path = publish(storage)
        assert tree(storage) == {NAME.relative_path, f"{NAME.relative_path}.manifest.json"}
        partial = write_partial(storage, data=b"another")
        with pytest.raises(FileExistsError):
            files.move(partial, path)
        assert path.read_bytes() == DUMP
        assert partial.exists()


def no_links(number: int):  # type: ignore[no-untyped-def]
    def link(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return link


class TestClasses:
    def test_hard_links(self, storage: LocalStorage) -> None:
        path = publish(storage)
        weekly = storage.add_class(NAME, BackupClass.WEEKLY)
        assert weekly == storage.backup_dir / "weekly" / "app_weekly_20260301_120000.sql.gz"
        assert weekly.samefile(path)
        assert Path(f"{weekly}.manifest.json").samefile(f"{path}.manifest.json")
        assert storage.add_class(NAME, BackupClass.WEEKLY) == weekly

    @pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.EMLINK])
    def test_copies_where_links_do_not_work(
        self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        """Stands in for file systems that can't be made here."""
        publish(storage)
        monkeypatch.setattr(os, "link", no_links(number))
        monthly = storage.add_class(NAME, BackupClass.MONTHLY)
        assert monthly.read_bytes() == DUMP
        assert monthly.stat().st_nlink == 1
        assert monthly.stat().st_mode & 0o777 == 0o600
        assert storage.listing().leftovers == ()
        assert all(backup.has_manifest for backup in storage.listing().backups)

    def test_never_overwrites(self, storage: LocalStorage) -> None:
        publish(storage)
        weekly = storage.path(NAME.in_class(BackupClass.WEEKLY))
        storage.partial_path(NAME.in_class(BackupClass.WEEKLY))
        weekly.write_bytes(b"theirs")
        with pytest.raises(StorageError, match="a file of this name exists"):
            storage.add_class(NAME, BackupClass.WEEKLY)
        assert weekly.read_bytes() == b"theirs"

    def test_a_backup_of_the_shell_scripts_has_no_manifest(self, storage: LocalStorage) -> None:
        storage.partial_path(NAME)
        storage.path(NAME).write_bytes(DUMP)
        weekly = storage.add_class(NAME, BackupClass.WEEKLY)
        assert not Path(f"{weekly}.manifest.json").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB of its own."""
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs root and the right to mount a tmpfs")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


class TestDisk:
    def test_copies_to_another_disk(self, storage: LocalStorage, small_disk: Path) -> None:
        (storage.backup_dir / "weekly").symlink_to(small_disk)
        publish(storage)
        weekly = storage.add_class(NAME, BackupClass.WEEKLY)
        assert weekly.read_bytes() == DUMP
        assert [b.name.backup_class for b in storage.listing().backups] == ["daily", "weekly"]

    def test_full_disk_while_copying(self, storage: LocalStorage, small_disk: Path) -> None:
        (storage.backup_dir / "weekly").symlink_to(small_disk)
        publish(storage, data=os.urandom(2 << 20))
        with pytest.raises(StorageError, match="the disk is full"):
            storage.add_class(NAME, BackupClass.WEEKLY)
        assert list(small_disk.iterdir()) == []

    def test_full_disk_while_publishing(self, small_disk: Path) -> None:
        storage = LocalStorage(small_disk)
        write_partial(storage, data=b"x" * 4096)
        with pytest.raises(OSError, match="No space"):
            (small_disk / "filler").write_bytes(bytes(2 << 20))
        with pytest.raises(StorageError, match="the disk is full"):
            storage.publish(NAME, manifest_of(NAME))
        assert storage.listing().backups == ()
        storage.discard(NAME)
        assert tree(storage) == {"filler"}


def test_two_who_describe_a_dump_at_once_never_publish_half_a_manifest(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = manifest_of(NAME)
    final = publish(storage)
    write_durably = files.write_durably

    def killed_half_way(path: Path, data: bytes) -> None:
        fd = files.create(path)
        os.write(fd, data[:10])
        os.close(fd)
        raise OSError(errno.EIO, "as if it had been killed")

    def beside_another(path: Path, data: bytes) -> None:
        write_durably(path, data)
        monkeypatch.setattr(files, "write_durably", killed_half_way)
        with pytest.raises(StorageError):
            storage.add_manifest(NAME, manifest)

    monkeypatch.setattr(files, "write_durably", beside_another)
    storage.add_manifest(NAME, manifest)
    assert Path(f"{final}.manifest.json").read_bytes() == manifest.to_json()
    (half,) = storage.listing().leftovers
    assert storage.remove_leftovers("app") == [half]


class TestLeftovers:
    def test_exactly_this_database(self, storage: LocalStorage) -> None:
        databases = ("app", "app2", "app_daily", "my_app", "APP")
        for database in databases:
            name = BackupName(database, NOON, BackupClass.DAILY)
            write_partial(storage, name)
            late = BackupName(database, NOON + timedelta(hours=1), BackupClass.DAILY)
            Path(f"{storage.path(late)}.manifest.json").write_bytes(b"{}")
            write_partial(storage, name.in_class(BackupClass.WEEKLY))
            publish(storage, BackupName(database, NOON + timedelta(hours=2), BackupClass.DAILY))
        (storage.backup_dir / "daily" / "app.partial").write_bytes(b"")
        before = tree(storage)

        removed = storage.remove_leftovers("app")

        assert {str(Path(path).relative_to(storage.backup_dir)) for path in removed} == {
            "daily/app_daily_20260301_120000.sql.gz.partial",
            "daily/app_daily_20260301_130000.sql.gz.manifest.json",
            "weekly/app_weekly_20260301_120000.sql.gz.partial",
        }
        assert before - tree(storage) == {
            str(Path(path).relative_to(storage.backup_dir)) for path in removed
        }
        assert storage.remove_leftovers("app") == []

    def test_discard(self, storage: LocalStorage) -> None:
        storage.discard(NAME)
        write_partial(storage)
        storage.discard(NAME)
        assert tree(storage) == set()
