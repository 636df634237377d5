"""Asks everything that `judge` wants to know, side by side, and waits for nobody too long."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from pgconsole.backups.catalog import latest_manifest, load_manifest, local_backups
from pgconsole.backups.evidence import Evidence, last_look, latest, read_evidence
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import list_jobs
from pgconsole.schedule.state import read_heartbeat, read_pause, read_slots
from pgconsole.settings import Settings
from pgconsole.status.facts import Disk, Facts, Holdings, Scheduler
from pgconsole.status.pending import Pending, answer
from pgconsole.status.scheduler import followed
from pgconsole.storage.base import StoredBackup
from pgconsole.storage.local import LocalStorage

TIMEOUT = 12.0  # seconds; with the start of the program that is less than 15
_JOBS = 1000  # the newest; each costs about 0.2 ms
_SLOTS = 5


def gather(settings: Settings, now: datetime, *, ask_s3: bool = True) -> Facts:
    """Ask the directory, the bucket, the jobs, the scheduler and the disk.

    What does not answer within 12 s is a problem of that answer; nothing is raised.

    Args:
        settings: Whose backups.
        now: Timezone-aware.
        ask_s3: False leaves the bucket alone.
    """
    deadline = time.monotonic() + TIMEOUT
    local = Pending(lambda: _local(settings))
    s3 = Pending(lambda: _s3(settings)) if ask_s3 and settings.s3_enabled else None
    jobs = Pending(lambda: tuple(list_jobs(settings, _JOBS)))
    scheduler = Pending(lambda: _scheduler(settings, now))
    disk = Pending(lambda: _disk(settings))
    # Named one by one: each has a type of its own.
    local_answer = answer("The backup directory", local, deadline, TIMEOUT)
    bucket = f"Bucket {settings.s3_bucket!r}"
    s3_answer = None if s3 is None else answer(bucket, s3, deadline, TIMEOUT)
    jobs_answer = answer("The list of jobs", jobs, deadline, TIMEOUT)
    scheduler_answer = answer("The scheduler's state", scheduler, deadline, TIMEOUT)
    disk_answer = answer("The disk", disk, deadline, TIMEOUT)
    beat = scheduler_answer.value.heartbeat if scheduler_answer.value is not None else None
    schedule, timezone = followed(settings, beat, now)
    return Facts(
        database=settings.pgdatabase,
        schedule=schedule,
        timezone=timezone,
        local=local_answer,
        s3_enabled=settings.s3_enabled,
        s3=s3_answer,
        jobs=jobs_answer,
        scheduler=scheduler_answer,
        disk=disk_answer,
    )


def _local(settings: Settings) -> Holdings:
    # Proofs after the list: a job notes its proof before its backup gets its name.
    holdings = _holdings(settings, local_backups(settings).backups)
    described = holdings.described()
    if described is None:
        return holdings
    try:
        return replace(holdings, manifest=load_manifest(settings, described))
    except PgconsoleError as error:
        return replace(holdings, manifest_problem=f"{error.problem}: {error.cause}")


def _s3(settings: Settings) -> Holdings:
    from pgconsole.storage.s3_probe import S3Probe  # noqa: PLC0415 - boto3 only where S3 is used

    return _holdings(settings, S3Probe(settings).backups_of(settings.pgdatabase))


def _holdings(settings: Settings, found: tuple[StoredBackup, ...] | list[StoredBackup]) -> Holdings:
    backups = tuple(backup for backup in found if backup.name.database == settings.pgdatabase)
    try:
        everything = read_evidence(settings)
    except OSError as error:
        return Holdings(backups, {}, error.strerror or str(error))
    proofs: dict[str, Evidence] = {}
    looks: dict[str, Evidence] = {}
    for backup in backups:
        proof = latest(everything, settings, backup)
        if proof is not None:
            proofs[backup.location] = proof
        look = last_look(everything, settings, backup)
        if look is not None and look is not proof:
            looks[backup.location] = look
    return Holdings(backups, proofs, looks=looks)


def _scheduler(settings: Settings, now: datetime) -> Scheduler:
    return Scheduler(
        read_heartbeat(settings), read_pause(settings, now), tuple(read_slots(settings, _SLOTS))
    )


def _disk(settings: Settings) -> Disk:
    manifest = latest_manifest(settings)
    needed = manifest.compressed_bytes if manifest is not None else None
    return Disk(LocalStorage(settings.backup_dir).free_bytes(), needed)
