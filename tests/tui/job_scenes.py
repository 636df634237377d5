"""Jobs for pictures, in every state, at the other scenes' moment."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.tui.scenes import (
    DONE,
    FAILED,
    JOURNAL,
    MIB,
    NOW,
    RESTORED,
    RUNNING,
    STYLES,
    PreparedJournal,
    PreparedPages,
    Scene,
    entry,
    job,
    settings,
)
from textual.events import Mount

from pgconsole.app import PgconsoleApp
from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.jobs import Job, JobStatus, JournalEntry, Problem
from pgconsole.jobs.journal import END
from pgconsole.jobs.pages import News
from pgconsole.report import Level
from pgconsole.screens.base import screen_for
from pgconsole.screens.job import JobScreen
from pgconsole.screens.jobs import JobsScreen
from pgconsole.settings import Settings

HOUR = 3600
COMMAND = (
    "PGHOST=db.example.com PGPORT=5432 PGUSER=thinktank PGPASSWORD=*** PGDATABASE=thinktank "
    "/usr/lib/postgresql/16/bin/pg_dump --no-owner --no-acl --clean --if-exists --no-password "
    "'--dbname=host=db.example.com port=5432 user=thinktank dbname=thinktank'"
)
BLOCKED = "pg_dump waits for a lock on public.[users], blocked by process 42 (psql of bob, idle)"
NAME = "thinktank_daily_20260225_020000.sql.gz"
MADE = {
    "name": NAME, "paths": [f"/backups/daily/{NAME}"], "keys": [f"backups/daily/{NAME}"],
    "raw_bytes": 512 * MIB, "compressed_bytes": 126 * MIB, "sha256": "0" * 64, "tables": 22,
    "rows": 1_531_372,
}  # fmt: skip
FULL = "backup failed: /backups is full (No space left on device)"
ASKED = "backup cancelled: ana (from 192.0.2.7) asked for it"
HOSTILE = "[red]no[/] \x1b[2J\r\n\u6f22\u5b57\u202e\ud800 x"


def _running(**more: object) -> Job:
    return replace(RUNNING, request={"database": "thinktank"}, **more)  # type: ignore[arg-type]


BACKUP = {"database": "thinktank"}
MADE_JOB = replace(DONE, request=BACKUP, result=MADE, phase="retention")
PARTLY = job(
    JobStatus.PARTLY_FAILED, ago=26 * HOUR, took=42, request=BACKUP, actor="scheduler",
    result=MADE | {"keys": []}, phase="retention",
    problem=f"Backup {NAME} is good, its copy in s3://my-thinktank-backups is missing",
    cause="https://minio.example.com: connection refused",
    fix=f"check S3_ENDPOINT_URL; then: pgconsole upload {NAME}",
)  # fmt: skip
CANCELLED = job(
    JobStatus.CANCELLED, ago=3 * HOUR, took=5, request=BACKUP, phase="dump",
    problem="The backup was cancelled", cause="ana (from 192.0.2.7) asked for it",
)  # fmt: skip
INTERRUPTED = job(
    JobStatus.INTERRUPTED, ago=27 * HOUR, took=None, request=BACKUP, actor="scheduler",
    phase="dump", problem="The backup was interrupted",
    cause="its process 4242 on backup-1 ended without a word: it was killed, ran out of memory, or "
    "the host went down",
    fix="see /backups/.pgconsole/jobs/x/output.log, then start it anew: it is never resumed by "
    "itself",
)  # fmt: skip
OBSTACLES = (
    Problem("PostgreSQL at db.example.com:5432 can't be reached", "connection refused",
            "see that it runs, and that PGHOST and PGPORT name it"),
    Problem("pg_dump 15.8 is older than the server (16.14)", "an older pg_dump refuses it",
            "install postgresql-client-16"),
    Problem("Bucket my-thinktank-backups can't be used", "403 Forbidden",
            "allow s3:PutObject there"),
)  # fmt: skip
PREFLIGHT = job(
    JobStatus.FAILED, ago=28 * HOUR, took=1.2, request=BACKUP, phase="preflight", exit_code=1,
    problem="3 things stand in the way: " + "; ".join(map(str, OBSTACLES)), problems=OBSTACLES,
)  # fmt: skip
DAMAGED = job(
    JobStatus.INTERRUPTED, ago=50 * HOUR, took=None, started_at=None, actor="unknown",
    problem="spec.json of job 20260223T020211-backup can't be read",
    cause="Expecting value: line 1 column 1 (char 0)",
    fix="see /backups/.pgconsole/jobs/x/output.log, then start it anew: it is never resumed by "
    "itself",
)  # fmt: skip
VERIFIED = job(
    JobStatus.DONE, ago=29 * HOUR, took=3.2, kind="verify",
    request={"paths": [f"/backups/daily/{NAME}", "/backups/daily/b.sql.gz"], "keys": []},
)  # fmt: skip
STRANGE = job(
    JobStatus.FAILED, ago=30 * HOUR, kind="export", actor=HOSTILE, problem=HOSTILE, cause=HOSTILE,
    request={"place": "s3", "location": "x", "table": f"public.{HOSTILE}", "path": "/tmp/漢字.csv"},
)  # fmt: skip
TO_RESTORE = {
    "place": "local", "location": f"/backups/daily/{NAME}", "database": "thinktank",
    "confirmation": "f00",
}  # fmt: skip
RESTORED_JOB = replace(RESTORED, request=TO_RESTORE)
ALL = (
    _running(), RESTORED_JOB, replace(FAILED, request=BACKUP), MADE_JOB, CANCELLED, PARTLY,
    INTERRUPTED, PREFLIGHT, VERIFIED, STRANGE, DAMAGED,
)  # fmt: skip


def progress(second: float, done: int, table: str = "public.documents") -> JournalEntry:
    return entry(
        int(second * 10), second, "dump", bytes_done=done, bytes_expected=512 * MIB, table=table
    )


RUN = [*JOURNAL[:4], entry(5, 1.1, "dump", COMMAND), *JOURNAL[4:]]
STALLED = [
    *JOURNAL[:3],
    entry(4, 1, "dump", COMMAND),
    *(progress(1 + n / 2, n * 20 * MIB) for n in range(20)),
    *(progress(11 + n, 19 * 20 * MIB) for n in range(40)),
    entry(99, 44, "dump", f"no byte for 34 s: {BLOCKED}", level=Level.WARNING),
]


def whole(began: Job) -> list[JournalEntry]:
    """A backup from its lock to its end."""
    rates = [12, 30, 44, 44, 40, 0, 0, 22, 44, 43, 44, 41]
    sums = [sum(rates[:n]) * MIB for n in range(len(rates) + 1)]
    entries = [
        *JOURNAL[:3], entry(4, 1, "dump", COMMAND),
        *(progress(1 + n, done) for n, done in enumerate(sums)),
        entry(30, 13.1, "dump", "public.legacy [notes] has no primary key", level=Level.WARNING),
        entry(31, 13.4, "verify", "read back and checked", bytes_done=sums[-1]),
        entry(32, 13.5, "publish", f"published /backups/daily/{NAME}"),
        entry(33, 13.6, "upload", bytes_done=100 * MIB, bytes_expected=126 * MIB),
        entry(34, 13.9, "upload", bytes_done=126 * MIB, bytes_expected=126 * MIB),
        entry(35, 14, "retention", "1 to delete, 27 to keep"), entry(36, 14, END, "backup done"),
    ]  # fmt: skip
    late = began.created_at - RUNNING.created_at
    return [replace(each, time=each.time + late) for each in entries]


def cut(began: Job, last: str, level: Level = Level.ERROR) -> list[JournalEntry]:
    """The same up to the middle of its dump, and its last words."""
    entries = whole(began)[:11]
    return [
        *entries,
        *([replace(entries[-1], phase=END, message=last, level=level)] if last else []),
    ]


def without_upload(began: Job) -> list[JournalEntry]:
    """The same without a bucket."""
    text = "no copy in S3: https://minio.example.com: connection refused"
    entries = whole(began)
    at = next(n for n, each in enumerate(entries) if each.phase == "upload")
    refused = replace(entries[at], bytes_done=None, message=text, level=Level.WARNING)
    return [*entries[:at], refused, *entries[at + 2 :]]


@dataclass
class JobScene:
    """What the places answer in one picture."""

    jobs: tuple[Job, ...] = ALL
    opened: Job | None = None  # None: the list
    journal: list[JournalEntry] = field(default_factory=lambda: list(RUN))
    unread: int = 0
    endless: bool = False  # there are always older ones
    problem: PgconsoleError | None = None
    silent: bool = False
    settings: Settings = field(default_factory=settings)
    later: float = 0  # seconds after the scenes' moment

    def app(self) -> Opening:
        return Opening(self)


class _Pages(PreparedPages):
    def __init__(self, scene: JobScene) -> None:
        super().__init__(scene.jobs)
        self.unread = 10**6 if scene.endless else scene.unread
        self._scene = scene

    def renew(self) -> News:
        self.answer()
        return super().renew()

    def read_on(self, count: int) -> list[Job]:
        if self._scene.endless:
            time.sleep(0.01)
        elif self._scene.unread:
            threading.Event().wait()  # a directory that is slow for ever
        return []

    def answer(self) -> None:
        if self._scene.silent:
            threading.Event().wait()
        if self._scene.problem is not None:
            raise self._scene.problem


class Opening(PgconsoleApp):
    """The console with nothing but the jobs."""

    CSS_PATH = STYLES

    def __init__(self, scene: JobScene) -> None:
        def pick(job_id: str) -> Job:
            _Pages(scene).answer()
            return next(job for job in (*scene.jobs, scene.opened) if job and job.id == job_id)

        jobs = (scene.opened,) if scene.opened else ()
        base = Scene(settings=scene.settings, jobs=jobs, journal=scene.journal).app()
        sources = replace(
            base._sources,
            pages=lambda: _Pages(scene),
            job=pick,
            journal=lambda job: PreparedJournal([] if job.status.ended and not scene.opened
                                                else list(scene.journal)),
        )  # fmt: skip
        now = NOW + timedelta(seconds=scene.later)
        super().__init__(scene.settings, sources=sources, now=lambda: now)
        self._scene = scene

    def on_mount(self, event: Mount) -> None:  # type: ignore[override]
        event.prevent_default()  # no main screen below it
        ours, opened = self._scene.settings, self._scene.opened
        screen: Any
        if opened is None:
            screen = screen_for(JobsScreen, ours)(ours, self._sources, self._now)
        else:
            screen = screen_for(JobScreen, ours)(ours, opened.id, self._sources, self._now)
        self.push_screen(screen)


UNREADABLE = StorageError(
    "The jobs in /backups/.pgconsole/jobs can't be listed",
    cause="[Errno 13] Permission denied: '/backups/.pgconsole/jobs'",
    fix="run pgconsole as the user that owns the backup directory",
)
GONE = PgconsoleError(
    "There is no job '20260225T040202-backup'",
    cause="/backups/.pgconsole/jobs has no such directory",
    fix="`pgconsole jobs` lists them",
)
LISTS = {
    "full": JobScene,
    "empty": lambda: JobScene(jobs=()),
    "loading": lambda: JobScene(silent=True),
    "error": lambda: JobScene(problem=UNREADABLE),
    "stalled": lambda: JobScene(journal=STALLED, later=41),
    "many": lambda: JobScene(unread=42_989),
    "all_well": lambda: JobScene(jobs=(MADE_JOB, VERIFIED)),
}
OPENED = {
    "running": lambda: JobScene(opened=ALL[0]),
    "stalled": lambda: JobScene(opened=ALL[0], journal=STALLED, later=41),
    "done": lambda: JobScene(opened=MADE_JOB, journal=whole(MADE_JOB)),
    "restored": lambda: JobScene(opened=RESTORED_JOB, journal=[]),
    "failed": lambda: JobScene(opened=ALL[2], journal=cut(ALL[2], FULL)),
    "preflight": lambda: JobScene(opened=PREFLIGHT, journal=[]),
    "partly_failed": lambda: JobScene(opened=PARTLY, journal=without_upload(PARTLY)),
    "cancelled": lambda: JobScene(opened=CANCELLED, journal=cut(CANCELLED, ASKED, Level.WARNING)),
    "interrupted": lambda: JobScene(opened=INTERRUPTED, journal=cut(INTERRUPTED, "")),
    "damaged": lambda: JobScene(opened=DAMAGED, journal=[]),
    "strange": lambda: JobScene(opened=STRANGE, journal=[entry(1, 0, HOSTILE, HOSTILE)]),
    "loading": lambda: JobScene(opened=ALL[0], silent=True),
    "error": lambda: JobScene(opened=ALL[0], problem=GONE),
}
