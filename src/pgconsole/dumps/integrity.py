"""Proves that a dump is whole: every CRC, SHA-256, header, trailer, every COPY ended, every row."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from pgconsole.dumps.cut_check import check_cut
from pgconsole.dumps.layout import FIX, layout
from pgconsole.dumps.manifest import Manifest, Section
from pgconsole.dumps.source import RangedSource
from pgconsole.dumps.sqlnotes import Foreign, MetaCommand
from pgconsole.dumps.survey import Survey
from pgconsole.errors import DamagedError

_PROGRESS_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class CheckedDump:
    """A dump that was proven to be whole.

    Attributes:
        raw_bytes: Size of the dump.
        compressed_bytes: Size of the file.
        sha256: SHA-256 of the file, in hexadecimal.
        sections: Its sections. Without members if the file is not cut into members of sections,
            as the files of the old scripts.
        server_version: As pg_dump wrote it into the header, e.g. `16.4`; may be empty.
        pg_dump_version: Likewise.
        warnings: Sentences for the operator.
        commands: All backslash commands that psql would obey, at most 100 of pg_dump's own and 100
            others.
        foreigners: What else pg_dump doesn't write and can't be followed safely, at most 100.
        extensions: The extensions that it creates.
        misread_at: Where psql would lose its way, see `DumpNotes`.
    """

    raw_bytes: int
    compressed_bytes: int
    sha256: str
    sections: tuple[Section, ...]
    server_version: str
    pg_dump_version: str
    warnings: tuple[str, ...]
    commands: tuple[MetaCommand, ...] = ()
    foreigners: tuple[Foreign, ...] = ()
    extensions: tuple[str, ...] = ()
    misread_at: int | None = None


def check_dump(
    source: RangedSource, manifest: Manifest | None, on_progress: Callable[[int], None]
) -> CheckedDump:
    """Read a dump whole and prove that it is what it should be.

    With a manifest the members are decoded on all cores and everything in it is compared. Without
    one the file is read front to back, whatever members it has, and its sections are found.

    Args:
        source: The file or object.
        manifest: What it should be, if known.
        on_progress: Called in this thread at most five times a second with the compressed bytes
            read so far, of `source.size`. May raise.

    Raises:
        StorageError: The file can't be read.
        DamagedError: It is damaged, no whole dump, or not the manifest's. Says where.
    """
    reading = _Reading(on_progress)
    placed = layout(manifest, source.size) if manifest is not None else []
    if manifest is not None and any(extents for _, extents in placed):
        scanner = check_cut(source, placed, reading.read, reading.progress)
        sections = manifest.sections
    else:
        survey = Survey()
        sections = survey.run(source, reading.read, reading.progress)
        scanner = survey.scanner
    checked = CheckedDump(
        raw_bytes=scanner.offset,
        compressed_bytes=reading.bytes_read,
        sha256=reading.sha256.hexdigest(),
        sections=sections,
        server_version=scanner.notes.server_version,
        pg_dump_version=scanner.notes.pg_dump_version,
        warnings=scanner.warnings(),
        commands=tuple(scanner.notes.commands),
        foreigners=tuple(scanner.notes.foreigners),
        extensions=tuple(scanner.notes.extensions),
        misread_at=scanner.notes.misread_at,
    )
    if manifest is not None:
        _compare(checked, manifest)
    return checked


class _Reading:
    """Hashes what is read, and says how far it is."""

    def __init__(self, on_progress: Callable[[int], None]) -> None:
        self.bytes_read = 0
        self.sha256 = hashlib.sha256()
        self._on_progress = on_progress
        self._due = time.monotonic() + _PROGRESS_EVERY

    def read(self, data: memoryview) -> None:
        """The next bytes of the file."""
        self.sha256.update(data)
        self.bytes_read += len(data)

    def progress(self) -> None:
        """Say how far it is, now and then."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _PROGRESS_EVERY
            self._on_progress(self.bytes_read)


def _compare(checked: CheckedDump, manifest: Manifest) -> None:
    """The whole against its manifest."""
    for what, found, expected in (
        ("SHA-256", checked.sha256, manifest.sha256),
        ("uncompressed size", checked.raw_bytes, manifest.raw_bytes),
    ):
        if found != expected:
            raise _changed(f"{what} of the file is {found}, its manifest says {expected}")
    outline = [_outline(section) for section in checked.sections]
    if outline != [_outline(section) for section in manifest.sections]:
        raise _changed("the tables in it, or their rows, are not as its manifest says")


def _changed(cause: str) -> DamagedError:
    return DamagedError(
        "The dump is not the one that its manifest describes",
        cause=cause,
        fix=FIX,
    )


def _outline(section: Section) -> tuple[str, str | None, str | None, int, int]:
    return section.kind, section.schema_name, section.table, section.rows, section.raw_bytes
