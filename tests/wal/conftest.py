"""WAL segments as a server writes them, and the real program that archives them."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM

SEGMENT_SIZE = 1 << 20  # bytes; the smallest that PostgreSQL allows
NAME = "000000010000000000000003"


def header_of(name: str = NAME, segment_size: int = SEGMENT_SIZE) -> bytes:
    """The long page header that PostgreSQL 16 writes at the begin of a segment."""
    address = (int(name[8:16], 16) << 32) + int(name[16:24], 16) * segment_size
    return struct.pack(
        "=HHIQI4xQII", 0xD113, 0x0006, 1, address, 0, 7300000000000000000, segment_size, 8192
    )


class Segments:
    """Writes segments into `pg_wal` of a data directory.

    Attributes:
        data: The data directory, in which a server runs its `archive_command`.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        (data / "pg_wal").mkdir(parents=True)

    def write(self, name: str = NAME, *, content: bytes | None = None) -> Path:
        """Write a file; without content, a segment that is right and like no other."""
        if content is None:
            head = header_of(name)
            # Half of it can be compressed, as WAL can.
            noise = os.urandom(SEGMENT_SIZE // 2)
            content = (head + noise).ljust(SEGMENT_SIZE, b"\0")
        path = self.data / "pg_wal" / name
        path.write_bytes(content)
        return path


@pytest.fixture
def segments(tmp_path: Path) -> Segments:
    """A data directory with an empty `pg_wal`."""
    return Segments(tmp_path / "data")


class Archiver:
    """Runs `pgconsole wal-push` as the server's archiver does.

    Attributes:
        directory: BACKUP_DIR.
        environment: All variables of the server.
    """

    def __init__(self, data: Path, directory: Path, environment: dict[str, str]) -> None:
        self._data = data
        self.directory = directory
        self.environment = {"PATH": os.defpath, "BACKUP_DIR": str(directory), **environment}

    @property
    def archive(self) -> Path:
        """Where segments lie."""
        return self.directory / "wal"

    @property
    def names(self) -> set[str]:
        """All files of the archive but the lock."""
        return {path.name for path in self.archive.iterdir()} - {".lock"}

    def spawn(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a push; the caller ends it."""
        return subprocess.Popen(
            [PROGRAM, "wal-push", *arguments],
            cwd=self._data, env=self.environment | variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Push, and return the exit code and what it said; it says nothing on stdout."""
        process = self.spawn(*arguments, **variables)
        output, errors = process.communicate(timeout=60)
        assert output == ""
        return process.returncode, errors

    def push(self, *arguments: str) -> None:
        """Push a file that can be archived: nothing is said."""
        assert self.run(*arguments) == (0, "")


@pytest.fixture
def archiver(segments: Segments, tmp_path: Path) -> Archiver:
    """An archiver with an empty BACKUP_DIR."""
    directory = tmp_path / "backups"
    directory.mkdir()
    return Archiver(segments.data, directory, {})
