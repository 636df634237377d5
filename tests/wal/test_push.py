"""A segment is archived whole or not at all, once, and never in the place of another."""

from __future__ import annotations

import fcntl
import gzip
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.wal.conftest import NAME, SEGMENT_SIZE, Archiver, Segments, header_of

from pgconsole.errors import DamagedError, PgconsoleError, StorageError
from pgconsole.wal.push import push

WAL = f"pg_wal/{NAME}"
LEVELS = {"plain": (), "gzip": ("--gzip",)}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


class TestPush:
    def test_archives(self, archiver: Archiver, segments: Segments) -> None:
        content = segments.write().read_bytes()
        archiver.push(WAL)
        assert archiver.names == {NAME}
        archived = archiver.archive / NAME
        assert archived.read_bytes() == content
        assert archived.stat().st_nlink == 1
        assert archived.stat().st_mode & 0o777 == 0o600
        assert archiver.archive.stat().st_mode & 0o777 == 0o700
        assert list(archiver.directory.iterdir()) == [archiver.archive]

    def test_gzip(self, archiver: Archiver, segments: Segments) -> None:
        content = segments.write().read_bytes()
        archiver.push("--gzip", WAL)
        (name,) = archiver.names
        assert name == f"{NAME}.gz"
        first = (archiver.archive / name).read_bytes()
        assert gzip.decompress(first) == content
        assert len(first) < 0.6 * len(content)
        (archiver.archive / name).unlink()
        os.utime(segments.data / WAL, (1, 1))
        archiver.push("--gzip", WAL)
        assert (archiver.archive / name).read_bytes() == first

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("00000002.history", b"1\t0/3000000\tno recovery target specified\n"),
            (f"{NAME}.00000028.backup", b"START WAL LOCATION: 0/3000028\n"),
            (f"{NAME}.partial", header_of().ljust(SEGMENT_SIZE, b"\0")),
            ("0000000AFFFFFFFF00000FFF", None),
        ],
    )
    def test_other_files_of_wal(
        self, archive: Path, segments: Segments, name: str, content: bytes | None
    ) -> None:
        path = segments.write(name, content=content)
        push(path, archive)
        assert (archive / name).read_bytes() == path.read_bytes()

    @pytest.mark.parametrize(
        "name",
        [
            "backup_label", "00000001000000000000000", f"{NAME}0", NAME.lower()[:-1] + "a",
            f"{NAME}.gz", f".{NAME}", f"{NAME}\n", "00000002.history.partial", "archive_status",
            f"{NAME}.0000028.backup", "RECOVERYXLOG", "xlogtemp.123", "٠" * 24,
        ],
    )  # fmt: skip
    def test_names_of_anything_else(self, archive: Path, segments: Segments, name: str) -> None:
        path = segments.write(name, content=header_of().ljust(SEGMENT_SIZE, b"\0"))
        with pytest.raises(PgconsoleError, match="is not archived: it is no name"):
            push(path, archive)
        assert not archive.exists()

    def test_needs_no_other_setting_and_no_large_imports(
        self, archiver: Archiver, segments: Segments
    ) -> None:
        segments.write()
        wrong = {"PGPORT": "none", "BACKUP_SCHEDULE": "soon", "S3_ENDPOINT_URL": "nowhere"}
        assert archiver.run(WAL, **wrong) == (0, "")
        code = (
            "import sys; from pgconsole.cli import cli; cli(sys.argv[1:], standalone_mode=False);"
            "print(sorted({'pydantic', 'boto3', 'textual', 'rich', 'psycopg', 'pgconsole.settings'}"
            " & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "wal-push", WAL], cwd=segments.data,
            env=archiver.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout == "[]\n"

    def test_backup_dir_of_the_env_file(self, archiver: Archiver, segments: Segments) -> None:
        segments.write()
        env_file = segments.data / "variables"
        env_file.write_text(f"BACKUP_DIR={archiver.directory}\n")
        assert archiver.run(WAL, BACKUP_DIR="", PGCONSOLE_ENV_FILE=str(env_file)) == (0, "")
        assert archiver.names == {NAME}

    def test_wrong_settings(self, archiver: Archiver, segments: Segments) -> None:
        segments.write()
        for variables, text in (
            ({"BACKUP_DIR": "backups"}, "absolute path"),
            ({"PGCONSOLE_ENV_FILE": "/nonexistent/env"}, "no such file"),
        ):
            code, errors = archiver.run(WAL, **variables)
            assert code == 2
            assert text in errors
        code, errors = archiver.run("--s3", WAL)
        assert code == 2
        assert "S3_BACKUP_BUCKET is not set" in errors

    def test_volume_that_is_not_mounted(self, archiver: Archiver, segments: Segments) -> None:
        segments.write()
        archiver.directory.rmdir()
        code, errors = archiver.run(WAL)
        assert code == 1
        assert "mount the volume" in errors
        assert not archiver.directory.exists()


class TestContent:
    @pytest.mark.parametrize("size", [0, 1, 39, 40, 8192, SEGMENT_SIZE - 1, SEGMENT_SIZE + 1])
    def test_cut_or_grown(self, archive: Path, segments: Segments, size: int) -> None:
        whole = segments.write().read_bytes()
        path = segments.write(content=(whole + whole)[:size])
        with pytest.raises(DamagedError, match="is not archived: it has"):
            push(path, archive)
        assert not archive.exists()

    @pytest.mark.parametrize(
        ("head", "text"),
        [
            (header_of("000000010000000000000004"), "is that of WAL address 400000, not of 300000"),
            (header_of("000000010000000100000003"), "is that of WAL address 100300000"),
            (bytes(40), "does not begin with the header"),
            (header_of(segment_size=3 << 20), "does not begin with the header"),
            (header_of(segment_size=1 << 24), "a segment has 16777216"),
        ],
    )
    def test_of_another_segment(
        self, archive: Path, segments: Segments, head: bytes, text: str
    ) -> None:
        path = segments.write(content=head.ljust(SEGMENT_SIZE, b"\0"))
        with pytest.raises(DamagedError, match=text):
            push(path, archive)
        assert not archive.exists()

    def test_the_first_page_of_a_new_timeline_may_be_of_the_old(
        self, archive: Path, segments: Segments
    ) -> None:
        name = "00000002" + NAME[8:]
        push(segments.write(name), archive)
        assert (archive / name).exists()

    def test_empty_history(self, archive: Path, segments: Segments) -> None:
        with pytest.raises(DamagedError, match="it is empty"):
            push(segments.write("00000002.history", content=b""), archive)

    def test_not_a_file(self, archive: Path, segments: Segments) -> None:
        real = segments.write("000000010000000000000004")
        link = segments.data / WAL
        with pytest.raises(StorageError, match="does not exist"):
            push(link, archive)
        link.symlink_to(real)
        with pytest.raises(StorageError, match="symbolic link"):
            push(link, archive)
        link.unlink()
        os.mkfifo(link)
        with pytest.raises(StorageError, match="not a regular file"):
            push(link, archive)


class TestAgain:
    @pytest.mark.parametrize("first", LEVELS)
    @pytest.mark.parametrize("second", LEVELS)
    def test_identical(
        self, archiver: Archiver, segments: Segments, first: str, second: str
    ) -> None:
        segments.write()
        archiver.push(*LEVELS[first], WAL)
        names = archiver.names
        (archived,) = (archiver.archive / name for name in names)
        before = archived.stat()
        archiver.push(*LEVELS[second], WAL)
        assert archiver.names == names
        after = archived.stat()  # not its atime: it was read, to be compared
        assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)

    @pytest.mark.parametrize("first", LEVELS)
    @pytest.mark.parametrize("second", LEVELS)
    def test_different(
        self, archiver: Archiver, segments: Segments, first: str, second: str
    ) -> None:
        segments.write()
        archiver.push(*LEVELS[first], WAL)
        (archived,) = (archiver.archive / name for name in archiver.names)
        before = archived.read_bytes()
        segments.write()
        code, errors = archiver.run(*LEVELS[second], WAL)
        assert code == 1
        assert "with another content, and is never overwritten" in errors
        assert str(archived) in errors
        assert {path.name: path.read_bytes() for path in archiver.archive.glob("0*")} == {
            archived.name: before
        }
        assert archiver.names == {archived.name}

    @pytest.mark.parametrize("cut", [0, 10, 1000, -1])
    def test_damaged_gzip_is_different(self, archive: Path, segments: Segments, cut: int) -> None:
        path = segments.write()
        push(path, archive, compress=True)
        archived = archive / f"{NAME}.gz"
        archived.write_bytes(archived.read_bytes()[:cut])
        before = archived.read_bytes()
        with pytest.raises(StorageError, match="another content"):
            push(path, archive)
        assert archived.read_bytes() == before

    def test_a_longer_one_is_different(self, archive: Path, segments: Segments) -> None:
        path = segments.write("00000002.history", content=b"1\t0/3000000\tx\n")
        push(path, archive)
        with (archive / path.name).open("ab") as file:
            file.write(b"2\t0/4000000\ty\n")
        with pytest.raises(StorageError, match="another content"):
            push(path, archive)

    def test_a_link_in_the_archive_is_not_followed(self, archive: Path, segments: Segments) -> None:
        path = segments.write()
        archive.mkdir()
        (archive / NAME).symlink_to(path)
        with pytest.raises(StorageError, match="symbolic link"):
            push(path, archive)


