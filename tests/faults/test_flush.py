"""A disk that takes every byte and fails when it is to keep them: EIO from fsync and fdatasync."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dumps.helpers import assembled, copy_block

# Numbers of the system calls (asm/unistd.h).
CALLS = {"x86_64": {"fsync": 74, "fdatasync": 75}, "aarch64": {"fsync": 82, "fdatasync": 83}}
# The kernel itself fails the call, for the rest of the process (seccomp(2), linux/filter.h).
FAIL = """
import ctypes, struct

def fail(number):
    program = b"".join(
        struct.pack("HBBI", *one)
        for one in [
            (0x20, 0, 0, 0),  # load the call's number
            (0x15, 0, 1, number),  # is it this one?
            (0x06, 0, 0, 0x00050000 | 5),  # then EIO
            (0x06, 0, 0, 0x7FFF0000),  # else go on
        ]
    )
    buffer = ctypes.create_string_buffer(program, len(program))
    filter = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.create_string_buffer(filter, len(filter))) == 0
"""
WRITE = """
import sys
from pathlib import Path
from pgconsole.dumps.writer import write_dump
from pgconsole.errors import StorageError

fail(int(sys.argv[1]))
try:
    write_dump(0, Path(sys.argv[2]), on_progress=lambda *_: None, on_written=lambda _: None)
except StorageError as error:
    print(error)
"""
PUBLISH = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.errors import StorageError
from pgconsole.storage.local import LocalStorage

now = datetime(2026, 3, 3, tzinfo=UTC)
name = BackupName("app", now, BackupClass.DAILY)
storage = LocalStorage(Path(sys.argv[2]).parent)
storage.partial_path(name).write_bytes(b"a dump")
manifest = Manifest(
    database="app", classes=(), taken_at=now, started_at=now, finished_at=now, host="", actor="",
    server_host="", server_version="", pg_dump_version="", options=(),
    raw_bytes=6, compressed_bytes=6, sha256="", sections=(),
)
fail(int(sys.argv[1]))
try:
    storage.publish(name, manifest)
except StorageError as error:
    print(error)
"""

REMOVE = """
import sys
from pathlib import Path
from pgconsole.errors import StorageError
from pgconsole.storage.local import LocalStorage

daily = Path(sys.argv[2]).parent / "daily"
daily.mkdir()
for ending in ("", ".manifest.json"):
    (daily / f"app_daily_20260225_020000.sql.gz{ending}").write_bytes(b"x")
storage = LocalStorage(daily.parent)
(backup,) = storage.listing().backups
fail(int(sys.argv[1]))
try:
    storage.remove(backup)
except StorageError as error:
    print(error)
"""


@pytest.fixture
def calls() -> dict[str, int]:
    """The numbers of the calls on this machine."""
    if platform.machine() not in CALLS:
        pytest.skip("knows the system calls of x86_64 and aarch64 only")
    return CALLS[platform.machine()]


def run(script: str, number: int, path: Path, dump: bytes = b"") -> str:
    done = subprocess.run(
        [sys.executable, "-c", FAIL + script, str(number), str(path)],
        input=dump, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("call", ["fsync", "fdatasync"])
def test_a_dump_that_the_disk_does_not_keep_is_not_written(
    calls: dict[str, int], call: str, tmp_path: Path
) -> None:
    dump, _ = assembled(copy_block(b"public.t", b"1\n"))
    said = run(WRITE, calls[call], tmp_path / "dump.sql.gz.partial", dump)
    assert "Input/output error" in said


def test_a_dump_that_the_disk_does_not_keep_is_not_published(
    calls: dict[str, int], tmp_path: Path
) -> None:
    said = run(PUBLISH, calls["fsync"], tmp_path / "any")
    assert "the disk reported a fault" in said
    assert [path.name for path in (tmp_path / "daily").glob("*.sql.gz")] == []


def test_a_manifest_stays_until_the_disk_has_forgotten_its_dump(
    calls: dict[str, int], tmp_path: Path
) -> None:
    """Else a power loss might bring back the dump alone: it would pass for an old script's."""
    said = run(REMOVE, calls["fsync"], tmp_path / "any")
    assert "the disk reported a fault" in said
    left = [path.name for path in (tmp_path / "daily").iterdir()]
    assert left == ["app_daily_20260225_020000.sql.gz.manifest.json"]
