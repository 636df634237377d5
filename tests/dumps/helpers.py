"""Dumps made by hand, and ways to put them through the writer."""

from __future__ import annotations

import contextlib
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.dumps.manifest import Encryption, Manifest, SectionKind
from pgconsole.dumps.scanner import Boundary, Scanner
from pgconsole.dumps.writer import WrittenDump, write_dump

HEADER = b"""--
-- PostgreSQL database dump
--

\\restrict abcDEF123

-- Dumped from database version 18.4 (Debian 18.4-1)
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
"""
TRAILER = b"""
--
-- PostgreSQL database dump complete
--

\\unrestrict abcDEF123

"""

Piece = tuple[SectionKind, bytes]


def copy_block(table: bytes, rows: bytes, columns: bytes = b" (id, name)") -> list[Piece]:
    """What pg_dump writes for a table's data: the comment with the COPY line, and the rows."""
    comment = b"\n--\n-- Data for Name: t; Type: TABLE DATA\n--\n\n"
    return [
        (SectionKind.BETWEEN, comment + b"COPY " + table + columns + b" FROM stdin;\n"),
        (SectionKind.DATA, rows + b"\\.\n"),
    ]


def assembled(*parts: bytes | list[Piece]) -> tuple[bytes, list[tuple[SectionKind, int]]]:
    """A dump of SQL and COPY blocks between header and trailer, and where its sections end."""
    dump = b""
    ends: list[tuple[SectionKind, int]] = []
    for part in (HEADER, *parts, TRAILER):
        if isinstance(part, bytes):
            dump += part
            continue
        for kind, text in part:
            dump += text
            first = kind is SectionKind.BETWEEN and not ends
            ends.append((SectionKind.BEFORE if first else kind, len(dump)))
    ends.append((SectionKind.AFTER if ends else SectionKind.BEFORE, len(dump)))
    return dump, ends


def scanned(dump: bytes, sizes: list[int] | None = None) -> tuple[Scanner, list[Boundary]]:
    """Feed a dump in chunks of these sizes, over and over; in one piece by default."""
    scanner = Scanner()
    boundaries = []
    pos = turn = 0
    while pos < len(dump):
        size = sizes[turn % len(sizes)] if sizes else len(dump)
        boundaries += scanner.feed(dump[pos : pos + size])
        pos += size
        turn += 1
    return scanner, boundaries + scanner.finish()


def ends_of(boundaries: list[Boundary]) -> list[tuple[SectionKind, int]]:
    """Kinds and ends, to compare with what `assembled` says."""
    return [(boundary.kind, boundary.offset) for boundary in boundaries]


def write(dump: bytes, path: Path, *recipients: str) -> WrittenDump:
    """Put a dump through a pipe into the writer; with recipients it is encrypted."""
    reading, writing = os.pipe()

    def deliver() -> None:
        rest = memoryview(dump)
        with os.fdopen(writing, "wb", buffering=0) as pipe, contextlib.suppress(BrokenPipeError):
            while rest:
                rest = rest[pipe.write(rest) :]

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        return write_dump(
            reading, path, on_progress=lambda *_: None, on_written=lambda _: None,
            recipients=recipients,
        )  # fmt: skip
    finally:
        os.close(reading)
        thread.join()


def manifest_of(written: WrittenDump, **changed: object) -> Manifest:
    """A manifest of what was written."""
    now = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
    manifest = Manifest(
        database="test", classes=(), taken_at=now, started_at=now, finished_at=now, host="h",
        actor="a", server_host="s", server_version=written.server_version,
        pg_dump_version=written.pg_dump_version, options=(), raw_bytes=written.raw_bytes,
        compressed_bytes=written.compressed_bytes, sha256=written.sha256,
        sections=written.sections,
        encryption=Encryption(recipients=(), gzip_bytes=written.gzip_bytes)
        if written.gzip_bytes != written.compressed_bytes
        else None,
    )  # fmt: skip
    return manifest.model_copy(update=changed)


class BytesSource:
    """A source in memory that counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bytes_read = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        data = self.data[offset : offset + length]
        self.bytes_read += len(data)
        return data
