"""How long restores took here, and how long the next one may take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pgconsole.jobs import Job, JobStatus, list_jobs
from pgconsole.settings import Settings

_LOOKED_AT = 30  # jobs
_TELLING = 10  # times as large as the largest: the past tells nothing about that


@dataclass(frozen=True, slots=True)
class PastRestore:
    """A restore that came to a good end.

    Attributes:
        database: The target.
        raw_bytes: Uncompressed bytes of the dump.
        seconds: From beginning to end, safety backup and checks included.
    """

    database: str
    raw_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a restore may take.

    Attributes:
        seconds: So long; None if that can't be told.
        restores: How many past ones it is worked out from.
        of_target: Whether all of these were into the same database.
        largest: Uncompressed bytes of the largest of them.
    """

    seconds: float | None
    restores: int = 0
    of_target: bool = False
    largest: int = 0


def past_restores(settings: Settings) -> tuple[PastRestore, ...]:
    """The last restores that came to a good end, the newest first.

    Raises:
        StorageError: The jobs can't be listed.
    """
    jobs = list_jobs(settings, _LOOKED_AT, kind="restore")
    return tuple(_of_jobs(job for job in jobs if job.status is JobStatus.DONE))


def expected(past: Iterable[PastRestore], database: str, raw_bytes: int) -> Expected:
    """How long restoring so much into this database may take.

    Restores into the same database count; if there was none, all.

    Args:
        past: What was restored here before.
        database: The target.
        raw_bytes: Uncompressed bytes of the dump.
    """
    everything = [one for one in past if one.raw_bytes > 0 and one.seconds > 0]
    same = [one for one in everything if one.database == database]
    counted = same or everything
    if not counted:
        return Expected(None)
    largest = max(one.raw_bytes for one in counted)
    # All bytes by all seconds: large ones tell more about the rate than small ones.
    rate = sum(one.raw_bytes for one in counted) / sum(one.seconds for one in counted)
    seconds = raw_bytes / rate if raw_bytes <= _TELLING * largest else None
    return Expected(seconds, len(counted), bool(same), largest)


def _of_jobs(jobs: Iterable[Job]) -> Iterator[PastRestore]:
    for job in jobs:
        result = job.result or {}
        raw_bytes = result.get("raw_bytes")
        try:
            began, ended = (
                datetime.fromisoformat(str(result[name])) for name in ("started_at", "finished_at")
            )
            took = (ended - began).total_seconds()
        except (KeyError, ValueError, TypeError):
            continue  # of another version, or damaged
        if isinstance(raw_bytes, int):
            yield PastRestore(str(result.get("database", "")), raw_bytes, took)
