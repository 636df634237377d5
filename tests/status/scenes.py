"""Facts to judge: a database with a daily, a weekly and a monthly backup, and what can go wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pgconsole.backups.evidence import Evidence, Proof
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.errors import StorageError
from pgconsole.jobs import Job, JobStatus
from pgconsole.schedule.state import Heartbeat
from pgconsole.status.facts import Answer, Disk, Facts, Holdings, Scheduler
from pgconsole.status.status import judge
from pgconsole.status.verdict import State, Verdict
from pgconsole.storage.base import Place, StoredBackup

NOW = datetime(2026, 2, 25, 4, 2, tzinfo=UTC)  # a Wednesday
LAST = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 2, 22, 2, 0, tzinfo=UTC)
FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
DAILY, WEEKLY, MONTHLY = BackupClass
DAY = timedelta(days=1)
LOSS = "If the database died now you would lose "
DOWN = StorageError("Bucket 'b' can't be listed", cause="nothing listens there")


def copy(
    taken_at: datetime = LAST,
    backup_class: BackupClass = DAILY,
    place: Place = Place.LOCAL,
    size: int = 1000,
) -> StoredBackup:
    """A backup that was finished five minutes after its slot."""
    name = BackupName("app", taken_at, backup_class)
    written = taken_at + timedelta(minutes=5)
    return StoredBackup(name, place, f"{place}:{name.relative_path}", size, written, True)


def evidence(backup: StoredBackup, proof: Proof = Proof.COMPLETE, problem: str = "") -> Evidence:
    """A proof from when the copy was written."""
    return Evidence(
        backup.location, proof, backup.modified, "alice", 1.5, backup.size, backup.modified,
        problem=problem,
    )  # fmt: skip


def holdings(*backups: StoredBackup, **proofs: Proof | None) -> Holdings:
    """These backups, the newest first, each complete; or as `newest=...` says, for the newest."""
    ordered = tuple(sorted(backups, key=lambda one: one.name.taken_at, reverse=True))
    known = {backup.location: evidence(backup) for backup in ordered}
    if "newest" in proofs and ordered:
        proof = proofs["newest"]
        del known[ordered[0].location]
        if proof is not None:
            known[ordered[0].location] = evidence(ordered[0], proof, "byte 7 is wrong")
    return Holdings(ordered, known)


def manifest(compressed_bytes: int) -> Manifest:
    """Of the newest backup, which was to have so many bytes."""
    return Manifest(
        database="app", classes=(DAILY,), taken_at=LAST, started_at=LAST, finished_at=LAST,
        verified_at=LAST, host="host1", actor="alice", server_host="db", server_version="16.14",
        pg_dump_version="16.14", options=(), raw_bytes=4000, compressed_bytes=compressed_bytes,
        sha256="0" * 64, sections=(),
    )  # fmt: skip


HERE = (copy(), copy(SUNDAY, WEEKLY), copy(FIRST, MONTHLY))
THERE = tuple(replace(one, place=Place.S3, location=f"s3:{one.location}") for one in HERE)


def answered(value: Any) -> Answer[Any]:
    """An answer of just now."""
    return Answer(value, NOW)


def facts(
    local: Holdings | Answer[Holdings] | None = None,
    s3: Holdings | Answer[Holdings] | None = None,
    jobs: tuple[Job, ...] | Answer[tuple[Job, ...]] = (),
    **more: Any,
) -> Facts:
    """Everything is well, but for what is given. S3 is not set up, but if it is given."""
    known = holdings(*HERE) if local is None else local
    found: dict[str, Any] = {
        "database": "app",
        "schedule": "0 2 * * *",
        "timezone": ZoneInfo("UTC"),
        "local": known if isinstance(known, Answer) else answered(known),
        "s3_enabled": s3 is not None,
        "s3": s3 if s3 is None or isinstance(s3, Answer) else answered(s3),
        "jobs": jobs if isinstance(jobs, Answer) else answered(jobs),
        "scheduler": answered(Scheduler(None, None)),
        "disk": answered(Disk(10_000, 1000)),
    }
    return Facts(**found | more)


def job(
    status: JobStatus,
    created_at: datetime = NOW - timedelta(minutes=10),
    kind: str = "backup",
    **more: Any,
) -> Job:
    """A job that took five minutes, if it has ended."""
    ended = created_at + timedelta(minutes=5) if status.ended else None
    found: dict[str, Any] = {
        "id": f"{created_at:%Y%m%dT%H%M%S}.000000Z-{kind}-0001", "kind": kind, "request": {},
        "actor": "alice", "created_at": created_at, "started_at": created_at,
        "finished_at": ended, "status": status, "phase": "dump", "pid": 1, "exit_code": None,
        "problem": "", "cause": "", "fix": "", "result": None, "directory": Path("/jobs/1"),
    }  # fmt: skip
    return Job(**found | more)


def heartbeat(age: timedelta, *, stopped: bool = False) -> Heartbeat:
    """A scheduler's sign of life of so long ago."""
    at = NOW - age
    return Heartbeat(at, at - timedelta(days=3), "host1", 7, "0 2 * * *", "UTC", stopped)


def expect(found: Facts, state: State, text: str, now: datetime = NOW) -> Verdict:
    """Judge, and compare what is said."""
    verdict = judge(found, now)
    assert (verdict.state, verdict.text) == (state, text)
    return verdict
