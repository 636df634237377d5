"""A report as JSON. The keys are an interface (docs/monitoring.md): never changed, only added to.

Times are ISO 8601 in UTC, ages and durations seconds, sizes bytes; null is unknown or none.
"""

from __future__ import annotations

from datetime import datetime

from pgconsole.backups.evidence import Evidence
from pgconsole.jobs import Job
from pgconsole.jobs.texts import JSON
from pgconsole.status.facts import Facts
from pgconsole.status.past_jobs import ended
from pgconsole.status.report import Report
from pgconsole.status.status import ClassStatus
from pgconsole.storage.base import StoredBackup


def as_json(report: Report, exit_code: int) -> dict[str, JSON]:
    """The report, for `json.dumps`."""
    verdict, facts = report.verdict, report.facts
    return {
        "at": report.at.isoformat(),
        "database": facts.database,
        "state": str(verdict.state),
        "exit_code": exit_code,
        "text": verdict.sentence,
        "lost_since": _time(verdict.lost_since),
        "classes": {str(found.backup_class): _class(found, report) for found in report.classes},
        "last_verify": _proof(report.last_proof, report.at),
        "last_failure": _failure(report.last_failure),
        "s3": _s3(facts),
        "disk": _disk(facts),
        "scheduler": _scheduler(report),
        "warnings": list(report.warnings),
    }


def _class(found: ClassStatus, report: Report) -> JSON:
    last = found.last_good
    return {
        "last_good": _time(last.name.taken_at) if last else None,
        "age_seconds": _seconds(last.name.taken_at, report.at) if last else None,
        "file": last.name.filename if last else None,
        "bytes": last.size if last else None,
        "due": _time(found.due),
        "overdue": found.overdue,
    }


def _proof(proof: Evidence | None, now: datetime) -> JSON:
    if proof is None:
        return None
    return {
        "at": _time(proof.at),
        "age_seconds": _seconds(proof.at, now),
        "copy": proof.copy,
        "proof": str(proof.proof),
        "by": proof.by,
        "seconds": proof.seconds,
        "problem": proof.problem or None,
    }


def _failure(job: Job | None) -> JSON:
    if job is None:
        return None
    return {
        "job": job.id,
        "kind": job.kind,
        "status": str(job.status),
        "at": _time(ended(job)),
        "problem": job.problem,
        "cause": job.cause,
        "fix": job.fix,
    }


def _s3(facts: Facts) -> JSON:
    s3 = facts.s3
    there = s3.value if s3 is not None else None
    newest = there.newest() if there is not None else None
    here = facts.local.value.newest() if facts.local.value is not None else None
    return {
        "set_up": facts.s3_enabled,
        "asked": s3 is not None,
        "reachable": None if s3 is None else s3.problem is None,
        "problem": None if s3 is None or s3.problem is None else str(s3.problem),
        "newest": _time(newest.name.taken_at) if newest else None,
        "newest_file": newest.name.filename if newest else None,
        "has_newest_local": _has(there.backups, here) if there is not None and here else None,
    }


def _has(backups: tuple[StoredBackup, ...], wanted: StoredBackup) -> bool:
    return any((found.name, found.size) == (wanted.name, wanted.size) for found in backups)


def _disk(facts: Facts) -> JSON:
    disk = facts.disk
    return {
        "free_bytes": disk.value.free_bytes if disk.value else None,
        "needed_bytes": disk.value.needed_bytes if disk.value else None,
        "problem": str(disk.problem) if disk.problem else None,
    }


def _scheduler(report: Report) -> JSON:
    known = report.facts.scheduler.value
    beat = known.heartbeat if known else None
    pause = known.pause if known else None
    return {
        "state": str(report.life),
        "seen_at": _time(beat.at) if beat else None,
        "schedule": report.facts.schedule,
        "timezone": str(report.facts.timezone),
        "next_run": _time(report.next_run),
        "paused": None
        if pause is None
        else {
            "by": pause.by,
            "reason": pause.reason,
            "since": _time(pause.since),
            "until": _time(pause.until),
        },
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _seconds(moment: datetime, now: datetime) -> float:
    return round((now - moment).total_seconds(), 3)
