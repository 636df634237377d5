"""The backups that the scheduler has started: followed into its log, and judged when they end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import humanize

from pgconsole import jobs, locks
from pgconsole.backups.catalog import local_backups
from pgconsole.backups.evidence import read_evidence
from pgconsole.backups.retention import Trust
from pgconsole.backups.trust import verdicts_of
from pgconsole.errors import ExitCode, PgconsoleError, StorageError
from pgconsole.jobs import Job, JobStatus, JournalEntry, Tail
from pgconsole.jobs.texts import JSON
from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.settings import Settings

ACTOR = "scheduler"
_BRIEF = ("prune", "upload")  # who hold the lock of a database besides backups and restores
_LOOKED_THROUGH = 500  # jobs; the one that a scheduler started last is among the newest


class SlotBackup:
    """The backup of a slot, which runs as a job of its own.

    Args:
        settings: Where the job is.
        slot: Whose backup it is; it has the job's id.
        from_the_end: Leave out what the journal has so far.

    Raises:
        PgconsoleError: There is no such job any more.
    """

    def __init__(self, settings: Settings, slot: Slot, *, from_the_end: bool = False) -> None:
        self._settings = settings
        self.slot = slot
        directory = jobs.read_job(settings, slot.job).directory
        self._tail = Tail(directory, last_bytes=0 if from_the_end else None)

    def look(self) -> tuple[list[JournalEntry], Job | None]:
        """What the journal has got since the last look, and the job once it has ended.

        Raises:
            PgconsoleError: Somebody has removed the job.
            OSError: Its journal can't be read.
        """
        # Looked at before reading: what was written before the end is then read after it.
        job = jobs.read_job(self._settings, self.slot.job)
        entries = []
        while some := self._tail.read():
            entries += some
        return entries, job if job.status.ended else None

    def cancel(self) -> str:
        """Cancel it. What is in the way of that, in words; empty if it ends."""
        try:
            jobs.cancel(self._settings, self.slot.job, ACTOR)
        except PgconsoleError as error:
            # Also raised where it has just ended, or somebody else is cancelling it.
            with suppress(PgconsoleError):
                if jobs.read_job(self._settings, self.slot.job).status is JobStatus.RUNNING:
                    return str(error)
        return ""

    def in_words(self) -> str:
        """Why another slot is skipped."""
        return f"the backup of {self.slot.due:%Y-%m-%d %H:%M:%S} UTC is still running"


def start_backup(settings: Settings, slot: Slot) -> str:
    """Start the job of a slot and return its id.

    Args:
        settings: What to back up.
        slot: Which slot. One that is made up is named after the present: a name must not promise
            the data of then.

    Raises:
        StorageError: It can't be started.
    """
    named_after = slot.at if slot.why else slot.due
    request: dict[str, JSON] = {
        "database": settings.pgdatabase,
        "slot": named_after.isoformat(),
        "due": slot.due.isoformat(),
    }
    return jobs.start(settings, "backup", request, ACTOR)


def find_job(settings: Settings, slot: Slot) -> str:
    """The id of the job that was started for a slot, or empty.

    Raises:
        StorageError: The jobs can't be listed.
    """
    due = slot.due.isoformat()
    for job in jobs.list_jobs(settings, _LOOKED_THROUGH):
        if job.actor == ACTOR and job.request.get("due") == due:
            return job.id
    return ""


def last_good_backup(settings: Settings, now: datetime) -> datetime | None:
    """When the newest local backup was taken that is proven whole; None if none is known.

    Args:
        settings: Whose backups.
        now: What is dated after it does not count.
    """
    try:
        listing, proofs = local_backups(settings), read_evidence(settings)
    except (StorageError, OSError):  # the next backup will say what is wrong
        return None
    verdicts = verdicts_of(settings, listing, proofs)
    return max(
        (
            backup.name.taken_at
            for backup in listing.backups
            if backup.name.database == settings.pgdatabase
            and backup.name.taken_at <= now
            and backup.location in verdicts
            and verdicts[backup.location].trust is Trust.VERIFIED
        ),
        default=None,
    )


def is_held_briefly(settings: Settings) -> bool:
    """Whether what works on the database is neither a backup nor a restore, but soon over."""
    held, holder = _holder(settings)
    return held and holder is not None and holder.what in _BRIEF


def who_is_busy(settings: Settings) -> str:
    """Who works on the database, in words; empty if nobody does, or nobody knows."""
    held, holder = _holder(settings)
    if not held:
        return ""
    if holder is None:
        return "another job is working on the database"
    job = f", job {holder.job}" if holder.job else ""
    return (
        f"{holder.what} by {holder.who} on {holder.host} has been running since "
        f"{holder.since_time:%Y-%m-%d %H:%M:%S} UTC{job}"
    )


def _holder(settings: Settings) -> tuple[bool, locks.Holder | None]:
    """Whether the database's lock is held, and by whom, as far as it is known."""
    path = settings.state_dir / "locks" / f"{settings.pgdatabase}.lock"
    try:
        return (True, locks.read_holder(path)) if locks.is_held(path) else (False, None)
    except (OSError, ValueError):  # the backup itself will say what is wrong
        return False, None


def judge(job: Job, how: str) -> tuple[SlotOutcome, str]:
    """What a slot has come to, and why, now that its job has ended.

    Args:
        job: It has ended.
        how: How the slot came about; stands where all went well.
    """
    if job.status is JobStatus.DONE:
        return SlotOutcome.DONE, how
    if job.status is JobStatus.FAILED and job.exit_code == ExitCode.BUSY:
        return SlotOutcome.SKIPPED, job.cause or job.problem
    why = ": ".join(filter(None, (job.problem, job.cause))) or f"its job is {job.status}"
    if job.status is JobStatus.PARTLY_FAILED:
        why = f"partly failed: {why}"
    return SlotOutcome.FAILED, why


def success_in_words(job: Job) -> str:
    """What was made: name, size and how long it took."""
    result = job.result or {}
    text = str(result.get("name", job.id))
    size = result.get("compressed_bytes")
    if isinstance(size, int):
        text += f", {humanize.naturalsize(size, binary=True)}"
    if job.started_at and job.finished_at:
        text += f", in {humanize.precisedelta(job.finished_at - job.started_at)}"
    keys = result.get("keys")
    return text + (", also in S3" if isinstance(keys, list) and keys else "")


def lost(error: PgconsoleError | OSError) -> tuple[SlotOutcome, str]:
    """What a slot has come to whose job can't be read any more."""
    return SlotOutcome.FAILED, f"nobody knows how its job ended: {error}"
