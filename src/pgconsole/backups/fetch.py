"""The download operation: copies of S3 that an operator wants here, whole and proven."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.backups.download import download
from pgconsole.backups.restore_copy import RESTORED, find_copy
from pgconsole.errors import ConfigurationError
from pgconsole.report import Event, Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

PHASE = "download"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Objects that are wanted here.

    Attributes:
        keys: Whole keys in the bucket.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    keys: tuple[str, ...]
    actor: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What is here now.

    Attributes:
        paths: The files, in `BACKUP_DIR/restored/`, in the order of the keys.
        compressed_bytes: Of all of them.
    """

    paths: tuple[str, ...]
    compressed_bytes: int


def run_fetch(settings: Settings, request: FetchRequest, report: Report) -> FetchResult:
    """Download objects to `BACKUP_DIR/restored/`, one after the other.

    Args:
        settings: The bucket, and the directory.
        request: Which, and who asked.
        report: Told how far it is, in compressed bytes of the object under way.

    Raises:
        ConfigurationError: Nothing is asked for, a key is none of a dump's, or S3 is off; or an
            object is encrypted and no private key that is set opens it.
        BusyError: Somebody else downloads one of them.
        StorageError: There is no such object, or the store or the disk fails. What was downloaded
            stays, and is not downloaded again.
        DamagedError: What lies in S3 is no whole dump, or not its manifest's; or it was altered.
        Cancelled: Raised by `report` or by a signal, and passed on.
    """
    if not request.keys:
        raise ConfigurationError(
            "There is nothing to download",
            cause="no object is named",
            fix="name one that `pgconsole list --s3` shows",
        )
    copies = [find_copy(settings, Place.S3, key) for key in request.keys]
    paths = []
    for copy in copies:
        download(settings, copy, report, actor=request.actor, job=request.job)
        path = settings.backup_dir / RESTORED / copy.location.rpartition("/")[2]
        paths.append(str(path))
        report(Event(PHASE, f"{copy.location} is in {path}"))
    return FetchResult(tuple(paths), sum(copy.size for copy in copies))
