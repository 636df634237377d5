"""One table out of a backup, as a program: `reading.py FILE`.

It stops where `pgconsole rows` begins to decode the cells, as the filter it is compared with does.
"""

from __future__ import annotations

import sys
from pathlib import Path

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


if __name__ == "__main__":
    file = Path(sys.argv[1])
    read_table(LocalFile(str(file)), manifest_of(file))
