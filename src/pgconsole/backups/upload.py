"""The upload operation: a local backup's copy in S3, made afterwards."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pgconsole.backups.catalog import load_manifest, local_backups
from pgconsole.backups.evidence import evidence_path, read_evidence
from pgconsole.backups.locking import database_lock
from pgconsole.backups.proving import keep_finding, prove
from pgconsole.backups.s3_copy import abort_leftovers, object_key, send_rest
from pgconsole.backups.signatures import signed_anew
from pgconsole.backups.subjects import LocalSubject
from pgconsole.backups.trust import stored_whole, verdicts_of
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupName, check_database_name, parse_name
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.base import StoredBackup
from pgconsole.storage.local import LocalStorage


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A local backup to be copied to S3.

    Attributes:
        filename: Its file name, without directory.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    filename: str
    actor: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What is in S3 now.

    Attributes:
        keys: The objects, one for each class of the backup.
        uploaded: Those of them that were not there before.
        compressed_bytes: Size of each.
    """

    keys: tuple[str, ...]
    uploaded: tuple[str, ...]
    compressed_bytes: int


def run_upload(settings: Settings, request: UploadRequest, report: Report) -> UploadResult:
    """Check a local backup, then copy it and its manifest to S3, in every class it is in.

    An object of the same size counts as there already, unless it is known to be damaged; nothing
    is ever overwritten.

    Args:
        settings: Where from and where to.
        request: Which backup, and who asked.
        report: Told what happens.

    Raises:
        ConfigurationError: S3 is off, or the name is none of a local backup.
        BusyError: Somebody else works on this database.
        DamagedError: The local file is not what its manifest says, or was altered; nothing was
            uploaded.
        StorageError: The file can't be read, or S3 refuses; says why.
        Cancelled: Raised by `report` or by a signal, and passed on. Nothing unfinished stays.
    """
    name = _wanted(settings, request.filename)
    with ExitStack() as stack:
        stack.enter_context(
            database_lock(
                settings, name.database, what="upload", actor=request.actor, job=request.job
            )
        )
        stored = _find(settings, name)
        manifest = load_manifest(settings, stored)
        _check(settings, request, stored, report)
        return _Upload(settings, stored, manifest, report).run(stack)


def _wanted(settings: Settings, filename: str) -> BackupName:
    if not settings.s3_enabled:
        raise ConfigurationError(
            "S3 is not set up", cause="no bucket is set", fix="set S3_BACKUP_BUCKET"
        )
    name = parse_name(filename)
    if name is None:
        raise ConfigurationError(
            f"{filename!r} is no name of a backup",
            cause="it is not <database>_<daily|weekly|monthly>_<YYYYMMDD>_<HHMMSS>.sql.gz[.age]",
            fix="give a name that `pgconsole list` shows",
        )
    check_database_name(name.database)
    return name


def _find(settings: Settings, name: BackupName) -> StoredBackup:
    for stored in local_backups(settings).backups:
        if stored.name == name:
            return stored
    raise ConfigurationError(
        f"There is no backup {name.filename!r} in {settings.backup_dir}",
        cause=f"{LocalStorage(settings.backup_dir).path(name)} does not exist",
        fix="give a name that `pgconsole list` shows",
    )


def _check(
    settings: Settings, request: UploadRequest, stored: StoredBackup, report: Report
) -> None:
    """Prove that the local file is whole before it is spread, and keep the proof."""

    def on_progress(done: int) -> None:
        report(Event("verify", bytes_done=done, bytes_expected=stored.size))

    report(Event("verify", f"checking {stored.location}"))
    subject = LocalSubject(settings, stored.location, report)
    finding = prove(settings, subject, on_progress)
    keep_finding(settings, subject, finding, by=request.actor, job=request.job, report=report)
    if finding.problem is not None and not finding.sha256:
        raise finding.problem
    for warning in finding.checked.warnings if finding.checked else ():
        report(Event("verify", warning, Level.WARNING))
    looked = "is whole" if finding.checked else "has the bytes that were written"
    report(Event("verify", f"the local file {looked}"))


