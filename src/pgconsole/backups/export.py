"""The export operation: the rows of one table of a backup, as a CSV file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pgconsole.backups.looking import Look, look_from_front, open_source
from pgconsole.backups.opened import find_table, open_backup, tables_of
from pgconsole.dumps.manifest import Manifest, Section
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import StoredBackup
from pgconsole.storage.local_scan import own_partial_path

_PROGRESS_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is to be exported.

    Attributes:
        backup: Which copy.
        table: `schema.table`, or the table's name alone if there is only one of it.
        path: The file to write, absolute. It must not exist.
    """

    backup: StoredBackup
    table: str
    path: Path


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Attributes:
        path: The file.
        rows: Rows in it, without the header.
        bytes: Its size.
    """

    path: str
    rows: int
    bytes: int


def run_export(settings: Settings, request: ExportRequest, report: Report) -> ExportResult:
    """Write a table as CSV: a header, NULL as nothing, the empty text as `""`, in UTF-8.

    The file gets its name when all rows are in it and on the disk; no file is ever overwritten.

    Raises:
        ConfigurationError: The file exists, or the dump has no such table.
        StorageError: The copy can't be read, or the file not be written.
        DamagedError: The copy is damaged.
        Cancelled: Raised by `report` or by a signal; nothing is left.
    """
    _must_be_free(request.path)
    source = open_source(settings, request.backup)
    manifest = _manifest(settings, request.backup, report)
    if manifest is None:
        manifest = look_from_front(source, request.backup, lambda _: report(Event("read")))
    table = find_table(tables_of(manifest), request.table).section
    look = Look(source, manifest)
    partial = own_partial_path(request.path)
    try:
        with files.translated(f"{request.path} can't be written"):
            size = _write(partial, _reported(look.csv(table), table, report))
            _publish(partial, request.path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    report(Event("export", f"wrote {table.rows:,} rows to {request.path}"))
    return ExportResult(str(request.path), table.rows, size)


def _manifest(settings: Settings, backup: StoredBackup, report: Report) -> Manifest | None:
    opened = open_backup(settings, backup)
    if opened.problem is not None:
        text = f"{opened.problem}; the file is read from the front"
        report(Event("read", text, Level.WARNING))
    return opened.manifest


def _reported(pieces: Iterator[bytes], table: Section, report: Report) -> Iterator[bytes]:
    """The pieces as they are, with a word now and then on how many there were."""
    name = f"{table.schema_name}.{table.table}" if table.schema_name else table.table
    due, done = 0.0, 0
    for piece in pieces:
        done += len(piece)
        if time.monotonic() >= due:
            due = time.monotonic() + _PROGRESS_EVERY
            # CSV is about as long as COPY's own format.
            expected = max(table.raw_bytes, done)
            report(Event("export", bytes_done=done, bytes_expected=expected, table=name))
        yield piece


def _write(partial: Path, pieces: Iterator[bytes]) -> int:
    with os.fdopen(files.create(partial), "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _publish(partial: Path, path: Path) -> None:
    try:
        files.move(partial, path)
    except FileExistsError:
        raise _exists(path) from None
    files.fsync_directory(path.parent)


def _must_be_free(path: Path) -> None:
    if not path.is_absolute():
        raise ConfigurationError(f"{path} is no absolute path", fix="give the whole path")
    if os.path.lexists(path):
        raise _exists(path)
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"{path} can't be written", cause=f"there is no directory {path.parent}",
            fix="make it, or choose another",
        )  # fmt: skip


def _exists(path: Path) -> StorageError:
    return StorageError(
        f"{path} can't be written", cause="a file of this name exists", fix="choose another name"
    )
