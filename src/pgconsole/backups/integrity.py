"""Proves a dump that lies here whole, and keeps the very file open that was proven."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgconsole.backups.copy_check import check_copy
from pgconsole.backups.sealed import unsealed
from pgconsole.backups.signatures import in_words
from pgconsole.dumps.integrity import CheckedDump
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.source import RangedSource
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.local_file import LocalFile


@dataclass(frozen=True, slots=True)
class ProvenDump:
    """A dump of which every byte was read.

    Attributes:
        path: Its name.
        file: The open file: what its name stands for later does not count.
        source: The gzip file that is in it, for reading on.
        manifest: What it should be, if that is known.
        checked: What it is.
    """

    path: Path
    file: LocalFile
    source: RangedSource
    manifest: Manifest | None
    checked: CheckedDump


def prove(
    settings: Settings, path: Path, manifest: Manifest | None, report: Report, *, encrypted: bool
) -> ProvenDump:
    """Read a local dump whole: all CRCs, SHA-256, header, every COPY ended, trailer, rows.

    Args:
        settings: Whose keys.
        path: The file.
        manifest: What it should be, if that is known.
        report: Told how far it is, in compressed bytes.
        encrypted: Whether it is an age file.

    Raises:
        StorageError: The file can't be read.
        SealedError: It is encrypted, and no private key that is set opens it.
        ConfigurationError: The signing key's file can't be used.
        AlteredError: It is another dump than the one that was signed.
        DamagedError: It is not what it should be; says where.
    """
    file = LocalFile(str(path))

    def on_progress(done: int) -> None:
        report(Event("integrity", bytes_done=done, bytes_expected=file.size))

    report(Event("integrity", f"checking {path} ({file.size} bytes)"))
    try:
        checked = check_copy(settings, file, manifest, on_progress, encrypted=encrypted)
        source = unsealed(settings, file, encrypted=encrypted)
    except BaseException:
        file.close()
        raise
    for warning in checked.warnings:
        report(Event("integrity", warning, Level.WARNING))
    against = "it has no manifest to compare"
    if manifest is not None:
        against = ", ".join(filter(None, ("as its manifest says", in_words(settings, manifest))))
    report(
        Event("integrity", f"the dump is whole, {against}; SHA-256 {checked.sha256}",
              bytes_done=file.size, bytes_expected=file.size)
    )  # fmt: skip
    return ProvenDump(path, file, source, manifest, checked)
