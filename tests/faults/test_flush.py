"""A disk that takes every byte and fails when it is to keep them: EIO from fsync and fdatasync."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dumps.helpers import assembled, copy_block
from tests.faults.running import ROOT
from tests.faults.supervisor import Plan, unavailable

# From the call of `fail` on the kernel fails one system call for the rest of the process.
FAIL = "from tests.faults.supervisor import supervised as fail\n"
WRITE = """
import sys
from pathlib import Path
from pgconsole.dumps.writer import write_dump
from pgconsole.errors import StorageError

fail(sys.argv[1])
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
fail(sys.argv[1])
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
fail(sys.argv[1])
try:
    storage.remove(backup)
except StorageError as error:
    print(error)
"""


def run(script: str, call: str, path: Path, dump: bytes = b"") -> str:
    if reason := unavailable():
        pytest.skip(reason)
    log = path.with_name("calls")
    plan = Plan(str(log), calls=(call,), at=1, error=errno.EIO, lasting=True)
    done = subprocess.run(
        [sys.executable, "-c", FAIL + script, plan.to_json(), str(path)],
        input=dump, capture_output=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("call", ["fsync", "fdatasync"])
def test_a_dump_that_the_disk_does_not_keep_is_not_written(call: str, tmp_path: Path) -> None:
    dump, _ = assembled(copy_block(b"public.t", b"1\n"))
    said = run(WRITE, call, tmp_path / "dump.sql.gz.partial", dump)
    assert "Input/output error" in said


def test_a_dump_that_the_disk_does_not_keep_is_not_published(tmp_path: Path) -> None:
    said = run(PUBLISH, "fsync", tmp_path / "any")
    assert "the disk reported a fault" in said
    assert [path.name for path in (tmp_path / "daily").glob("*.sql.gz")] == []


def test_a_manifest_stays_until_the_disk_has_forgotten_its_dump(tmp_path: Path) -> None:
    """Else a power loss might bring back the dump alone: it would pass for an old script's."""
    said = run(REMOVE, "fsync", tmp_path / "any")
    assert "the disk reported a fault" in said
    left = [path.name for path in (tmp_path / "daily").iterdir()]
    assert left == ["app_daily_20260225_020000.sql.gz.manifest.json"]
