"""What the dialogs say before something is started. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from pgconsole.backups.deletion import Decision
from pgconsole.backups.dump_process import DUMP_OPTIONS
from pgconsole.backups.pins import Pin
from pgconsole.backups.retention import Entry, Plan
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import classes_of
from pgconsole.errors import ConfigurationError
from pgconsole.jobs import Job
from pgconsole.schedule.state import Pause
from pgconsole.screens.confirm import Confirmation
from pgconsole.screens.moments import EXAMPLE, end_of
from pgconsole.screens.prompt import Prompt
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.copy_text import pin_text, proven_text
from pgconsole.widgets.job_notice import title
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import ago, counted, size, span, stamp, until, zone_name

_MOST_NAMED = 5  # copies in a command that is shown
_MOST_ENTRIES = 200  # lines of a plan, for what goes and what stays each


def ask_backup(
    settings: Settings, local: Known[Shelf], s3: Known[Shelf], now: datetime
) -> Confirmation:
    """Before a backup."""
    classes = [str(c) for c in classes_of(now, settings.backup_timezone)]
    manifest = local.value.manifest if local.value is not None else None
    rows = [
        ("What", f"All of database {settings.pgdatabase}, which is only read"),
        ("Server", f"{settings.pghost}:{settings.pgport}, as {settings.pguser}"),
        ("To", f"{settings.backup_dir}/{classes[0]}/{_and_classes(classes[1:])}"),
        ("S3", _s3_text(settings, s3)),
        ("Takes", _estimate(manifest, now)),
        ("Command", f"pgconsole backup, which runs pg_dump {' '.join(DUMP_OPTIONS)}"),
    ]
    return Confirmation(f"Back up {settings.pgdatabase} now?", tuple(rows), "start the backup")


def ask_upload(settings: Settings, backup: StoredBackup, now: datetime) -> Confirmation:
    """Before a local backup is copied to S3."""
    name = backup.name
    rows = (
        ("What", f"Copies {name.filename} ({size(backup.size)}) to S3"),
        ("Taken", _taken_text(settings, backup, now)),
        ("To", f"{_bucket(settings)}{name.relative_path}"),
        ("Command", f"pgconsole upload {shlex.quote(name.filename)}"),
    )
    return Confirmation("Copy this backup to S3?", rows, "start the upload")


def ask_cancel(job: Job, now: datetime) -> Confirmation:
    """Before a job is cancelled."""
    rows = (
        ("What", f"Stops the running {job.kind} and removes what it began: files, uploads"),
        ("Job", f"{job.id}, started {ago(job.created_at, now)} by {job.actor}"),
        ("Keeps", "All earlier backups stay as they are"),
        ("Command", f"pgconsole cancel {shlex.quote(job.id)}"),
    )
    return Confirmation(f"Cancel the running {title(job).lower()}?", rows, "cancel it")


def ask_verify(
    settings: Settings, copies: Sequence[StoredBackup], marks: Marks, now: datetime
) -> Confirmation:
    """Before copies are verified."""
    amount = size(sum(copy.size for copy in copies))
    s3 = any(copy.place is Place.S3 for copy in copies)
    streams = "; those in S3 are streamed and not kept" if s3 else ""
    what = f"Reads all {amount}: every checksum, every COPY block, the rows counted"
    stay = "The copy stays as it is" if len(copies) == 1 else "The copies stay as they are"
    rows = [("What", f"{what}. {stay}{streams}")]
    if len(copies) == 1:
        copy, proof = copies[0], marks.proof(copies[0])
        so_far = "Nobody has verified this copy as it is now"
        if proof is not None:
            so_far = f"{proof.proof}, {proven_text(proof, now)}"
        rows += [
            ("Copy", _location(settings, copy)),
            ("Taken", _taken_text(settings, copy, now)),
            ("So far", so_far),
        ]
    else:
        rows += _list("Copies", [_location(settings, copy) for copy in copies])
    rows.append(("Command", f"pgconsole verify {_named(copies)}"))
    title = "Verify this copy?" if len(copies) == 1 else f"Verify these {len(copies):,} copies?"
    return Confirmation(title, tuple(rows), "verify it" if len(copies) == 1 else "verify them")


def ask_download(settings: Settings, copies: Sequence[StoredBackup], now: datetime) -> Confirmation:
    """Before copies of S3 are downloaded."""
    amount = size(sum(copy.size for copy in copies))
    names = " ".join(shlex.quote(copy.location) for copy in copies)
    rows = (
        ("What", f"Downloads {counted(len(copies), 'object')}, {amount}, and proves each whole"),
        ("To", f"{settings.backup_dir}/restored/, which retention leaves alone"),
        *_list("Objects", [_taken_and_key(settings, copy, now) for copy in copies]),
        ("Command", f"pgconsole download {names}"),
    )
    return Confirmation("Download from S3?", rows, "download")


def ask_delete(settings: Settings, decisions: Sequence[Decision]) -> Confirmation:
    """Before copies are deleted: which go and which stay, each with its reason."""
    going = [one.backup for one in decisions if one.allowed]
    staying = [one for one in decisions if not one.allowed]
    amount = size(sum(copy.size for copy in going))
    what = f"Deletes {counted(len(going), 'copy', 'copies')}, {amount} at most, for good"
    rows = [
        ("What", what),
        ("Command", f"pgconsole delete {_named(going)}"),
        *_list("✗ goes", [_decision(settings, one) for one in decisions if one.allowed]),
        *_list("✓ stays", [_decision(settings, one) for one in staying]),
    ]
    copies = counted(len(going), "copy", "copies")
    return Confirmation(f"Delete {copies}?", tuple(rows), f"delete {copies}")


def ask_pin(settings: Settings, backup: StoredBackup, now: datetime) -> Prompt:
    """Before a backup is pinned."""
    rows = (
        ("What", "Retention keeps it, here and in S3, in all its classes, until it is unpinned"),
        ("Backup", _backup_text(settings, backup, now)),
        ("Command", f"pgconsole pin {shlex.quote(backup.name.filename)}"),
    )
    fields = (("Why", "e.g. before the migration"),)
    return Prompt("Pin this backup?", rows, fields, "pins it", lambda _: None)


def ask_unpin(settings: Settings, backup: StoredBackup, pin: Pin, now: datetime) -> Confirmation:
    """Before a pin is taken away."""
    rows = (
        ("What", "Retention may delete this backup again, as its age and class have it"),
        ("Backup", _backup_text(settings, backup, now)),
        ("Pinned", pin_text(pin, now)),
        ("Command", f"pgconsole unpin {shlex.quote(backup.name.filename)}"),
    )
    return Confirmation("Unpin this backup?", rows, "unpin it")


def ask_pause(settings: Settings, table: Timetable, now: Callable[[], datetime]) -> Prompt:
    """Before the schedule is paused."""
    zone = settings.backup_timezone
    run = table.next_run(now())
    first = f"; the first is {stamp(run, table.zone)}, {until(run, now())}" if run else ""
    rows = (
        ("What", f"The scheduler skips its runs, and records that{first}"),
        ("Else", "A running job goes on; b still takes a backup"),
        ("Command", "pgconsole pause --reason ... [--until ...]"),
    )
    fields = (
        ("Why", "e.g. moving to the new server"),
        (f"Until ({zone_name(zone, now())}; empty: no end)", f"e.g. {EXAMPLE}"),
    )

    def check(answers: list[str]) -> None:
        if not answers[0]:
            raise ConfigurationError("A pause needs a reason", fix="Others will want to know why")
        end_of(answers[1], now(), zone)

    return Prompt("Pause the schedule?", rows, fields, "pauses it", check)


def ask_resume(table: Timetable, pause: Pause, now: datetime) -> Confirmation:
    """Before the schedule goes on."""
    run = table.next_run(now)
    rows = (
        ("What", f"The scheduler runs backups again{f', next {until(run, now)}' if run else ''}"),
        ("Paused", f"{pause.reason}, by {pause.by} {ago(pause.since, now)}"),
        ("Command", "pgconsole resume"),
    )
    return Confirmation("Resume the schedule?", rows, "resume it")


def ask_prune(settings: Settings, plans: Mapping[Place, Plan]) -> Confirmation:
    """Before retention deletes: each file that goes and each that stays, with its reason."""
    going = [(place, entry) for place, plan in plans.items() for entry in plan.delete]
    staying = [(place, entry) for place, plan in plans.items() for entry in plan.keep]
    freed = sum(plan.freed for plan in plans.values())
    where = "here and in S3" if Place.S3 in plans else "here; S3_RETENTION is off"
    rows = [
        ("What", f"Deletes {counted(len(going), 'file')}, {size(freed)} at most; {where}"),
        ("Command", "pgconsole prune"),
        *_entries(settings, "✗ goes", going),
        *_entries(settings, "✓ stays", staying),
    ]
    return Confirmation("Apply retention now?", tuple(rows), f"delete {len(going)}")


def _entries(
    settings: Settings, label: str, entries: list[tuple[Place, Entry]]
) -> Iterator[tuple[str, str]]:
    for place, entry in entries[:_MOST_ENTRIES]:
        root = settings.s3_prefix if place is Place.S3 else f"{settings.backup_dir}/"
        name = entry.location.removeprefix(root)
        yield label, f"{'S3 ' if place is Place.S3 else ''}{name}: {entry.reason}"
    if len(entries) > _MOST_ENTRIES:
        yield label, f"and {len(entries) - _MOST_ENTRIES:,} more"


def _decision(settings: Settings, decision: Decision) -> str:
    return f"{_location(settings, decision.backup)}: {decision.reason}"


def _list(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    rows = [(label, text) for text in texts[:_MOST_ENTRIES]]
    if len(texts) > _MOST_ENTRIES:
        rows.append((label, f"and {len(texts) - _MOST_ENTRIES:,} more"))
    return rows


def _location(settings: Settings, copy: StoredBackup) -> str:
    if copy.place is Place.LOCAL:
        return copy.location
    return f"s3://{settings.s3_bucket}/{copy.location}"


def _named(copies: Sequence[StoredBackup]) -> str:
    """As arguments of a command."""
    texts = [
        f"--s3 {shlex.quote(copy.location)}" if copy.place is Place.S3
        else shlex.quote(copy.name.filename)
        for copy in copies[:_MOST_NAMED]
    ]  # fmt: skip
    return " ".join([*texts, "..."] if len(copies) > _MOST_NAMED else texts)


def _taken_text(settings: Settings, copy: StoredBackup, now: datetime) -> str:
    taken = copy.name.taken_at
    return f"{stamp(taken, settings.backup_timezone)}, {ago(taken, now)}"


def _taken_and_key(settings: Settings, copy: StoredBackup, now: datetime) -> str:
    return f"{copy.location}, taken {_taken_text(settings, copy, now)}, {size(copy.size)}"


def _backup_text(settings: Settings, backup: StoredBackup, now: datetime) -> str:
    name, taken = backup.name, _taken_text(settings, backup, now)
    return f"{name.database}, {name.backup_class}, {size(backup.size)}, taken {taken}"


def _and_classes(more: list[str]) -> str:
    return f" (today also {' and '.join(more)})" if more else ""


def _bucket(settings: Settings) -> str:
    return f"s3://{settings.s3_bucket}/{settings.s3_prefix}"


def _s3_text(settings: Settings, s3: Known[Shelf]) -> str:
    if not settings.s3_enabled:
        return "Not set up: no copy outside this machine"
    where = f"{_bucket(settings)} at {settings.s3_endpoint_url or 'AWS'}"
    if s3.problem is not None:
        return f"{where}. Not readable now: if it stays so, the local backup is kept"
    return where


def _estimate(manifest: Manifest | None, now: datetime) -> str:
    if manifest is None:
        return "Not known: there is no earlier backup to judge by"
    length = span(manifest.finished_at - manifest.started_at)
    last = ago(manifest.taken_at, now)
    return f"About {length} and {size(manifest.compressed_bytes)}, as the last one ({last})"
