"""What pgconsole reads out of a backup, as a program: `reading.py verify|table FILE`.

There are no commands for these yet; the program does what they will do, start-up included.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Manifest, parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.dumps.reader import DumpReader
from pgconsole.dumps.source import RangedSource
from pgconsole.storage.local_file import LocalFile

TABLE = "accounts"  # 1 % of the dump


class CountingSource:
    """A file, and how many bytes of it were read.

    Args:
        file: What is read.
    """

    def __init__(self, file: RangedSource) -> None:
        self.size = file.size
        self.bytes_read = 0
        self._file = file

    def read_at(self, offset: int, length: int) -> bytes:
        """As the file does, counted."""
        data = self._file.read_at(offset, length)
        self.bytes_read += len(data)
        return data


def read_table(source: RangedSource, manifest: Manifest) -> int:
    """Read the rows of one table; returns their bytes."""
    reader = DumpReader(source, manifest)
    section = reader.find_table("public", TABLE)
    assert section is not None
    return sum(map(len, reader.rows(section)))


def manifest_of(file: Path) -> Manifest:
    """The manifest beside a backup."""
    path = file.with_name(file.name + MANIFEST_SUFFIX)
    return parse_manifest(path.read_bytes(), str(path))


def share_read(file: Path) -> float:
    """Which share of the file's bytes reading the table takes, 0 to 1."""
    source = CountingSource(LocalFile(str(file)))
    read_table(source, manifest_of(file))
    return source.bytes_read / source.size


def _main(what: str, file: Path) -> None:
    source = LocalFile(str(file))
    if what == "verify":
        check_dump(source, manifest_of(file), lambda _: None)
    else:
        read_table(source, manifest_of(file))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
