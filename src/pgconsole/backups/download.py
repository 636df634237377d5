"""The download of one dump from S3 to `BACKUP_DIR/restored/`. It goes on where it was cut off.

Beside the file lies `<name>.download.json`, which says of which version of which object it is. The
file gets its name when it was read whole and fits its manifest; it stays, and is used again.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pgconsole import durable, locks
from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.integrity import ProvenDump, prove
from pgconsole.backups.restore_copy import RESTORED, FoundCopy
from pgconsole.backups.s3_ranges import ranges
from pgconsole.backups.sealed import unsealed
from pgconsole.backups.signatures import read_manifest, refuse_stripped
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, PARTIAL_SUFFIX, is_encrypted
from pgconsole.errors import BusyError, DamagedError, StorageError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage import files
from pgconsole.storage.local import LocalStorage
from pgconsole.storage.s3_object import S3Object
from pgconsole.untrusted import open_regular, read_whole

_RECORD_SUFFIX = ".download.json"
_PHASE = "download"


@dataclass(frozen=True, slots=True)
class _Origin:
    """Which version of which object a download is of.

    Attributes:
        endpoint: The store; empty for AWS.
        bucket: The bucket.
        key: The whole key.
        version: The store's name for this version (its ETag).
        size: Bytes.
        sha256: Of the finished file; empty before.
    """

    endpoint: str
    bucket: str
    key: str
    version: str
    size: int
    sha256: str = ""


def download(
    settings: Settings, copy: FoundCopy, report: Report, *, actor: str, job: str
) -> ProvenDump:
    """Have a dump of S3 here, whole and proven.

    A download that was cut off goes on where it was; a file that was downloaded before is proven
    and used again. If the object was replaced since, it starts anew.

    Args:
        settings: The bucket, and the directory.
        copy: The copy in S3, as `find_copy` found it.
        report: Told how far it is, in compressed bytes.
        actor: Who asked.
        job: The job's id, or empty.

    Raises:
        BusyError: Somebody else downloads this file.
        StorageError: The store or the disk fails; what was downloaded so far is kept.
        SealedError: It is encrypted, and no private key that is set opens it; nothing was
            downloaded.
        ConfigurationError: The signing key's file can't be used.
        AlteredError: What lies in S3 is not what was signed.
        DamagedError: What lies in S3 is no whole dump, or not its manifest's.
    """
    directory = settings.backup_dir / RESTORED
    with files.translated(f"Directory {directory} can't be made"):
        durable.make_directory(directory)
    path = directory / copy.location.rpartition("/")[2]
    with _lock(path, actor, job):
        return _Download(settings, copy, path, report).run()


class _Download:
    """One object on its way here."""

    def __init__(self, settings: Settings, copy: FoundCopy, path: Path, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._path = path
        self._partial = path.with_name(path.name + PARTIAL_SUFFIX)
        self._manifest_path = path.with_name(path.name + MANIFEST_SUFFIX)
        self._record = path.with_name(path.name + _RECORD_SUFFIX)
        storage = s3_storage(settings)
        self._object = storage.open(copy.location)
        self._encrypted = is_encrypted(copy.location)
        unsealed(settings, self._object, encrypted=self._encrypted)  # or there is no use in it
        self._manifest = _manifest(settings, copy, self._object)
        self._origin = _Origin(
            settings.s3_endpoint_url,
            settings.s3_bucket,
            copy.location,
            self._object.version,
            self._object.size,
        )

    def run(self) -> ProvenDump:
        with files.translated(f"{self._path} can't be downloaded"):
            if (proven := self._earlier()) is not None:
                return proven
            begun = self._begin()
            self._check_disk(begun)
            self._say(begun)
            self._fetch(begun)
            try:
                proven = self._prove(self._partial)
            except DamagedError as error:
                self._discard()
                if not begun:
                    raise
                self._report(Event(_PHASE, f"what was resumed is damaged: {error}", Level.WARNING))
                return self.run()  # once: now there is nothing to resume
            return self._publish(proven)

    def _earlier(self) -> ProvenDump | None:
        """The file of an earlier download of the same version, if it still is what it was."""
        if not os.path.lexists(self._path):
            return None
        origin = self._read_record()
        if origin is None:
            raise StorageError(
                f"{self._path} is in the way of the download",
                cause="a file of this name is there that was not downloaded by pgconsole",
                fix=f"restore that one (pgconsole restore {shlex.quote(str(self._path))}), or "
                "move it away",
            )
        if _is_of(origin, self._origin) and origin.sha256:
            try:
                proven = self._prove(self._path)
            except DamagedError as error:
                self._report(Event(_PHASE, f"downloaded anew: {error}", Level.WARNING))
            else:
                if proven.checked.sha256 == origin.sha256:
                    self._report(Event(_PHASE, f"{self._path} was downloaded before"))
                    return proven
                proven.file.close()
        self._discard()
        return None

    def _begin(self) -> int:
        """Make the partial file or find it; the bytes that it has already."""
        kept = self._read_record()
        if kept is None or not _is_of(kept, self._origin):
            self._discard()
            durable.replace(self._record, _as_json(self._origin))
        try:
            have = self._partial.lstat().st_size
        except FileNotFoundError:
            have = 0
        if have > self._origin.size:
            self._partial.unlink()
            have = 0
        return have

    def _check_disk(self, have: int) -> None:
        needed = self._origin.size - have
        free = LocalStorage(self._settings.backup_dir).free_bytes()
        if free < needed:
            raise StorageError(
                f"{self._path.parent} has too little free space for the download",
                cause=f"{free} bytes are free, {needed} are needed",
                fix="free some space, or move BACKUP_DIR to a larger disk",
            )

    def _fetch(self, have: int) -> None:
        fd = durable.open_to_append(self._partial)
        size = self._origin.size
        try:
            with ranges(self._object, have) as pieces:
                for piece in pieces:
                    _write(fd, piece)
                    have += len(piece)
                    self._report(Event(_PHASE, bytes_done=have, bytes_expected=size))
        except StorageError as error:
            if error.fix:
                error.fix += f"; {have} of {size} bytes are here, the next try goes on from there"
            raise
        finally:
            with suppress(OSError):
                os.fsync(fd)
            os.close(fd)

    def _prove(self, path: Path) -> ProvenDump:
        return prove(self._settings, path, self._manifest, self._report, encrypted=self._encrypted)

    def _publish(self, proven: ProvenDump) -> ProvenDump:
        """Give the proven file its name, after its manifest and what binds it to the object."""
        fd = open_regular(self._partial)
        try:
            os.fsync(fd)  # the one of `_fetch` may have failed
        finally:
            os.close(fd)
        if self._manifest is not None:
            durable.replace(self._manifest_path, self._manifest.to_json())
        done = replace(self._origin, sha256=proven.checked.sha256)
        durable.replace(self._record, _as_json(done))
        files.move(self._partial, self._path)
        files.fsync_directory(self._path.parent)
        self._report(Event(_PHASE, f"downloaded to {self._path}"))
        return replace(proven, path=self._path)

    def _discard(self) -> None:
        """Remove what is of another version, or damaged. All of it was downloaded by us."""
        for path in (self._path, self._manifest_path, self._partial, self._record):
            path.unlink(missing_ok=True)
        files.fsync_directory(self._path.parent)

    def _read_record(self) -> _Origin | None:
        try:
            return _Origin(**json.loads(read_whole(self._record)))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _say(self, begun: int) -> None:
        whole = f"s3://{self._origin.bucket}/{self._origin.key} ({self._origin.size} bytes)"
        text = f"downloading {whole} to {self._path}"
        self._report(Event(_PHASE, f"{text}, from byte {begun} on" if begun else text))


def _manifest(settings: Settings, copy: FoundCopy, found: S3Object) -> Manifest | None:
    """The manifest beside the object; one of another file is refused before the download."""
    storage, key = s3_storage(settings), copy.location
    there = storage.find(key + MANIFEST_SUFFIX) is not None
    manifest = read_manifest(settings, storage, key) if there else None
    refuse_stripped(settings, copy.stored, key, manifest)
    if manifest is None:
        return None
    if manifest.compressed_bytes != found.size:
        raise DamagedError(
            f"{key} is not what its manifest says",
            cause=f"it has {found.size} bytes instead of {manifest.compressed_bytes}",
            fix="use another backup; the object is truncated, or it was replaced",
        )
    return manifest


@contextmanager
def _lock(path: Path, actor: str, job: str) -> Iterator[None]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = locks.Holder(actor, "download", now, socket.gethostname(), os.getpid(), job)
    with ExitStack() as stack:
        try:
            with files.translated(f"{path} can't be locked"):
                stack.enter_context(locks.hold(path.with_name(f".{path.name}.lock"), holder))
        except locks.LockedError as error:
            who = error.holder
            raise BusyError(
                f"{path.name} is being downloaded already",
                cause=f"by {who.who} on {who.host} since {who.since}" if who else "",
                fix="wait until that has ended; `pgconsole jobs` shows what runs",
            ) from None
        yield


def _is_of(kept: _Origin, origin: _Origin) -> bool:
    return replace(kept, sha256="") == origin


def _as_json(origin: _Origin) -> bytes:
    return json.dumps(asdict(origin), indent=1).encode()


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
