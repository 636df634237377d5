"""What was proven of each copy of a backup: when, by whom, and how long it took.

One append-only file, `state_dir/evidence.jsonl`, one line a proof. A proof counts only as long as
the copy has the size and the time of modification that it had then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pgconsole.durable import make_directory, open_to_append
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup

EVIDENCE = "evidence.jsonl"


class Proof(StrEnum):
    """What is known of a copy, from nothing to everything; `damaged` is proof of the contrary."""

    LISTED = "listed"  # a file or object of that name and size is there
    INTACT = "intact"  # its bytes are those that were written: CRCs, SHA-256
    COMPLETE = "complete"  # and they are a whole dump: header, every COPY ended, trailer, rows
    RESTORED = "restored"  # and it was restored, with all objects and rows
    DAMAGED = "damaged"  # it was read and is not what it should be


@dataclass(frozen=True, slots=True)
class Evidence:
    """One proof about one copy.

    Attributes:
        copy: Which copy, as `copy_id` says it.
        proof: What was proven.
        at: When, UTC.
        by: Who asked for it.
        seconds: How long it took.
        size: Compressed bytes of the copy then.
        modified: When the copy had last been written then, UTC.
        sha256: Of the copy, hex; empty if it was not computed.
        problem: For `damaged`: what is wrong, and where.
        job: The id of the job that found it out, or empty.
    """

    copy: str
    proof: Proof
    at: datetime
    by: str
    seconds: float
    size: int
    modified: datetime
    sha256: str = ""
    problem: str = ""
    job: str = ""

    def is_about(self, backup: StoredBackup) -> bool:
        """Whether the copy still is as it was when this was proven."""
        return (self.size, self.modified) == (backup.size, backup.modified)


def copy_id(settings: Settings, backup: StoredBackup) -> str:
    """One copy's name: `local:<class>/<name>`, or `s3://<bucket>/<key>`."""
    if backup.place is Place.LOCAL:
        return f"local:{backup.name.relative_path}"
    return f"s3://{settings.s3_bucket}/{backup.location}"


def record(settings: Settings, *evidence: Evidence) -> None:
    """Write proofs down.

    Raises:
        OSError: They can't be written.
    """
    lines = b"".join(_line(item) for item in evidence)
    make_directory(settings.state_dir)
    fd = open_to_append(evidence_path(settings))
    try:
        os.write(fd, lines)
        os.fsync(fd)
    finally:
        os.close(fd)


def read_evidence(settings: Settings) -> dict[str, list[Evidence]]:
    """All proofs by copy, the oldest first. Lines that are none (half written) are left out.

    Raises:
        OSError: The file is there and can't be read.
    """
    found: dict[str, list[Evidence]] = {}
    try:
        content = evidence_path(settings).read_bytes()
    except FileNotFoundError:
        return found
    for line in content.splitlines():
        item = _parse(line)
        if item is not None:
            found.setdefault(item.copy, []).append(item)
    return found


def latest(
    evidence: Mapping[str, list[Evidence]], settings: Settings, backup: StoredBackup
) -> Evidence | None:
    """The last proof that is still about this copy, or None: it is merely listed."""
    for item in reversed(evidence.get(copy_id(settings, backup), [])):
        if item.is_about(backup):
            return item
    return None


def evidence_path(settings: Settings) -> Path:
    """Where the proofs lie."""
    return settings.state_dir / EVIDENCE


def _line(item: Evidence) -> bytes:
    content = asdict(item) | {"at": item.at.isoformat(), "modified": item.modified.isoformat()}
    # A newline first: a half line of a writer that was killed never spoils this one.
    return b"\n" + json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> Evidence | None:
    try:
        content = json.loads(line)
        times = {name: _time(content[name]) for name in ("at", "modified")}
        return Evidence(**content | times | {"proof": Proof(content["proof"])})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
