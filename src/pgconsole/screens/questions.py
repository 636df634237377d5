"""What the dialogs say before something is started. Pure."""

from __future__ import annotations

import shlex
from datetime import datetime

from pgconsole.backups.dump_process import DUMP_OPTIONS
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import classes_of
from pgconsole.jobs import Job
from pgconsole.screens.confirm import Confirmation
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.job_notice import title
from pgconsole.widgets.known import Known
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import ago, size, span, stamp


def ask_backup(
    settings: Settings, local: Known[Shelf], s3: Known[Shelf], now: datetime
) -> Confirmation:
    """Before a backup."""
    classes = [str(c) for c in classes_of(now, settings.backup_timezone)]
    manifest = local.value.manifest if local.value is not None else None
    rows = [
        ("What", f"All of database {settings.pgdatabase}, which is only read"),
        ("Server", f"{settings.pghost}:{settings.pgport}, as {settings.pguser}"),
        ("To", f"{settings.backup_dir}/{classes[0]}/{_and_classes(classes[1:])}"),
        ("S3", _s3_text(settings, s3)),
        ("Takes", _estimate(manifest, now)),
        ("Command", f"pgconsole backup, which runs pg_dump {' '.join(DUMP_OPTIONS)}"),
    ]
    return Confirmation(f"Back up {settings.pgdatabase} now?", tuple(rows), "start the backup")


def ask_upload(settings: Settings, backup: StoredBackup, now: datetime) -> Confirmation:
    """Before a local backup is copied to S3."""
    name = backup.name
    taken = f"{stamp(name.taken_at, settings.backup_timezone)}, {ago(name.taken_at, now)}"
    rows = (
        ("What", f"Copies {name.filename} ({size(backup.size)}) to S3"),
        ("Taken", taken),
        ("To", f"{_bucket(settings)}{name.relative_path}"),
        ("Command", f"pgconsole upload {shlex.quote(name.filename)}"),
    )
    return Confirmation("Copy this backup to S3?", rows, "start the upload")


def ask_cancel(job: Job, now: datetime) -> Confirmation:
    """Before a job is cancelled."""
    rows = (
        ("What", f"Stops the running {job.kind} and removes what it began: files, uploads"),
        ("Job", f"{job.id}, started {ago(job.created_at, now)} by {job.actor}"),
        ("Keeps", "All earlier backups stay as they are"),
        ("Command", f"pgconsole cancel {shlex.quote(job.id)}"),
    )
    return Confirmation(f"Cancel the running {title(job).lower()}?", rows, "cancel it")


def _and_classes(more: list[str]) -> str:
    return f" (today also {' and '.join(more)})" if more else ""


def _bucket(settings: Settings) -> str:
    return f"s3://{settings.s3_bucket}/{settings.s3_prefix}"


def _s3_text(settings: Settings, s3: Known[Shelf]) -> str:
    if not settings.s3_enabled:
        return "Not set up: no copy outside this machine"
    where = f"{_bucket(settings)} at {settings.s3_endpoint_url or 'AWS'}"
    if s3.problem is not None:
        return f"{where}. Not readable now: if it stays so, the local backup is kept"
    return where


def _estimate(manifest: Manifest | None, now: datetime) -> str:
    if manifest is None:
        return "Not known: there is no earlier backup to judge by"
    length = span(manifest.finished_at - manifest.started_at)
    last = ago(manifest.taken_at, now)
    return f"About {length} and {size(manifest.compressed_bytes)}, as the last one ({last})"
