"""Which uploads were begun, on our own disk, so that a killed job's can be aborted later."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.dumps.naming import PARTIAL_SUFFIX, parse_name
from pgconsole.durable import make_directory
from pgconsole.errors import StorageError
from pgconsole.storage import files
from pgconsole.storage.s3_errors import Address
from pgconsole.untrusted import read_whole

# The database is in the name too: what is half written can't be read, and only under the lock of
# its database nobody is writing it any more.
_HALF = re.compile(rf"(?P<database>.+)\.[0-9a-f]{{32}}\.json{re.escape(PARTIAL_SUFFIX)}")


@dataclass(frozen=True, slots=True)
class Record:
    """One multipart upload or copy that was begun and not ended.

    Attributes:
        bucket: Where it goes.
        endpoint: URL of the store; empty for AWS.
        key: The object it will be.
        upload_id: The store's name for it; empty until the store has given it one.
        database: Whose lock guards it.
        started_at: ISO 8601, UTC.
    """

    bucket: str
    endpoint: str
    key: str
    upload_id: str
    database: str
    started_at: str


class RecordFile:
    """A record on the disk. Written before the store is asked, so that no upload is forgotten."""

    def __init__(self, path: Path, record: Record) -> None:
        self.path = path
        self.record = record

    @classmethod
    def begin(cls, directory: Path, address: Address, key: str) -> RecordFile:
        """Put a new record on the disk.

        Raises:
            StorageError: The key names no backup, or the disk fails.
        """
        name = parse_name(key.rpartition("/")[2])
        if name is None:
            raise StorageError(f"{key} is no key for a backup", fix="report it: this is a defect")
        now = datetime.now(UTC).isoformat()
        record = Record(address.bucket, address.endpoint, key, "", name.database, now)
        with files.translated(f"Directory {directory} can't be used"):
            make_directory(directory)
        file = cls(directory / f"{name.database}.{uuid.uuid4().hex}.json", record)
        file._write()
        return file

    def name_upload(self, upload_id: str) -> None:
        """Add the id that the store gave.

        Raises:
            StorageError: The disk fails.
        """
        self.record = replace(self.record, upload_id=upload_id)
        self._write()

    def remove(self) -> None:
        """Forget it: nothing is left in the store.

        Raises:
            StorageError: The disk fails.
        """
        with files.translated(f"{self.path} can't be removed"):
            self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        aside = self.path.with_name(self.path.name + PARTIAL_SUFFIX)
        with files.translated(f"{self.path} can't be written"):
            files.write_durably(aside, json.dumps(asdict(self.record)).encode())
            aside.replace(self.path)
            files.fsync_directory(self.path.parent)


def remove_half_written(directory: Path, database: str) -> None:
    """Remove what was being written when a job of exactly this database was killed.

    The caller holds its lock. The store was asked for nothing by such a record: that comes after
    it is written, and one that only got its upload's name is still there without it.

    Raises:
        StorageError: The disk fails.
    """
    with files.translated(f"Directory {directory} can't be used"):
        for path in directory.glob(f"*.json{PARTIAL_SUFFIX}"):
            match = _HALF.fullmatch(path.name)
            if match is not None and match["database"] == database:
                path.unlink(missing_ok=True)


def records(directory: Path) -> Iterator[RecordFile]:
    """All records on the disk; those that can't be read are none.

    Raises:
        StorageError: The directory can't be read.
    """
    with files.translated(f"Directory {directory} can't be read"):
        paths = sorted(directory.glob("*.json")) if os.path.lexists(directory) else []
    for path in paths:
        try:
            yield RecordFile(path, Record(**json.loads(read_whole(path))))
        except (OSError, ValueError, TypeError, RecursionError):
            continue
