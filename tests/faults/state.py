"""A backup directory with everything that pgconsole notes down, by the code that notes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults import bait
from tests.faults.readers import JOB

from pgconsole import durable, locks
from pgconsole.backups import pins
from pgconsole.backups.catalog import local_backups
from pgconsole.backups.evidence import Evidence, Proof, copy_id, record
from pgconsole.jobs.audit import audit
from pgconsole.jobs.journal import Journal
from pgconsole.jobs.spec import Spec, write_spec
from pgconsole.jobs.state import JobStatus, Problem, State, write_state
from pgconsole.jobs.store import jobs_directory
from pgconsole.redact import Redactor
from pgconsole.report import Event, Level
from pgconsole.schedule.history import Slot, SlotOutcome, append_slots
from pgconsole.schedule.service_log import ServiceLog
from pgconsole.schedule.state import Heartbeat, pause, schedule_directory, write_heartbeat
from pgconsole.settings import Settings
from pgconsole.storage.s3_errors import Address
from pgconsole.storage.s3_records import RecordFile

BACKUP = "app_daily_20260225_020000.sql.gz"
_THEN = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)

# Every file of JSON, and whether it has a document in each line.
DOCUMENTS = {
    f"daily/{BACKUP}.manifest.json": False,
    f".pgconsole/jobs/{JOB}/spec.json": False,
    f".pgconsole/jobs/{JOB}/state.json": False,
    f".pgconsole/jobs/{JOB}/events.jsonl": True,
    f".pgconsole/jobs/{JOB}/cancel.json": False,
    ".pgconsole/evidence.jsonl": True,
    ".pgconsole/pins.json": False,
    ".pgconsole/locks/app.lock": False,
    ".pgconsole/schedule/heartbeat.json": False,
    ".pgconsole/schedule/pause.json": False,
    ".pgconsole/schedule/slots.jsonl": True,
    ".pgconsole/schedule/service.jsonl": True,
    ".pgconsole/uploads/one.json": False,
}


def lay_everything(settings: Settings) -> None:
    """A good backup, verified and pinned; a failed job; a paused schedule; an upload record."""
    bait.lay_good(settings.backup_dir / "daily", BACKUP)
    (backup,) = local_backups(settings).backups
    proof = Evidence(copy_id(settings, backup), Proof.COMPLETE, _THEN, "alice", 1.5, backup.size,
                     backup.modified, "00" * 32)  # fmt: skip
    record(settings, proof)
    pins.pin(settings, backup.name, "before the move", "alice")
    _lay_job(settings)
    directory = schedule_directory(settings)
    now = datetime.now(UTC)
    write_heartbeat(settings, Heartbeat(now, now, "host", 1, "0 2 * * *", "UTC"))
    pause(settings, "moving", now + timedelta(days=1), "alice")
    append_slots(directory, [Slot(_THEN, SlotOutcome.STARTED, "at start-up", JOB, _THEN)])
    append_slots(directory, [Slot(_THEN, SlotOutcome.FAILED, "disk full", JOB, _THEN)])
    ServiceLog(directory).append(_THEN, "schedule", Level.WARNING, "the disk is full")
    uploads = settings.state_dir / "uploads"
    key = f"backups/daily/{BACKUP}"
    made = RecordFile.begin(uploads, Address("bucket", "http://127.0.0.1:1"), key)
    made.path.rename(uploads / "one.json")
    holder = locks.Holder("alice", "backup", _THEN.isoformat(), "host", 1, JOB)
    with locks.hold(settings.state_dir / "locks" / "app.lock", holder):
        pass
    audit(settings, "alice", "backup", JOB, "failed")


def _lay_job(settings: Settings) -> None:
    directory = jobs_directory(settings) / JOB
    durable.make_directory(directory)
    write_spec(directory, Spec(JOB, "backup", {"slot": _THEN.isoformat()}, "alice", _THEN))
    result = {
        "name": BACKUP, "paths": [f"/backups/daily/{BACKUP}"], "keys": [], "raw_bytes": 1000,
        "compressed_bytes": 100, "copies": [{"location": "x", "proof": "complete", "rows": 1}],
    }  # fmt: skip
    problem = Problem("The disk is full", "no space is left", "free some")
    write_state(
        directory,
        State(JobStatus.FAILED, _THEN, 1, 1, "host", "dump", _THEN, 1, problem.problem,
              problem.cause, problem.fix, (problem, problem), result),  # type: ignore[arg-type]
    )  # fmt: skip
    with Journal(directory, Redactor([])) as journal:
        journal.append(Event("dump", "dumping"))
        journal.append(Event("dump", "", Level.INFO, 100, 1000, "public.users"))
    (directory / "cancel.json").write_bytes(json.dumps({"actor": "bob"}).encode())
    (directory / "lock").touch()


# What a field can be made into. Infinity and NaN are what Python's json writes and reads.
VALUES: tuple[object, ...] = (
    None, True, -1, 0, 1 << 31, 1 << 63, -(10**400), 10**400, 1.5, 1e308, float("inf"),
    float("nan"), "", "x" * 100_000, "\x1b[2J\x07[red]\u202e\ud800", "../../../../etc/passwd",
    "/dev/zero", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-25T02:00:00",
    "8999-12-31T23:59:59+00:00", "1970-01-01T00:00:00+00:00", [], [[]], {}, {"a": {"b": [1]}},
    ["x"] * 10_000,
)  # fmt: skip

Path_ = tuple[str | int, ...]


def fields(document: object, at: Path_ = ()) -> Iterator[Path_]:
    """The place of everything in a document, itself included; of a long list the ends."""
    yield at
    if isinstance(document, dict):
        for key, value in document.items():
            yield from fields(value, (*at, key))
    elif isinstance(document, list):
        for place in sorted({0, len(document) - 1} & set(range(len(document)))):
            yield from fields(document[place], (*at, place))


def changed(document: object, at: Path_, value: object) -> object:
    """The document with another value in one place."""
    if not at:
        return value
    head, *rest = at
    copied: dict[str | int, object] | list[object]
    if isinstance(document, dict):
        copied = dict(document)
    else:
        assert isinstance(document, list)
        copied = list(document)
    copied[head] = changed(copied[head], tuple(rest), value)  # type: ignore[index]
    return copied


def variants(path: Path, lines: bool) -> Iterator[tuple[str, bytes]]:
    """The file with one field changed, missing or doubled: what was done, and the content."""
    content = path.read_bytes()
    whole = [line for line in content.splitlines() if line] if lines else [content]
    documents = [json.loads(one) for one in whole]
    for number, document in enumerate(documents):
        for at in fields(document):
            for value in VALUES:
                new = json.dumps(changed(document, at, value)).encode()
                what = f"{'.'.join(map(str, at)) or 'all'} = {str(value)[:40]!r}"
                yield what, b"\n".join([*whole[:number], new, *whole[number + 1 :], b""])
    for what, new in torn(content):
        yield what, new


def torn(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The file as a full disk, a kill or a stranger leaves it."""
    yield "nothing", b""
    yield "half of it", content[: len(content) // 2]
    yield "without its last byte", content[:-1]
    yield "bytes of zero behind it", content + b"\0" * 4096
    yield "half a line before it", content[: len(content) // 2] + b"\n" + content
    yield "twice", content + content
    yield "a line of a megabyte before it", b"x" * (1 << 20) + b"\n" + content
    yield "a BOM before it", b"\xef\xbb\xbf" + content
    yield "no UTF-8", content.replace(b"a", b"\xff")
    yield "ten thousand brackets", b"[" * 10_000 + b"\n"
    yield "a number of ten thousand digits", b"1" * 10_000 + b"\n"
    yield "escapes of half characters", b'{"a":"\\ud800","\\udfff":1}\n'