class _Upload:
    """One backup on its way to the bucket."""

    def __init__(
        self, settings: Settings, stored: StoredBackup, manifest: Manifest | None, report: Report
    ) -> None:
        from pgconsole.storage.s3 import S3Storage  # noqa: PLC0415 - boto3 only where S3 is used

        self._settings = settings
        self._stored = stored
        self._manifest = manifest
        self._report = report
        self._storage = S3Storage(settings)

    def run(self, stack: ExitStack) -> UploadResult:
        self._storage.check()
        abort_leftovers(self._storage, self._stored.name.database, self._report)
        keys = [object_key(self._settings, name) for name in self._names()]
        present = self._present(keys)
        whole = [
            key for key in present if stored_whole(self._settings, self._storage, present[key])
        ]
        uploaded = []
        for key in keys:
            if key in present:
                self._leave(key, whole=key in whole)
                continue
            if whole:  # never from an object that only has the right size
                self._storage.copy(whole[0], key, self._stored.size)
                self._put_manifest(key, self._manifest)
            else:
                self._send(key, stack)
            whole.append(key)
            uploaded.append(key)
            self._say(key, "is uploaded")
        return UploadResult(tuple(keys), tuple(uploaded), self._stored.size)

    def _names(self) -> list[BackupName]:
        """The backup in every class that it is in by its manifest, and still lies in."""
        name = self._stored.name
        if self._manifest is None or name.backup_class not in self._manifest.classes:
            return [name]
        storage = LocalStorage(self._settings.backup_dir)
        names = [name.in_class(backup_class) for backup_class in self._manifest.classes]
        return [other for other in names if os.path.lexists(storage.path(other))]

    def _present(self, keys: list[str]) -> dict[str, StoredBackup]:
        """What lies in the bucket with the right size, by key.

        Raises:
            StorageError: One lies there with another size, or is known to be damaged.
        """
        listing = self._storage.listing()
        with files.translated(f"{evidence_path(self._settings)} can't be read"):
            verdicts = verdicts_of(self._settings, listing, read_evidence(self._settings))
        found = {stored.location: stored for stored in listing.backups if stored.location in keys}
        for key, stored in found.items():
            where = f"{key} in bucket {self._settings.s3_bucket!r}"
            if stored.size != self._stored.size:
                raise StorageError(
                    f"{where} is another file",
                    cause=f"it has {stored.size} bytes, the local backup {self._stored.size}",
                    fix="delete it if it is not wanted, then upload again",
                )
            verdict = verdicts.get(key)
            if verdict is not None and verdict.trust.is_bad:
                raise StorageError(
                    f"{where} is {verdict.trust}",
                    cause=verdict.problem,
                    fix="delete it, then upload again",
                )
        return {key: found[key] for key in keys if key in found}

    def _leave(self, key: str, *, whole: bool) -> None:
        """Overwrite nothing. A manifest that is missing must not say that this object is proven."""
        if whole:
            self._say(key, "is there already")
            return
        if self._manifest is not None:
            unproven = self._manifest.model_copy(update={"verified_at": None})
            self._put_manifest(key, signed_anew(self._settings, unproven))
        self._say(key, f"is there already; to prove it: pgconsole verify --s3 {shlex.quote(key)}")

    def _send(self, key: str, stack: ExitStack) -> None:
        path = Path(self._stored.location)
        upload = self._storage.begin_upload(key, path, expected_bytes=self._stored.size)
        stack.callback(upload.abort)
        send_rest(upload, self._stored.size, self._report)
        self._put_manifest(key, self._manifest)
        upload.complete()

    def _put_manifest(self, key: str, manifest: Manifest | None) -> None:
        if manifest is not None:
            self._storage.put_small(key + MANIFEST_SUFFIX, manifest.to_json())

    def _say(self, key: str, what: str) -> None:
        self._report(Event("upload", f"s3://{self._settings.s3_bucket}/{key} {what}"))
