"""Proves that a dump is whole: every CRC, SHA-256, header, trailer, every COPY ended, every row."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pgconsole.dumps.cut_check import check_cut
from pgconsole.dumps.hashed import Hashed
from pgconsole.dumps.layout import FIX, layout
from pgconsole.dumps.manifest import Manifest, Section
from pgconsole.dumps.members import ByteRange
from pgconsole.dumps.source import RangedSource
from pgconsole.dumps.sqlnotes import Foreign, MetaCommand
from pgconsole.dumps.survey import Survey
from pgconsole.errors import DamagedError

if TYPE_CHECKING:
    from pgconsole.dumps.age_keys import Identity

_PROGRESS_EVERY = 0.2  # seconds
_REQUEST = 4 << 20  # bytes to ask the source for at once


@dataclass(frozen=True, slots=True)
class CheckedDump:
    """A dump that was proven to be whole.

    Attributes:
        raw_bytes: Size of the dump.
        compressed_bytes: Size of the file.
        gzip_bytes: Size of the gzip file: the same, unless it is encrypted.
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
    gzip_bytes: int
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
        source: The gzip file: the file or object, or what an encrypted one holds.
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
        gzip_bytes=reading.bytes_read,
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


def check_sealed(
    source: RangedSource,
    manifest: Manifest | None,
    identities: Sequence[Identity],
    on_progress: Callable[[int], None],
) -> CheckedDump:
    """As `check_dump`, of an encrypted dump: also each byte of its file is proven.

    Args:
        source: The age file.
        manifest: What it should be, if known.
        identities: Private keys, one of which opens it.
        on_progress: As `check_dump` has it, of about `source.size`.

    Raises:
        StorageError: The file can't be read.
        SealedError: None of the keys opens it.
        DamagedError: It is damaged, no whole dump, or not the manifest's. Says where.
    """
    from pgconsole.dumps.age_file import AgeFile  # noqa: PLC0415 - only where it is encrypted

    file = Hashed(source)
    checked = check_dump(AgeFile(file, identities), manifest, on_progress)
    assert file.hashed == source.size  # it is read in its order, to its end
    _compare_file(file.sha256, manifest)
    return replace(checked, compressed_bytes=source.size, sha256=file.sha256)


def check_bytes(
    source: RangedSource, manifest: Manifest, on_progress: Callable[[int], None]
) -> str:
    """Read an encrypted file whole without looking into it: has it the bytes that were written?

    Args:
        source: The file.
        manifest: What it should be.
        on_progress: As `check_dump` has it.

    Returns:
        Its SHA-256, in hexadecimal.

    Raises:
        StorageError: The file can't be read.
        DamagedError: It is not the manifest's.
    """
    reading = _Reading(on_progress)
    for piece in ByteRange(source, 0, source.size, _REQUEST).take(source.size, _REQUEST):
        reading.read(piece)
        reading.progress()
    found = reading.sha256.hexdigest()
    _compare_file(found, manifest)
    return found


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
    if manifest.encryption is None:  # else it is that of the age file
        _compare_file(checked.sha256, manifest)
    if checked.raw_bytes != manifest.raw_bytes:
        raise _changed(
            f"its uncompressed size is {checked.raw_bytes}, its manifest says {manifest.raw_bytes}"
        )
    outline = [_outline(section) for section in checked.sections]
    if outline != [_outline(section) for section in manifest.sections]:
        raise _changed("the tables in it, or their rows, are not as its manifest says")


def _compare_file(sha256: str, manifest: Manifest | None) -> None:
    if manifest is not None and sha256 != manifest.sha256:
        raise _changed(f"SHA-256 of the file is {sha256}, its manifest says {manifest.sha256}")


def _changed(cause: str) -> DamagedError:
    return DamagedError(
        "The dump is not the one that its manifest describes",
        cause=cause,
        fix=FIX,
    )


def _outline(section: Section) -> tuple[str, str | None, str | None, int, int]:
    return section.kind, section.schema_name, section.table, section.rows, section.raw_bytes
