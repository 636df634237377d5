"""After every command once: all is private whatever the umask was, and no secret is anywhere."""

from __future__ import annotations

import base64
import gzip
import os
import stat
from pathlib import Path

import pytest
from tests.security.tour import MARK, PASSWORD, SECRET_KEY, SESSION_TOKEN, STRANGERS, Tour

from pgconsole.demo.servers import S3Server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("security"), pytest.mark.timeout(600)]

# What a client tool may know: where to connect, how, and where its own files are.
ALLOWED = {
    "PATH", "HOME", "LANG", "LC_ALL", "PWD", "SHLVL", "_", "PGHOST", "PGPORT", "PGUSER",
    "PGPASSWORD", "PGDATABASE", "PGAPPNAME", "PGCONNECT_TIMEOUT",
}  # fmt: skip


@pytest.mark.parametrize("which", ["tour", "strict_tour"])
def test_everything_is_private(which: str, request: pytest.FixtureRequest):
    tour: Tour = request.getfixturevalue(which)
    everything = [tour.backup_dir.parent, tour.backup_dir, *tour.backup_dir.rglob("*")]
    places = {path.relative_to(tour.backup_dir).parts[0] for path in everything[2:]}
    assert places == {"daily", "wal", "safety", "restored", ".pgconsole"} | (
        places & {"weekly", "monthly"}
    )
    state = {path.name for path in (tour.backup_dir / ".pgconsole").iterdir()}
    assert state >= {"jobs", "locks", "uploads", "schedule", "audit.log", "evidence.jsonl"}
    wrong = {}
    for path in [*everything, tour.directory / "users.csv"]:
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        right = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        if mode != right or not (path.is_dir() or path.is_file()) or path.is_symlink():
            wrong[str(path)] = oct(status.st_mode)
    assert not wrong


def test_no_secret_is_in_any_file(tour: Tour, s3_with_secret: S3Server):
    files = [path for path in tour.backup_dir.rglob("*") if path.is_file()]
    files += [path for path in s3_with_secret.buckets.rglob("*") if path.is_file()]
    assert len(files) > 50
    for path in files:
        _must_be_clean(path.read_bytes(), path)
        _must_be_clean(os.fsencode(path), path)
        if path.name.endswith(".sql.gz"):
            _must_be_clean(gzip.decompress(path.read_bytes()), path)
    journals = [path.read_text() for path in tour.backup_dir.glob(".pgconsole/jobs/*/*.json*")]
    assert any("postgresql://tour:***@host/db failed" in text for text in journals)
    assert any("PGPASSWORD=***" in text for text in journals)


def test_no_secret_is_in_any_output(tour: Tour):
    assert len(tour.outputs) > 35
    for command, output in tour.outputs.items():
        _must_be_clean(output.encode(), command)
    assert "PGDATABASE is ***" in tour.outputs["PGDATABASE info"]
    assert "S3_ENDPOINT_URL is ***" in tour.outputs["S3_ENDPOINT_URL info"]
    info = tour.outputs["info"]
    assert [info.count(f"{name}") for name in ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY")] == [1, 1]


def test_no_secret_is_in_any_command_line(tour: Tour):
    assert any(b"pgconsole.jobs.runner" in line for line in tour.command_lines)
    assert any(line.startswith(b"pg_dump") or b"/pg_dump" in line for line in tour.command_lines)
    for line in tour.command_lines:
        if MARK.encode() in line:  # what the tour itself typed, to see that it is refused
            assert b"--database" in line


@pytest.mark.parametrize("tool", ["version", "pg_dump", "psql"])
def test_tools_know_what_they_need_and_no_more(tour: Tour, tool: str):
    lines = (tour.seen / tool).read_text().splitlines()
    names = {line.partition("=")[0] for line in lines}
    assert names <= ALLOWED
    assert not names & STRANGERS.keys()
    knows_password = f"PGPASSWORD={PASSWORD}" in lines
    assert knows_password == (tool != "version")


def _must_be_clean(content: bytes, where: Path | str) -> None:
    forms = [
        MARK.encode(),
        *(base64.b64encode(b"x" * shift + MARK.encode())[4:-4] for shift in (0, 1, 2)),
    ]
    forms += [secret.encode() for secret in (PASSWORD, SECRET_KEY, SESSION_TOKEN)]
    for form in forms:
        assert form not in content, where
