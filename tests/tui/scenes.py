"""Prepared data for pictures: the same on every machine, at one frozen moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pgconsole.app as app_module
from pgconsole.app import PgconsoleApp
from pgconsole.backups.evidence import Evidence, Proof, copy_id
from pgconsole.backups.pins import Pin, backup_id
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupClass, BackupName, classes_of
from pgconsole.errors import StorageError
from pgconsole.jobs import Job, JobStatus, JournalEntry
from pgconsole.jobs.journal import EVENTS
from pgconsole.jobs.pages import News
from pgconsole.jobs.texts import json_line
from pgconsole.logs import segment
from pgconsole.report import Level
from pgconsole.schedule import in_words, next_runs
from pgconsole.schedule.state import Heartbeat, Pause, Slot, SlotOutcome
from pgconsole.screens.sources import LogPlaces, Sources
from pgconsole.settings import Settings
from pgconsole.storage.base import ForeignFile, Listing, Place, StoredBackup
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf, shelf_of, with_marks

NOW = datetime(2026, 2, 25, 4, 2, 11, tzinfo=UTC)
LAST = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
MIB = 1 << 20
# For tests that show a screen in an app of their own.
STYLES = [Path(app_module.__file__).parent / style for style in PgconsoleApp.CSS_PATH]

S3_ENV = {
    "S3_BACKUP_BUCKET": "my-thinktank-backups",
    "S3_ENDPOINT_URL": "https://minio.example.com",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def settings(*, s3: bool = True, **variables: str) -> Settings:
    """Settings that name nothing of this machine."""
    environment = {
        "PGHOST": "db.example.com",
        "PGDATABASE": "thinktank",
        "BACKUP_DIR": "/backups",
        **(S3_ENV if s3 else {}),
        **variables,
    }
    return Settings.model_validate(environment)


def stored(name: BackupName, place: Place, size: int, *, manifest: bool = True) -> StoredBackup:
    base = "/backups" if place is Place.LOCAL else "backups"
    location = f"{base}/{name.relative_path}"
    return StoredBackup(name, place, location, size, name.taken_at, manifest)


def listing(place: Place, days: int = 24, *, database: str = "thinktank") -> Listing:
    """One backup a day, in all of its classes; the oldest six are of the shell scripts."""
    zone = settings().backup_timezone
    backups = []
    for day in range(days):
        taken = LAST - timedelta(days=day)
        size = 126 * MIB - day * 812_345
        for backup_class in classes_of(taken, zone):
            name = BackupName(database, taken, backup_class)
            backups.append(stored(name, place, size, manifest=day < days - 6))
    return Listing(tuple(backups), (), ())


def manifest() -> Manifest:
    return Manifest(
        database="thinktank",
        classes=(BackupClass.DAILY,),
        taken_at=LAST,
        started_at=LAST,
        finished_at=LAST + timedelta(seconds=14),
        verified_at=LAST + timedelta(seconds=14),
        host="backup-1",
        actor="scheduler",
        server_host="db.example.com",
        server_version="16.14",
        pg_dump_version="16.14",
        options=(),
        raw_bytes=512 * MIB,
        compressed_bytes=126 * MIB,
        sha256="0" * 64,
        sections=(),
    )


def proof(backup: StoredBackup, kind: Proof = Proof.COMPLETE, **more: object) -> Evidence:
    """What was proven of a copy, one minute after it was taken."""
    base = Evidence(
        copy=copy_id(settings(), backup), proof=kind,
        at=backup.name.taken_at + timedelta(minutes=1),
        by="scheduler", seconds=3.2, size=backup.size, modified=backup.modified,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def marks_of(*proofs: Evidence, pins: tuple[Pin, ...] = ()) -> Marks:
    """These proofs and pins."""
    by_copy: dict[str, list[Evidence]] = {}
    for item in proofs:
        by_copy.setdefault(item.copy, []).append(item)
    return Marks(settings(), by_copy, {pin.backup: pin for pin in pins})


def usual_marks(local: tuple[StoredBackup, ...]) -> Marks:
    """What has a manifest was verified when it was taken; copies in S3 are intact; the rest not."""
    there = {backup.name: backup for backup in listing(Place.S3).backups if backup.has_manifest}
    proven = [backup for backup in local if backup.has_manifest]
    copies = [there[backup.name] for backup in proven if backup.name in there]
    old = next((b for b in proven if b.name.taken_at < LAST - timedelta(days=3)), None)
    pins = ()
    if old is not None:
        pins = (Pin(backup_id(old.name), "before [v2] went live", "ana", NOW - timedelta(days=3)),)
    return marks_of(
        *(proof(backup) for backup in proven),
        *(proof(copy, Proof.INTACT, seconds=0.4) for copy in copies),
        pins=pins,
    )


def local_shelf(found: Listing | None = None, marks: Marks | None = None) -> Shelf:
    """The local backups, with what was noted about them and read of the newest."""
    shelf = shelf_of(found if found is not None else listing(Place.LOCAL))
    marks = usual_marks(shelf.backups) if marks is None else marks
    return with_marks(replace(shelf, manifest=manifest()), "thinktank", marks)


def job(
    status: JobStatus, *, ago: float = 2 * 3600, took: float | None = 14, **more: object
) -> Job:
    """A backup job that began so many seconds ago."""
    began = NOW - timedelta(seconds=ago)
    ended = began + timedelta(seconds=took) if took is not None else None
    base = Job(
        id=f"{began:%Y%m%dT%H%M%S}-backup",
        kind="backup",
        request={},
        actor="ana (from 192.0.2.7)",
        created_at=began,
        started_at=began,
        finished_at=ended,
        status=status,
        phase="",
        pid=4242,
        exit_code=None,
        problem="",
        cause="",
        fix="",
        result=None,
        directory=Path("/backups/.pgconsole/jobs/x"),
    )
    return replace(base, **more)  # type: ignore[arg-type]


RUNNING = job(JobStatus.RUNNING, ago=9, took=None)
DONE = job(JobStatus.DONE)
FAILED = job(
    JobStatus.FAILED,
    ago=215,
    took=35,
    problem="The dump of thinktank could not be written",
    cause="/backups is full (No space left on device)",
    fix="free at least 130 MiB in /backups, then press b",
)


CHECKS = [
    ("table", "", 3, 3), ("index", "", 5, 5), ("materialized view", "", 1, 0),
    ("rows", "public.documents", 1_250_000, 1_250_000), ("rows", "public.[odd] name", 12, 11),
    ("rows", "public.a_table_with_a_name_that_is_too_long", 3, None),
]  # fmt: skip
RESTORED = job(
    JobStatus.DONE, ago=60, kind="restore",
    result={
        "database": "thinktank",
        "safety_backup": "/backups/safety/pre_restore_20260225_040111.sql.gz",
        "sessions_cut": 3,
        "checks": [
            dict(zip(("what", "name", "expected", "found"), check, strict=True)) for check in CHECKS
        ],
    },
)  # fmt: skip


def entry(seq: int, second: float, phase: str, message: str = "", **more: object) -> JournalEntry:
    time = RUNNING.created_at + timedelta(seconds=second)
    return JournalEntry(seq, time, phase, message, **more)  # type: ignore[arg-type]


JOURNAL = [
    entry(1, 0, "lock", "locked database thinktank on this host and on the server"),
    entry(2, 0.2, "preflight", "server 16.14 reachable, pg_dump 16.14, 41.2 GiB free in /backups"),
    entry(3, 0.6, "preflight", "bucket my-thinktank-backups answers"),
    entry(4, 1, "dump", "pg_dump started; the upload runs beside it"),
    *(
        entry(
            5 + i, 1 + i, "dump", bytes_done=i * 41 * MIB, bytes_expected=512 * MIB,
            table="public.documents",
        )
        for i in range(8)
    ),
    entry(20, 8.4, "dump", "public.legacy [notes] has no primary key", level=Level.WARNING),
]  # fmt: skip


class PreparedJournal:
    """A journal that is given out once."""

    def __init__(self, entries: list[JournalEntry]) -> None:
        self._entries = entries

    def read(self) -> list[JournalEntry]:
        entries, self._entries = self._entries, []
        return entries


class PreparedPages:
    """Jobs that are all read at once."""

    def __init__(self, jobs: tuple[Job, ...]) -> None:
        self._jobs = jobs
        self.unread = 0
        self.active: dict[str, Job] = {}

    def renew(self) -> News:
        ended = [job for job in self._jobs if job.status.ended]
        began = [job for job in self._jobs if not job.status.ended]
        self.active |= {job.id: job for job in began}
        self._jobs = ()
        return News(ended, began, set())

    def read_on(self, count: int) -> list[Job]:
        return []


@dataclass
class Scene:
    """What the places answer in one picture."""

    settings: Settings = field(default_factory=settings)
    local: Shelf | StorageError | None = field(default_factory=local_shelf)
    s3: Shelf | StorageError | None = field(default_factory=lambda: shelf_of(listing(Place.S3)))
    s3_so_far: Shelf | None = None
    s3_later: StorageError | None = None
    """What S3 says when it is asked again."""
    jobs: tuple[Job, ...] = (DONE,)
    journal: list[JournalEntry] = field(default_factory=list)
    schedule: dict[str, object] = field(default_factory=dict)
    logs: LogPlaces | None = None
    """Where the logs are; None: the journal alone."""

    def places(self) -> LogPlaces:
        """The journal as a file, as long as somebody may ask for it."""
        directory = TemporaryDirectory()
        with (Path(directory.name) / EVENTS).open("wb") as file:
            for item in self.journal:
                content = asdict(item) | {"time": item.time.isoformat(timespec="milliseconds")}
                file.write(json_line(content))
        kind = self.jobs[0].kind if self.jobs else ""
        return lambda job: [segment.Place(Path(directory.name) / EVENTS, job, kind)]

    def app(self) -> PgconsoleApp:
        """The console on this scene; None never answers."""

        def answer(value: Shelf | StorageError | None) -> Shelf:
            if value is None:
                threading.Event().wait()
            if isinstance(value, StorageError):
                raise value
            assert value is not None
            return value

        def s3(so_far: Callable[[Shelf], None]) -> Shelf:
            if self.s3_so_far is not None:
                so_far(self.s3_so_far)
            if self.s3_later is not None:
                self.s3, now = self.s3_later, self.s3
                return answer(now)
            return answer(self.s3)

        expression, zone = self.settings.backup_schedule, self.settings.backup_timezone
        table = Timetable(
            expression, zone, in_words(expression), tuple(next_runs(expression, zone, NOW, 5))
        )
        sources = Sources(
            local=lambda: answer(self.local),
            s3=s3,
            jobs=lambda: self.jobs,
            journal=lambda _job: PreparedJournal(list(self.journal)),
            schedule=lambda: replace(table, **self.schedule),  # type: ignore[arg-type]
            pages=lambda: PreparedPages(self.jobs),
            job=lambda job_id: next(job for job in self.jobs if job.id == job_id),
            logs=self.logs or self.places(),
        )
        return PgconsoleApp(self.settings, sources=sources, now=lambda: NOW)


BEAT = Heartbeat(
    at=NOW - timedelta(seconds=20), started_at=NOW - timedelta(days=3), host="backup-1", pid=7,
    schedule="0 2 * * *", timezone="UTC",
)  # fmt: skip
PAUSE = Pause("ana", "moving to [new] server", NOW - timedelta(hours=1), NOW + timedelta(hours=30))


def slot(days: float, outcome: SlotOutcome, why: str = "") -> Slot:
    due = LAST - timedelta(days=days)
    return Slot(due, outcome, why, "", due + timedelta(minutes=1))


SLOTS = (
    slot(0, SlotOutcome.DONE),
    slot(1, SlotOutcome.FAILED, "/backups is full (No space left on device)"),
    slot(2, SlotOutcome.SKIPPED, "a backup by ana was running"),
    slot(3, SlotOutcome.MISSED, "the scheduler was down from 01:10 to 09:30"),
    slot(3.5, SlotOutcome.DONE, "made up after 7 h"),
    slot(4, SlotOutcome.DONE, "at start-up"),
)

UNREACHABLE = StorageError(
    "The bucket my-thinktank-backups can't be reached",
    cause="https://minio.example.com: connection refused",
    fix="check S3_ENDPOINT_URL and the network; `pgconsole info` shows the settings",
)


def damaged_marks() -> Marks:
    """The newest backup was read later and is damaged; an older one was restored."""
    backups = listing(Place.LOCAL).backups
    wrong = proof(
        backups[0], Proof.DAMAGED, at=NOW - timedelta(minutes=5), by="ana",
        problem="member 17 at byte 73,400,320 has a wrong CRC",
    )  # fmt: skip
    tried = proof(backups[2], Proof.RESTORED, at=NOW - timedelta(days=1), by="ana", seconds=40)
    return marks_of(*(proof(backup) for backup in backups if backup.has_manifest), wrong, tried)


SCENES = {
    "full": Scene,
    "empty": lambda: Scene(
        local=shelf_of(Listing((), (), ())), s3=shelf_of(Listing((), (), ())), jobs=()
    ),
    "loading": lambda: Scene(local=None, s3=None, jobs=()),
    "reading": lambda: Scene(s3_so_far=shelf_of(listing(Place.S3, 9)), s3=None),
    "restored": lambda: Scene(jobs=(RESTORED, DONE)),
    "running": lambda: Scene(jobs=(RUNNING, DONE), journal=JOURNAL),
    "failed": lambda: Scene(jobs=(FAILED, DONE), journal=JOURNAL[:4]),
    "scheduled": lambda: Scene(schedule={"heartbeat": BEAT, "slots": SLOTS}),
    "paused": lambda: Scene(schedule={"heartbeat": BEAT, "slots": SLOTS[:2], "pause": PAUSE}),
    "scheduler_gone": lambda: Scene(
        schedule={"heartbeat": replace(BEAT, at=NOW - timedelta(hours=3)), "slots": SLOTS[:2]}
    ),
    "other_schedule": lambda: Scene(
        schedule={
            "heartbeat": replace(BEAT, schedule="0 3 * * *"),
            "expression": "0 3 * * *",
            "words": "At 03:00",
        }
    ),
    "damaged": lambda: Scene(local=local_shelf(marks=damaged_marks())),
    "s3_unreachable": lambda: Scene(s3=UNREACHABLE),
    "stale": lambda: Scene(s3_later=UNREACHABLE),
    "s3_off": lambda: Scene(settings=settings(s3=False)),
    "foreign": lambda: Scene(
        local=local_shelf(
            Listing(
                listing(Place.LOCAL).backups + listing(Place.LOCAL, 3, database="app [x]").backups,
                (ForeignFile("/backups/daily/notes.txt", 12),),
                ("/backups/daily/x.partial",),
            )
        )
    ),
}
