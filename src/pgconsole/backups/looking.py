"""Looks inside a backup, here or in S3: rows of its tables and SQL of its objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import islice

from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.confirmation import Copy
from pgconsole.backups.sealed import unsealed
from pgconsole.dumps import copytext
from pgconsole.dumps.copytext import Row
from pgconsole.dumps.front import sections_from_front
from pgconsole.dumps.manifest import Manifest, Section
from pgconsole.dumps.naming import is_encrypted
from pgconsole.dumps.objects import SqlObject, codec, objects, sql
from pgconsole.dumps.reader import DumpReader
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.local_file import LocalFile

# Bytes to ask for at once.
_HEADER = 1 << 14
_PAGE = 1 << 17  # what is looked at is little
_TABLE = 4 << 20
_NEAR = 1 << 17  # the SQL between small tables is read together with their rows
_MOST = 1 << 12  # enough to look at
_EVERY = 0.3  # seconds between two times that what was found so far is told, at least
_SHARE = 5  # telling takes at most one sixth of the time


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a table, in their order.

    Attributes:
        start: The number of the first, from 0.
        rows: Their cells.
    """

    start: int
    rows: tuple[Row, ...]


class Counted:
    """A source that counts what is read of it.

    Args:
        source: Where the bytes are.

    Attributes:
        bytes_read: Bytes so far.
        requests: How often it was asked.
    """

    def __init__(self, source: RangedSource) -> None:
        self._source = source
        self.bytes_read = 0
        self.requests = 0
        self._whole = b""

    @property
    def size(self) -> int:
        """Total bytes."""
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        """As `RangedSource.read_at`. A small file is read once, and kept."""
        if self.size > _NEAR:
            return self._read(offset, length)
        if not self._whole:
            self._whole = self._read(0, self.size)
        return self._whole[offset : offset + length]

    def _read(self, offset: int, length: int) -> bytes:
        data = self._source.read_at(offset, length)
        self.bytes_read += len(data)
        self.requests += 1
        return data


class Look:
    """One opened backup. To be used by one thread at a time.

    Args:
        source: The file or object.
        manifest: What it is.
        most: Bytes of a cell that are given; the rest is in what is exported.

    Raises:
        DamagedError: The manifest is not of this file.
    """

    def __init__(self, source: RangedSource, manifest: Manifest, *, most: int = _MOST) -> None:
        self._most = most
        self.source = Counted(source)
        self._manifest = manifest
        self._reader = DumpReader(self.source, manifest, request=_PAGE)
        self._codec = ""
        # The rows that come next: whoever pages on reads on, from the same request.
        self._table: Section | None = None
        self._next = 0
        self._rows: Iterator[Row] = iter(())

    def page(self, table: Section, start: int, count: int) -> Page:
        """Rows of a table; fewer at its end.

        Args:
            table: A DATA section of the manifest.
            start: The first row, from 0.
            count: How many.

        Raises:
            StorageError: The source can't be read.
            DamagedError: It holds something else than the manifest says.
        """
        if table is not self._table or start != self._next:
            pieces = copytext.as_utf8(self._reader.rows(table, start), self.codec)
            self._rows = copytext.rows(pieces, len(table.columns), self._most)
            self._table = table
        self._table, of = None, self._table  # after an error it begins anew
        rows = tuple(islice(self._rows, count))
        self._table, self._next = of, start + len(rows)
        return Page(start, rows)

    def csv(self, table: Section, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """A table as CSV with a header, in UTF-8, in pieces: no cell is too long. Raises as `page`.

        Args:
            table: A DATA section of the manifest.
            start: The first row, from 0.
            count: How many; None for all from there on.
        """
        request = _TABLE if count is None else _PAGE
        reader = DumpReader(self.source, self._manifest, request=request)
        yield copytext.csv_header(table.columns)
        pieces = copytext.as_utf8(reader.rows(table, start), self.codec)
        wanted = pieces if count is None else copytext.first_rows(pieces, count)
        yield from copytext.csv(wanted, len(table.columns))

    def objects(self) -> Iterator[SqlObject]:
        """All objects, as they are found. Raises as `page`."""
        return objects(DumpReader(_Near(self.source), self._manifest, request=_PAGE))

    def sql(self, found: SqlObject) -> Iterator[str]:
        """The SQL of an object, in pieces. Raises as `page`."""
        for piece in copytext.as_utf8(sql(self._reader, found), self.codec):
            yield piece.decode("utf-8", "backslashreplace")

    @property
    def codec(self) -> str:
        """Python's name of the dump's encoding, read from its first lines."""
        if not self._codec:
            self._codec = codec(DumpReader(self.source, self._manifest, request=_HEADER))
        return self._codec


class _Near:
    """Reads a little more than is asked for, and answers from it what comes next."""

    def __init__(self, source: RangedSource) -> None:
        self._source = source
        self._begin = 0
        self._kept = b""

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if not self._begin <= offset <= end <= self._begin + len(self._kept):
            self._kept = self._source.read_at(offset, max(length, _NEAR))
            self._begin = offset
        return self._kept[offset - self._begin : end - self._begin]


def open_source(settings: Settings, copy: Copy) -> RangedSource:
    """The gzip file of a copy: of an encrypted one what its file holds.

    Raises:
        StorageError: It is not there, or can't be read.
        SealedError: It is encrypted, and no private key that is set opens it.
        DamagedError: It is encrypted, and damaged at its beginning.
    """
    source: RangedSource = (
        LocalFile(copy.location)
        if copy.place is Place.LOCAL
        else s3_storage(settings).open(copy.location)
    )
    return unsealed(settings, source, encrypted=is_encrypted(copy.location))


def look_from_front(
    source: RangedSource, backup: StoredBackup, on_found: Callable[[Manifest], None]
) -> Manifest:
    """What is in a file that has no manifest, found by reading it whole. Nothing is kept of it.

    Args:
        source: The file.
        backup: What it is called.
        on_found: Given all that is known, now and then and where the file is damaged; may raise.

    Returns:
        A manifest in memory; it proves nothing, but tells where the tables are.

    Raises:
        StorageError: The file can't be read.
        DamagedError: It is damaged, or no whole dump; all before that was given.
    """
    sections: list[Section] = []
    due = time.monotonic()
    try:
        for section in sections_from_front(source):
            sections.append(section)
            if (began := time.monotonic()) >= due:
                on_found(_provisional(backup, source.size, sections))
                ended = time.monotonic()
                due = ended + max(_EVERY, _SHARE * (ended - began))
    except DamagedError:
        on_found(_provisional(backup, source.size, sections))
        raise
    return _provisional(backup, source.size, sections)


def _provisional(backup: StoredBackup, size: int, sections: list[Section]) -> Manifest:
    taken = backup.name.taken_at.astimezone(UTC)
    return Manifest(
        database=backup.name.database, classes=(backup.name.backup_class,), taken_at=taken,
        started_at=taken, finished_at=taken, host="", actor="", server_host="",
        server_version="", pg_dump_version="", options=(),
        raw_bytes=sum(section.raw_bytes for section in sections), compressed_bytes=size,
        sha256="", sections=tuple(sections),
    )  # fmt: skip
