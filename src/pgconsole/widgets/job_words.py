"""What a job is about, and how it stands, in words. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.texts import JSON
from pgconsole.storage.base import Place
from pgconsole.widgets.checks import checks_of, summary
from pgconsole.widgets.health import Level
from pgconsole.widgets.job_notice import figures
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import clean

Request = dict[str, JSON]

# A sign and a word each: colour is never the only one.
_STATUS = {
    JobStatus.QUEUED: ("●", "starting", None),
    JobStatus.RUNNING: ("●", "running", None),
    JobStatus.CANCELLING: ("●", "cancelling", None),
    JobStatus.DONE: ("✓", "done", Level.GOOD),
    JobStatus.PARTLY_FAILED: ("!", "partly failed", Level.WARNING),
    JobStatus.FAILED: ("✗", "failed", Level.BAD),
    JobStatus.INTERRUPTED: ("✗", "interrupted", Level.BAD),
    JobStatus.CANCELLED: ("!", "cancelled", Level.WARNING),
}


def status(job: Job, progress: Progress, now: datetime) -> tuple[str, str, Level | None]:
    """How a job stands: a sign, a word, and how bad that is; None: it runs."""
    if progress.silence(now) and job.status is JobStatus.RUNNING:
        return "!", "stalled", Level.WARNING
    sign, word, level = _STATUS[job.status]
    checks = checks_of(job.result or {})
    # Its directory is damaged, or it did not find what it should have.
    if level is Level.GOOD and (job.problem or not all(check.is_right for check in checks)):
        return "!", word, Level.WARNING
    return sign, word, level


def took(job: Job, now: datetime) -> timedelta | None:
    """How long a job took, or has taken so far; None for one of which nobody knows the end."""
    began = job.started_at or job.created_at
    if not job.status.ended:
        return now - began
    return job.finished_at - began if job.finished_at is not None else None


def reason(job: Job, progress: Progress, now: datetime) -> str:
    """Why a job ended badly or stands still; what a running one is at."""
    if not job.status.ended:
        if silence := progress.silence(now):
            why = clean(progress.reason) or "why is not known yet"
            return f"no byte for {silence:.0f} s: {why}"
        share = f" {progress.share:.0%}" if progress.share is not None else ""
        rest = [text for text in figures(progress) if "ETA" in text]
        return ", ".join([clean(progress.phase or job.phase) + share, *rest])
    if job.status is JobStatus.CANCELLED and job.cause:
        return clean(job.cause)
    checks = checks_of(job.result or {})
    if not job.problem and not all(check.is_right for check in checks):
        return summary(checks)
    return clean(": ".join(filter(None, (job.problem, job.cause))))


def subject(kind: str, request: Request) -> str:
    """Which database, file or table a job is about; empty if that can't be said."""
    make = _SUBJECTS.get(kind)
    return clean(make(request)) if make is not None else ""


def command(kind: str, request: Request) -> str:
    """The command that would do the same; empty if there is none."""
    words = _COMMANDS.get(kind)
    return shlex.join(["pgconsole", *words(request)]) if words is not None else ""


def _text(request: Request, name: str) -> str:
    value = request.get(name)
    return value if isinstance(value, str) else ""


def _texts(request: Request, *names: str) -> list[str]:
    values = (request.get(name) for name in names)
    return [str(item) for value in values if isinstance(value, list) for item in value]


def _file(location: str) -> str:
    return location.rpartition("/")[2]


def _files(locations: Sequence[str]) -> str:
    if not locations:
        return ""
    more = f" and {len(locations) - 1} more" if len(locations) > 1 else ""
    return _file(locations[0]) + more


def _restored(request: Request) -> str:
    return f"{_text(request, 'database') or '?'} from {_file(_text(request, 'location'))}"


def _exported(request: Request) -> str:
    return f"{_text(request, 'table')} to {_text(request, 'path')}"


def _in_s3(request: Request) -> bool:
    return _text(request, "place") == Place.S3


def _restore_words(request: Request) -> list[str]:
    location, database = _text(request, "location"), _text(request, "database")
    words = ["restore", *(["--from-s3"] if _in_s3(request) else []), location]
    if request.get("without_safety_backup") is True:
        words.append("--without-safety-backup")
    return [*words, *(["--database", database] if database else [])]


def _export_words(request: Request) -> list[str]:
    what = [_text(request, "location"), _text(request, "table")]
    return ["rows", *(["--s3"] if _in_s3(request) else []), *what, "--csv", _text(request, "path")]


def _copies_words(name: str) -> Callable[[Request], list[str]]:
    def words(request: Request) -> list[str]:
        keys = [word for key in _texts(request, "keys") for word in ("--s3", key)]
        return [name, *_texts(request, "paths"), *keys]

    return words


_SUBJECTS: dict[str, Callable[[Request], str]] = {
    "backup": lambda request: _text(request, "database"),
    "upload": lambda request: _text(request, "filename"),
    "verify": lambda request: _files(_texts(request, "paths", "keys")),
    "delete": lambda request: _files(_texts(request, "paths", "keys")),
    "download": lambda request: _files(_texts(request, "keys")),
    "restore": _restored,
    "export": _exported,
}
_COMMANDS: dict[str, Callable[[Request], list[str]]] = {
    "backup": lambda _: ["backup"],
    "prune": lambda _: ["prune"],
    "upload": lambda request: ["upload", _text(request, "filename")],
    "verify": _copies_words("verify"),
    "delete": _copies_words("delete"),
    "download": lambda request: ["download", *_texts(request, "keys")],
    "restore": _restore_words,
    "export": _export_words,
}
