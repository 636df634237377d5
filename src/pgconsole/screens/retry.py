"""What starts an ended job's work anew, and the question before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from pgconsole.errors import ConfigurationError
from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.texts import JSON
from pgconsole.screens.confirm import Confirmation
from pgconsole.settings import Settings
from pgconsole.status.past_jobs import ended
from pgconsole.storage.base import Place
from pgconsole.widgets.job_notice import title
from pgconsole.widgets.job_words import command, reason, status, subject
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import ago

if TYPE_CHECKING:
    from pgconsole.backups.restore_copy import FoundCopy

# What of a request has to be there: a damaged one starts nothing.
_NEEDED = {
    "backup": (),
    "prune": (),
    "upload": ("filename",),
    "verify": ("paths", "keys"),
    "download": ("keys",),
    "restore": ("place", "location", "database"),
    "export": ("place", "location", "table", "path"),
}


class Again(NamedTuple):
    """A job to start."""

    kind: str
    request: dict[str, JSON]


@dataclass
class RestoreFound(Message):
    """The copy that a restore was about, as it is now: the restore may be asked for again."""

    copy: FoundCopy
    database: str


def can_retry(job: Job) -> bool:
    """Whether it makes sense to start an ended job's work anew."""
    needed = _NEEDED.get(job.kind)
    if needed is None or not job.status.ended or not set(needed) <= job.request.keys():
        return False
    # An export that is done has written its file, and no file is ever overwritten.
    return job.kind != "export" or job.status is not JobStatus.DONE


def again(settings: Settings, job: Job) -> Again:
    """The same work, for a job of which `can_retry` says yes.

    A backup is one of now: it does not get the slot of the one before, since its name would promise
    the data of then. Of a backup that only S3 lacks, the upload is what is missing.

    Raises:
        ConfigurationError: It was about another database than this console's.
    """
    if job.kind != "backup":
        return Again(job.kind, job.request)
    database = job.request.get("database", settings.pgdatabase)
    if database != settings.pgdatabase:
        raise ConfigurationError(
            f"The backup of {database} can't be started from here",
            cause=f"this console is set up for database {settings.pgdatabase}",
            fix=f"open one with PGDATABASE={database}",
        )
    made = job.result or {}
    if job.status is JobStatus.PARTLY_FAILED and made.get("name") and not made.get("keys"):
        return Again("upload", {"filename": made["name"]})
    return Again("backup", {"database": settings.pgdatabase})


def ask_again(settings: Settings, job: Job, anew: Again, now: datetime) -> Confirmation:
    """Before the work is started anew."""
    word = status(job, Progress(), now)[1]
    before = f"{title(job)} {word} {ago(ended(job), now)}"
    rows = (
        ("What", _what(settings, anew)),
        ("Before", ": ".join(filter(None, (before, reason(job, Progress(), now))))),
        ("Command", command(anew.kind, anew.request)),
    )
    return Confirmation(f"Start the {anew.kind} anew?", rows, f"start the {anew.kind}")


def find_restored(settings: Settings, job: Job) -> RestoreFound:
    """The copy that a restore was about. Reads the directory, or asks S3.

    Raises:
        ConfigurationError: S3 is off, or the location can't be one.
        StorageError: It is not there any more, or its place can't be read.
    """
    from pgconsole.backups.restore_copy import find_copy  # noqa: PLC0415 - boto3, where it is needed

    place, location, database = (str(job.request[name]) for name in _NEEDED["restore"])
    return RestoreFound(find_copy(settings, Place(place), location), database)


def _what(settings: Settings, anew: Again) -> str:
    about = subject(anew.kind, anew.request)
    texts = {
        "backup": f"Takes a new backup of {about}: all of it, as it is now",
        "upload": f"Copies {about} to s3://{settings.s3_bucket}",
        "verify": f"Reads {about} whole, and notes what was found",
        "download": f"Downloads {about}, and proves that it is whole",
        "export": f"Writes {about}",
    }
    return texts[anew.kind]
