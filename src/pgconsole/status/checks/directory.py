"""Checks of BACKUP_DIR and its disk."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from pgconsole.backups.catalog import latest_manifest, local_backups
from pgconsole.backups.preflight import estimate_of
from pgconsole.backups.restore_copy import RESTORED, SAFETY
from pgconsole.dumps.naming import BackupClass
from pgconsole.errors import ServerError
from pgconsole.locks import is_held
from pgconsole.status.checks.base import Finding, failed, ok, unknown, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.words import counted, size
from pgconsole.storage import files
from pgconsole.storage.links import refuse_strange_links
from pgconsole.storage.local_scan import leftover_name

_PROBE = ".pgconsole-probe-"
_WAL = "wal"  # the server writes it, which may be another user
_OTHERS = (".pgconsole", SAFETY, RESTORED, _WAL)
_INODES = 100  # a backup makes about ten files


def directory(context: Context) -> Finding:
    """Whether BACKUP_DIR and the classes' directories can be written to, and who else can read."""
    root = context.settings.backup_dir
    if not root.exists():
        return failed(
            f"BACKUP_DIR {root} does not exist",
            "nothing was backed up here yet, or a volume is not mounted",
            "mount it, or correct BACKUP_DIR; the first backup creates a missing directory",
        )
    refuse_strange_links(root)
    present = [root, *(root / name for name in BackupClass if (root / name).exists())]
    for path in present:
        with files.translated(f"{path} can't be written to"):
            _write_and_remove(path)
    others = [path for name in _OTHERS if (path := root / name).exists()]
    for path in [*present, *others]:
        if (finding := _permissions(path, root)) is not None:
            return finding
    names = ", ".join(path.name for path in present[1:]) or "no class directory yet"
    return ok(f"{root} ({names}) can be written to, and only by user id {os.geteuid()}")


def disk(context: Context) -> Finding:
    """Whether the next backup will find room."""
    root = context.settings.backup_dir
    with files.translated(f"{root} can't be used"):
        status = os.statvfs(root)
    free = status.f_bavail * status.f_frsize
    if status.f_files and status.f_favail < _INODES:
        return failed(
            f"{root} has room for {status.f_favail} more files only",
            "the file system has no free inodes",
            "delete small files, or use a file system with more inodes",
        )
    needed, source = _needed(context)
    if needed is None:
        return unknown(
            f"{size(free)} are free; what the next backup needs is unknown",
            "there is no backup to go by, and no connection to ask for the database's size",
            "see to the server first",
        )
    found = f"{size(free)} are free, the next backup needs about {size(needed)} ({source})"
    if free >= 2 * needed:
        return ok(found)
    judge = failed if free < needed else warning
    return judge(
        found,
        "backups fail when the disk is full; the old scripts said `gzip check failed`",
        "free some space, lower RETENTION_*, or move BACKUP_DIR to a larger disk",
    )


def leftovers(context: Context) -> Finding:
    """Whether killed jobs left partial files."""
    settings = context.settings
    found = [path for path in local_backups(settings).leftovers if not _is_in_use(context, path)]
    if not found:
        return ok("no partial files of killed jobs")
    return warning(
        f"{counted(len(found), 'partial file')} of killed jobs: {found[0]}"
        + (", ..." if len(found) > 1 else ""),
        "a job was killed, or the host went down while it ran",
        "the next backup of that database removes them; of other databases, delete them",
    )


def _write_and_remove(path: Path) -> None:
    """Write as a backup does: mode bits alone don't tell (quotas, read-only mounts, full disks)."""
    probe = path / f"{_PROBE}{secrets.token_hex(8)}"
    try:
        files.write_durably(probe, b"pgconsole doctor was here\n")
    finally:
        probe.unlink(missing_ok=True)


def _permissions(path: Path, root: Path) -> Finding | None:
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    user = os.geteuid()
    if status.st_uid != user and path.name != _WAL:
        return warning(
            f"{path} belongs to user id {status.st_uid}, pgconsole runs as {user}",
            "files that one user makes the other may not be able to delete",
            f"run pgconsole as the owner, or: chown -R {user} {path}",
        )
    # A server of another user has to get through BACKUP_DIR to its archive: that shows nothing.
    if mode & (0o066 if path == root else 0o077):
        who = "everybody" if mode & 0o007 else "its group"
        return warning(
            f"{path} has mode {mode:04o}: {who} on this host can look into it",
            "backups hold all data of the database",
            f"chmod 700 {path}",
        )
    return None


def _needed(context: Context) -> tuple[int | None, str]:
    """Bytes that the next backup's file needs, and where the figure is from."""
    try:
        server = context.server()
    except ServerError:
        manifest = latest_manifest(context.settings)
        return (manifest.compressed_bytes, "as the last one") if manifest else (None, "")
    estimate = estimate_of(context.settings, server)
    return estimate.compressed_bytes, f"an estimate from {estimate.source}"


def _is_in_use(context: Context, location: str) -> bool:
    """Whether a job that may still write this file is running."""
    name = leftover_name(Path(location).name)
    locks = context.settings.state_dir / "locks"
    return name is not None and is_held(locks / f"{name.database}.lock")
