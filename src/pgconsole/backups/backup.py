"""The backup operation: `lock -> preflight -> dump -> publish -> upload -> retention`.

DESIGN section 4. The dump stage compresses, indexes, hashes, verifies and uploads in one pass.
"""

from __future__ import annotations

import shlex
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from pgconsole.backups.description import describe
from pgconsole.backups.dumping import dump
from pgconsole.backups.leftovers import remove_local_leftovers
from pgconsole.backups.locking import database_lock
from pgconsole.backups.naming import NewName, new_name
from pgconsole.backups.preflight import Preflight, check_preflight, local_problems
from pgconsole.backups.prune import retain_after_backup
from pgconsole.backups.publishing import Published, attest, make_up_classes, publish
from pgconsole.backups.s3_copy import S3Copy
from pgconsole.backups.signatures import signed
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import BackupName, check_database_name
from pgconsole.dumps.writer import WrittenDump
from pgconsole.errors import PartlyFailedError, PgconsoleError, StorageError
from pgconsole.postgres.explain import where
from pgconsole.postgres.server import AdvisoryLock, advisory_lock
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.storage.local import LocalStorage


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """A backup to be taken.

    Attributes:
        actor: Who asked.
        slot: When it was due, timezone-aware; now if None. Decides name and classes.
        job: The id of the job that runs it, or empty.
    """

    actor: str
    slot: datetime | None = None
    job: str = ""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup that was published. Sizes are bytes, times UTC.

    Attributes:
        name: File name in the class daily.
        paths: The local files, one for each class, daily first.
        keys: The objects in S3, in the same order; empty if S3 is off or failed.
        raw_bytes: Uncompressed.
        compressed_bytes: The file's size.
        sha256: Of the file, hex.
        tables: How many tables have a data section.
        rows: Rows in all of them.
        started_at: When the operation began.
        finished_at: When pg_dump's output was complete and verified.
    """

    name: str
    paths: tuple[str, ...]
    keys: tuple[str, ...]
    raw_bytes: int
    compressed_bytes: int
    sha256: str
    tables: int
    rows: int
    started_at: datetime
    finished_at: datetime


def run_backup(settings: Settings, request: BackupRequest, report: Report) -> BackupResult:
    """Take a backup. Call it from the main thread.

    Whatever interrupts it, nothing half-made stays under a final name: pg_dump is ended, the
    partial file removed, the upload aborted, the locks released.

    Args:
        settings: What to back up, and where to.
        request: Who asked, and for which slot.
        report: Told what happens.

    Raises:
        ConfigurationError: The database's name can't be part of a file name; nothing was tried.
        PreflightError: Something stands in the way; nothing was begun.
        BusyError: Somebody else works on this database.
        ToolError: pg_dump failed.
        DamagedError: The dump is not whole, or the disk gave back something else.
        ServerError: The server went away.
        StorageError: The backup directory can't be written.
        PartlyFailedError: The local backup is good, but a copy of it is missing, in S3 or in
            another class; `result` is the BackupResult.
        Cancelled: Raised by `report` or by a signal, and passed on.
    """
    return _Backup(settings, request, report).run()


class _Backup:
    """One backup on its way through the stages."""

    def __init__(self, settings: Settings, request: BackupRequest, report: Report) -> None:
        self._settings = settings
        self._request = request
        self._report = report
        self._started_at = datetime.now(UTC)
        self._storage = LocalStorage(settings.backup_dir)
        self._copy = S3Copy(settings, report)

    def run(self) -> BackupResult:
        request = self._request
        check_database_name(self._settings.pgdatabase)
        with ExitStack() as stack:
            ready = self._prepare(stack)
            signature = f"backup by {request.actor} on {socket.gethostname()}"
            held = stack.enter_context(advisory_lock(self._settings, signature))
            if self._settings.s3_enabled:
                self._copy.connect()
            new = new_name(self._settings, request.slot or self._started_at)
            stack.callback(self._discard, new.name)
            stack.callback(self._copy.abort)
            written = self._dump(ready, new)
            self._look_at(held)
            manifest = self._describe(ready, new, written)
            published = publish(self._settings, new, manifest, self._report)
            attest(self._settings, published, manifest, request.job, self._report)
            keys = self._copy.complete(new.name, new.classes, manifest)
            self._retain(published)
        result = self._result(manifest, published, keys)
        self._judge(published, result)
        return result

    def _prepare(self, stack: ExitStack) -> Preflight:
        """Lock, clean up, look for obstacles. Without a usable directory there is no lock."""
        settings, request = self._settings, self._request
        problems = local_problems(settings)
        if not problems:
            stack.enter_context(
                database_lock(
                    settings,
                    settings.pgdatabase,
                    what="backup",
                    actor=request.actor,
                    job=request.job,
                )
            )
            self._report(Event("lock", f"locked database {settings.pgdatabase!r}"))
            remove_local_leftovers(settings, self._report)
            make_up_classes(settings, self._report)
        ready = check_preflight(settings, problems)
        tool = ready.pg_dump
        self._report(
            Event(
                "preflight",
                f"PostgreSQL {ready.server.version} at {where(settings)}; "
                f"pg_dump {tool.version} ({tool.path}); {ready.estimate.in_words()}",
            )
        )
        return ready

    def _dump(self, ready: Preflight, new: NewName) -> WrittenDump:
        path = self._storage.partial_path(new.name)
        self._copy.begin(new.name, path, ready.estimate.compressed_bytes)
        written = dump(self._settings, ready, path, self._copy, self._report)
        sealed = f", encrypted to {' '.join(self._settings.age_recipients)}"
        self._report(
            Event(
                "verify",
                f"read back and checked: {written.compressed_bytes} bytes, "
                f"SHA-256 {written.sha256}{sealed if self._settings.age_recipients else ''}",
                bytes_done=written.raw_bytes,
            )
        )
        return written

    def _describe(self, ready: Preflight, new: NewName, written: WrittenDump) -> Manifest:
        manifest = describe(
            self._settings,
            ready,
            written,
            actor=self._request.actor,
            classes=new.classes,
            taken_at=new.name.taken_at,
            started_at=self._started_at,
        )
        return signed(manifest, ready.signing_key)

    def _discard(self, name: BackupName) -> None:
        """Remove the partial file. What went wrong before is what counts, so it never raises."""
        try:
            self._storage.discard(name)
        except StorageError as error:
            text = f"what was begun stays until the next backup: {error}"
            self._report(Event("publish", text, Level.WARNING))

    def _look_at(self, held: AdvisoryLock) -> None:
        if not held.survived():
            self._report(
                Event(
                    "dump",
                    "the connection that held the lock in the database was lost meanwhile; "
                    "another host may have dumped it too. The dump itself is whole",
                    Level.WARNING,
                )
            )

    def _retain(self, published: Published) -> None:
        """Delete old backups, but only where this one is whole: never after a failure."""
        places = [] if published.failure else [Place.LOCAL]
        if places and self._copy.failure is None:
            places.append(Place.S3)
        retain_after_backup(self._settings, places, self._request.actor, self._report)

    def _result(self, manifest: Manifest, published: Published, keys: list[str]) -> BackupResult:
        return BackupResult(
            name=published.paths[0].name,
            paths=tuple(map(str, published.paths)),
            keys=tuple(keys),
            raw_bytes=manifest.raw_bytes,
            compressed_bytes=manifest.compressed_bytes,
            sha256=manifest.sha256,
            tables=len(manifest.tables),
            rows=sum(section.rows for section in manifest.tables),
            started_at=self._started_at,
            finished_at=manifest.finished_at,
        )

    def _judge(self, published: Published, result: BackupResult) -> None:
        """Raise what went wrong after the backup itself was safe, all of it."""
        missing, causes, fixes = [], [], []
        if (failure := published.failure) is not None:
            missing.append("a copy in another class")
            causes.append(_reason(failure))
            fixes.append(failure.fix)
        if (failed := self._copy.failure) is not None:
            missing.append(f"its copy in s3://{self._settings.s3_bucket}")
            causes.append(_reason(failed))
            retry = f"pgconsole upload {shlex.quote(result.name)}"
            fixes.append(f"{failed.fix}; then: {retry}" if failed.fix else retry)
        if missing:
            raise PartlyFailedError(
                f"Backup {result.name} is good, {' and '.join(missing)} is missing",
                cause="; ".join(causes),
                fix="; ".join(fixes),
                result=result,
            )


def _reason(error: PgconsoleError) -> str:
    return ": ".join(filter(None, (error.problem, error.cause)))
