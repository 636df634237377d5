"""What was proven of each copy of a backup: when, by whom, and how long it took.

One file, `state_dir/evidence.jsonl`, one line a proof, those of a copy in the order in which they
were found. A proof counts only as long as the copy has the size and the time of modification that
it had then. Who appends shares a lock; `evidence_history.py` takes it alone and leaves out what
nobody needs any more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pgconsole.durable import make_directory, sync_directory
from pgconsole.errors import AlteredError, DamagedError
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.untrusted import is_count, parse_time, read_whole

EVIDENCE = "evidence.jsonl"
MOST = 256 << 20  # bytes of the file; `evidence_history` keeps it far below
_LONGEST = 1 << 32  # seconds of a proof, a century
_LONGEST_LINE = 1 << 16  # bytes; names, a problem in words
LOCAL = "local:"  # what the name of every local copy begins with


class Proof(StrEnum):
    """What is known of a copy, from nothing to everything; the last two are proof of the contrary.

    Verifying proves `complete` or `damaged`: a copy whose bytes are right and whose content is not
    a whole dump is of no use to anybody, whatever its manifest says. Of an encrypted copy, without
    the private key, it proves `intact`; or `complete`, if its bytes are those of a copy that was
    proven to be that.
    """

    LISTED = "listed"  # a file or object of that name and size is there
    INTACT = "intact"  # its bytes are those that were written: CRCs, SHA-256
    COMPLETE = "complete"  # and they are a whole dump: header, every COPY ended, trailer, rows
    RESTORED = "restored"  # and it was restored, with all objects and rows
    DAMAGED = "damaged"  # it was read and is not what it should be
    ALTERED = "altered"  # somebody has changed it: it is not what was signed

    @property
    def is_good(self) -> bool:
        """Whether all of the database is in it."""
        return self in (Proof.COMPLETE, Proof.RESTORED)

    @property
    def is_bad(self) -> bool:
        """Whether it is of no use."""
        return self in (Proof.DAMAGED, Proof.ALTERED)


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
        problem: For `damaged` and `altered`: what is wrong, and where.
        job: The id of the job that found it out, or empty.
        signed: The public key whose signature vouched for it then; empty if none did.
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
    signed: str = ""

    def is_about(self, backup: StoredBackup) -> bool:
        """Whether the copy still is as it was when this was proven."""
        return (self.size, self.modified) == (backup.size, backup.modified)


def proof_of(error: DamagedError) -> Proof:
    """What an error proves."""
    return Proof.ALTERED if isinstance(error, AlteredError) else Proof.DAMAGED


def copy_id(settings: Settings, backup: StoredBackup) -> str:
    """One copy's name: `local:<class>/<name>`, or `s3://<bucket>/<key>`."""
    if backup.place is Place.LOCAL:
        return f"{LOCAL}{backup.name.relative_path}"
    return f"s3://{settings.s3_bucket}/{backup.location}"


def record(settings: Settings, *evidence: Evidence) -> None:
    """Write proofs down; they are on the disk when this returns.

    Raises:
        OSError: They can't be written, or somebody holds the file and doesn't go on.
    """
    from pgconsole.backups import evidence_history  # noqa: PLC0415 - readers don't need it

    make_directory(settings.state_dir)
    path = evidence_path(settings)
    with evidence_history.opened(path) as fd:
        before = os.fstat(fd).st_size
        rest = memoryview(b"".join(map(line_of, evidence)))
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
        after = os.fstat(fd).st_size
    if before == 0:
        sync_directory(path.parent)
    evidence_history.tidy(settings, path, before, after)


def note(settings: Settings, report: Report, *evidence: Evidence) -> None:
    """As `record`, but a failure is only told: what was proven is true all the same."""
    if not evidence:
        return
    try:
        record(settings, *evidence)
    except OSError as error:
        why = error.strerror or str(error)
        text = f"what was proven can't be written to {evidence_path(settings)}: {why}"
        report(Event("evidence", text, Level.WARNING))


def read_evidence(settings: Settings) -> dict[str, list[Evidence]]:
    """All proofs by copy, the last found last. Lines that are none (half written) are left out.

    Raises:
        OSError: The file is there and can't be read.
    """
    try:
        content = read_whole(evidence_path(settings), MOST)
    except FileNotFoundError:
        return {}
    return parse_lines(content)


def latest(
    evidence: Mapping[str, list[Evidence]], settings: Settings, backup: StoredBackup
) -> Evidence | None:
    """What counts of the proofs that are still about this copy, or None: it is merely listed.

    The last one; but what was restored once stays `restored`, with the time of then, however often
    it is verified afterwards. Damage found later undoes that, and so do other bytes.
    """
    last: Evidence | None = None
    for item in _looks(evidence, settings, backup):
        last = last or item
        if item.proof is Proof.RESTORED and item.sha256 in ("", last.sha256):
            return item
        if item.proof.is_bad:
            break
    return last


def last_look(
    evidence: Mapping[str, list[Evidence]], settings: Settings, backup: StoredBackup
) -> Evidence | None:
    """The last proof that is still about this copy, whatever it added to what was known."""
    return next(_looks(evidence, settings, backup), None)


def _looks(
    evidence: Mapping[str, list[Evidence]], settings: Settings, backup: StoredBackup
) -> Iterator[Evidence]:
    """The proofs about the copy as it is now, the last first."""
    items = evidence.get(copy_id(settings, backup), [])
    return (item for item in reversed(items) if item.is_about(backup))


def evidence_path(settings: Settings) -> Path:
    """Where the proofs lie."""
    return settings.state_dir / EVIDENCE


def line_of(item: Evidence) -> bytes:
    """A proof as it is written down."""
    content = asdict(item) | {"at": item.at.isoformat(), "modified": item.modified.isoformat()}
    # A newline first: a half line of a writer that was killed never spoils this one.
    return b"\n" + json.dumps(content, separators=(",", ":")).encode() + b"\n"


def parse_lines(content: bytes) -> dict[str, list[Evidence]]:
    """The proofs in these lines by copy, in their order."""
    found: dict[str, list[Evidence]] = {}
    for line in content.splitlines():
        item = _parse(line) if 0 < len(line) <= _LONGEST_LINE else None
        if item is not None:
            found.setdefault(item.copy, []).append(item)
    return found


_FIELDS = frozenset(field.name for field in fields(Evidence))


def _parse(line: bytes) -> Evidence | None:
    try:
        content = json.loads(line)
        if not content.keys() <= _FIELDS:  # of a later version, which knows more
            content = {name: content[name] for name in content.keys() & _FIELDS}
        content["at"] = parse_time(content["at"]).astimezone(UTC)
        content["modified"] = parse_time(content["modified"]).astimezone(UTC)
        content["proof"] = Proof(content["proof"])
        item = Evidence(**content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    texts = (item.copy, item.by, item.sha256, item.problem, item.job)
    fits = (
        all(isinstance(text, str) for text in texts)
        and is_count(item.size)
        and isinstance(item.seconds, int | float)
        and 0 <= item.seconds < _LONGEST
    )
    return item if fits else None
