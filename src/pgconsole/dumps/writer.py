"""Writes a dump as an indexed .sql.gz: compressed, hashed, and read back, all in one pass.

If it is to be encrypted, the file is one age file that holds the .sql.gz.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from pgconsole.dumps.cutter import Cutter
from pgconsole.dumps.manifest import Section
from pgconsole.dumps.pipe import Pipe
from pgconsole.dumps.pipeline import Pipeline, storage_error
from pgconsole.dumps.scanner import Scanner

if TYPE_CHECKING:
    from pgconsole.dumps.age_write import Sealer

_PROGRESS_EVERY = 0.2  # seconds
# O_EXCL, which mode "x" stands for, follows no symbolic link. No function of ours: a signal handler
# could raise in it after the file was opened, and the descriptor would be lost.
_OPEN_PRIVATE = partial(os.open, mode=0o600)


@dataclass(frozen=True, slots=True)
class WrittenDump:
    """A dump that lies on the disk, whole and read back.

    Attributes:
        raw_bytes: Size of the dump.
        compressed_bytes: Size of the file.
        gzip_bytes: Size of its members: the same, unless it is encrypted.
        sha256: SHA-256 of the file, as it was read back, in hexadecimal.
        sections: Its sections with their members.
        server_version: As pg_dump wrote it into the header, e.g. `16.4`.
        pg_dump_version: Likewise.
        warnings: Sentences for the operator.
    """

    raw_bytes: int
    compressed_bytes: int
    gzip_bytes: int
    sha256: str
    sections: tuple[Section, ...]
    server_version: str
    pg_dump_version: str
    warnings: tuple[str, ...]


def write_dump(
    source_fd: int,
    path: Path,
    *,
    on_progress: Callable[[int, str | None], None],
    on_written: Callable[[int], None],
    recipients: Sequence[str] = (),
) -> WrittenDump:
    """Write what a pipe delivers until its end into a new file.

    When this returns, the file was flushed, every byte of it was read back, decoded and counted,
    and the dump in it is whole. Whatever it raises (also Cancelled or KeyboardInterrupt out of a
    signal handler), its threads have ended and the file is closed; the caller removes it.

    Args:
        source_fd: The reading end of pg_dump's stdout; it stays the caller's.
        path: The file; it must not exist. Made with mode 0600.
        on_progress: Called at most five times a second with the raw bytes read so far and the
            table whose rows are passing, as `schema.table`. May raise.
        on_written: Called by another thread with the number of bytes of the file that are
            written by now and will not change. Should not block: the writing waits for it.
        recipients: Public keys of age that the file is encrypted to; none: it is not.

    Raises:
        StorageError: The file can't be made, written or read; the pipe can't be read.
        DamagedError: What came is no whole dump, or the disk gives back something else.
    """
    try:
        file = FileIO(path, "x+", opener=_OPEN_PRIVATE)
    except OSError as error:
        raise storage_error(path, "made", error) from error
    with file:
        scanner = Scanner()
        cutter = Cutter(scanner)
        with Pipeline(file, path, on_written, _sealer(recipients)) as pipeline:
            _pump(source_fd, scanner, cutter, pipeline, on_progress)
            proven = pipeline.finish()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(path, "flushed", error) from error
    return WrittenDump(
        raw_bytes=proven.raw_bytes,
        compressed_bytes=proven.file_bytes,
        gzip_bytes=proven.size,
        sha256=proven.sha256,
        sections=cutter.sections(proven.members),
        server_version=scanner.notes.server_version,
        pg_dump_version=scanner.notes.pg_dump_version,
        warnings=scanner.warnings(),
    )


def _sealer(recipients: Sequence[str]) -> Sealer | None:
    if not recipients:
        return None
    from pgconsole.dumps.age_write import Sealer  # noqa: PLC0415 - only where it is encrypted

    return Sealer(recipients)


def _pump(
    source_fd: int,
    scanner: Scanner,
    cutter: Cutter,
    pipeline: Pipeline,
    on_progress: Callable[[int, str | None], None],
) -> None:
    """Read the pipe block by block, cut the blocks, and hand them on."""
    due = time.monotonic()

    def tick(bytes_read: int) -> None:
        nonlocal due
        pipeline.raise_failure()
        if time.monotonic() >= due:
            due = time.monotonic() + _PROGRESS_EVERY
            on_progress(bytes_read, scanner.copy.name if scanner.copy else None)

    pipe = Pipe(source_fd, tick)
    rest = b""  # the beginning of a row whose end has not come yet
    while True:
        block = pipeline.free_block()
        block[: len(rest)] = rest
        end = len(rest) + pipe.fill(memoryview(block)[len(rest) :])
        segments, cut = cutter.cut(block, len(rest), end)
        if end < len(block):
            break
        rest = bytes(block[cut:end])
        pipeline.submit(block, segments)
    cutter.finish()
    if segments:
        pipeline.submit(block, segments)