class TestFaults:
    def test_killed_between_any_two_steps(self, tmp_path: Path, segments: Segments) -> None:
        path = segments.write()
        content = path.read_bytes()
        status, calls = -9, 0
        while status == -9:
            calls += 1
            archive = tmp_path / f"archive{calls}"
            status = _push_and_die(path, archive, calls)
            _assert_whole_or_missing(archive, content)
            push(path, archive)
            assert {p.name for p in archive.iterdir()} == {NAME, ".lock"}
            assert (archive / NAME).read_bytes() == content
            assert (archive / NAME).stat().st_nlink == 1
        assert status == 0
        assert calls > 8

    @pytest.mark.parametrize("written", [200, 100_000, SEGMENT_SIZE - 1])
    def test_killed_while_it_writes(self, archive: Path, segments: Segments, written: int) -> None:
        path = segments.write()
        archive.mkdir()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # it ends a process as SIGKILL does
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (written, -1))  # the lock has less
            try:
                push(path, archive)
            finally:
                os._exit(99)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGXFSZ
        assert not (archive / NAME).exists()
        assert (archive / f".{NAME}.aside").exists()
        push(path, archive)
        assert {p.name for p in archive.iterdir()} == {NAME, ".lock"}
        assert (archive / NAME).read_bytes() == path.read_bytes()

    def test_disk_full(self, archiver: Archiver, segments: Segments, small_disk: Path) -> None:
        path = segments.write()
        (small_disk / "other").write_bytes(bytes(1 << 20))
        code, errors = archiver.run(WAL, BACKUP_DIR=str(small_disk))
        assert code == 1
        assert "the disk is full" in errors
        assert {p.name for p in (small_disk / "wal").iterdir()} == {".lock"}
        (small_disk / "other").unlink()
        assert archiver.run(WAL, BACKUP_DIR=str(small_disk)) == (0, "")
        assert (small_disk / "wal" / NAME).read_bytes() == path.read_bytes()

    def test_many_at_once(self, archiver: Archiver, segments: Segments) -> None:
        content = segments.write().read_bytes()
        pushes = [archiver.spawn(*LEVELS[kind], WAL) for kind in ["plain", "gzip"] * 4]
        outcomes = [(push.communicate(timeout=60)[1], push.returncode) for push in pushes]
        assert {code for _, code in outcomes} <= {0, 3}
        assert any(code == 0 for _, code in outcomes)
        assert all("another wal-push is at work" in text for text, code in outcomes if code == 3)
        assert len(archiver.names) == 1
        _assert_whole_or_missing(archiver.archive, content)
        archiver.push(WAL)
        assert len(archiver.names) == 1

    def test_while_another_push_works(self, archiver: Archiver, segments: Segments) -> None:
        segments.write()
        archiver.archive.mkdir()
        with (archiver.archive / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            code, errors = archiver.run(WAL)
        assert code == 3
        assert "another wal-push is at work" in errors
        assert archiver.names == set()
        archiver.push(WAL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one and a half segments."""
    mount = tmp_path / "small"
    mount.mkdir()
    options = f"size={SEGMENT_SIZE * 3 // 2},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs root and the right to mount a tmpfs")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def _assert_whole_or_missing(archive: Path, content: bytes) -> None:
    for path in archive.glob("0*"):
        data = path.read_bytes()
        assert (gzip.decompress(data) if path.suffix == ".gz" else data) == content


def _push_and_die(source: Path, archive: Path, calls: int) -> int:
    """Push in a process that kills itself at its n-th call that opens or changes a file.

    Returns:
        Its exit status: -9 if it was killed, 0 if it came to its end before.
    """
    pid = os.fork()
    if pid == 0:
        left = calls

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(count)
            push(source, archive)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
