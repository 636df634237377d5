"""Proves a dump that lies here whole, and keeps the very file open that was proven."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgconsole.dumps.integrity import CheckedDump, check_dump
from pgconsole.dumps.manifest import Manifest
from pgconsole.report import Event, Level, Report
from pgconsole.storage.local_file import LocalFile


@dataclass(frozen=True, slots=True)
class ProvenDump:
    """A dump of which every byte was read.

    Attributes:
        path: Its name.
        source: The open file, for reading on: what its name stands for later does not count.
        manifest: What it should be, if that is known.
        checked: What it is.
    """

    path: Path
    source: LocalFile
    manifest: Manifest | None
    checked: CheckedDump


def prove(path: Path, manifest: Manifest | None, report: Report) -> ProvenDump:
    """Read a local dump whole: all CRCs, SHA-256, header, every COPY ended, trailer, rows.

    Args:
        path: The file.
        manifest: What it should be, if that is known.
        report: Told how far it is, in compressed bytes.

    Raises:
        StorageError: The file can't be read.
        DamagedError: It is not what it should be; says where.
    """
    source = LocalFile(str(path))

    def on_progress(done: int) -> None:
        report(Event("integrity", bytes_done=done, bytes_expected=source.size))

    report(Event("integrity", f"checking {path} ({source.size} bytes)"))
    try:
        checked = check_dump(source, manifest, on_progress)
    except BaseException:
        source.close()
        raise
    for warning in checked.warnings:
        report(Event("integrity", warning, Level.WARNING))
    against = "as its manifest says" if manifest is not None else "it has no manifest to compare"
    report(
        Event("integrity", f"the dump is whole, {against}; SHA-256 {checked.sha256}",
              bytes_done=source.size, bytes_expected=source.size)
    )  # fmt: skip
    return ProvenDump(path, source, manifest, checked)
