"""Everything that reads what lies in BACKUP_DIR, as commands, scheduler and console do."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pgconsole import jobs, locks
from pgconsole.backups.catalog import latest_manifest, local_backups
from pgconsole.backups.evidence import read_evidence
from pgconsole.backups.pins import read_pins
from pgconsole.backups.prune import make_plan
from pgconsole.errors import PgconsoleError
from pgconsole.jobs.cancel_request import asked_by
from pgconsole.jobs.store import jobs_directory
from pgconsole.logs.book import LogBook
from pgconsole.logs.files import places_of
from pgconsole.schedule.backups import last_good_backup, who_is_busy
from pgconsole.schedule.state import last_pause, read_heartbeat, read_slots
from pgconsole.screens.sources import sources_of
from pgconsole.settings import Settings
from pgconsole.status.gather import gather
from pgconsole.status.status import judge
from pgconsole.storage.base import Place
from pgconsole.storage.s3_records import records

JOB = "20260225T020000.000000Z-backup-1a2b"
MEMORY = 512 << 20  # bytes more than there are


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def _journal(settings: Settings) -> None:
    tail = jobs.Tail(jobs.read_job(settings, JOB).directory)
    while tail.read():
        pass


def _log_pane(settings: Settings) -> None:
    book = LogBook(lambda: places_of(settings, 100), 10_000)
    while book.read() or book.advance():
        pass
    list(book.lines(0, book.count))


READERS: dict[str, Callable[[Settings], object]] = {
    "backups": lambda settings: local_backups(settings).backups,
    "newest manifest": latest_manifest,
    "retention": lambda settings: make_plan(settings, Place.LOCAL),
    "jobs": jobs.list_jobs,
    "one job": lambda settings: jobs.read_job(settings, JOB),
    "journal": _journal,
    "who cancelled": lambda settings: asked_by(jobs_directory(settings) / JOB),
    "logs": _log_pane,
    "evidence": read_evidence,
    "pins": read_pins,
    "heartbeat": read_heartbeat,
    "pause": last_pause,
    "slots": lambda settings: read_slots(settings, 50),
    "uploads": lambda settings: list(records(settings.state_dir / "uploads")),
    "lock": lambda settings: locks.is_held(settings.state_dir / "locks" / "app.lock"),
    "lock's holder": lambda settings: locks.read_holder(settings.state_dir / "locks" / "app.lock"),
    "who is busy": who_is_busy,
    "last good backup": lambda settings: last_good_backup(settings, now()),
    "status": lambda settings: judge(gather(settings, now()), now()),
    "console's backups": lambda settings: sources_of(settings, now).local(),
    "console's jobs": lambda settings: sources_of(settings, now).jobs(),
    "console's schedule": lambda settings: sources_of(settings, now).schedule(),
}


def read_everything(settings: Settings) -> dict[str, str]:
    """Let every reader read.

    Returns:
        Of each reader: what it raised of what it may raise, or empty.
    """
    raised = {}
    with bounded_memory():
        for name, read in READERS.items():
            try:
                read(settings)
            except (PgconsoleError, OSError) as error:
                raised[name] = str(error)
            else:
                raised[name] = ""
    return raised


@contextmanager
def bounded_memory(more: int = MEMORY) -> Iterator[None]:
    """Within the block this process can't get more than so many bytes on top of what it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with open("/proc/self/status") as file:  # noqa: PTH123 - of the kernel
        has = next(int(line.split()[1]) for line in file if line.startswith("VmData")) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (has + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
