"""Reads one file or object whole, and says what that has proven."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from pgconsole.backups.copy_check import check_copy
from pgconsole.backups.evidence import (
    Evidence,
    Proof,
    copy_id,
    evidence_path,
    note,
    proof_of,
    read_evidence,
)
from pgconsole.backups.signatures import refuse_stripped, signer
from pgconsole.backups.subjects import Subject
from pgconsole.dumps.integrity import CheckedDump, check_bytes
from pgconsole.dumps.manifest import Encryption, Manifest, SectionKind
from pgconsole.dumps.naming import BackupClass, BackupName, is_encrypted
from pgconsole.errors import DamagedError, PgconsoleError, SealedError, StorageError
from pgconsole.report import Report
from pgconsole.settings import Settings
from pgconsole.storage import files


@dataclass(frozen=True, slots=True)
class Finding:
    """What reading showed.

    Attributes:
        proof: What is proven; None if nothing is, because it could not be read.
        problem: Why it is of no use, or why that is unknown; or, of an encrypted copy whose bytes
            are right, why it was not looked into. None if it was, and is whole.
        seconds: How long reading took.
        at: When it was finished, UTC.
        checked: The dump, if it was looked into and is whole.
        sha256: Of the file, if its bytes are right.
        signed: The public key that vouches for it; empty if none does.
    """

    proof: Proof | None
    problem: PgconsoleError | None
    seconds: float
    at: datetime
    checked: CheckedDump | None = None
    sha256: str = ""
    signed: str = ""

    @property
    def tables(self) -> int | None:
        """How many tables have a data section."""
        if self.checked is None:
            return None
        return sum(section.kind is SectionKind.DATA for section in self.checked.sections)

    @property
    def rows(self) -> int | None:
        """Rows in all of them."""
        if self.checked is None:
            return None
        return sum(section.rows for section in self.checked.sections)


def prove(settings: Settings, subject: Subject, on_progress: Callable[[int], None]) -> Finding:
    """Read it to its end and judge it. What is wrong with it is found, not raised.

    Args:
        settings: Whose keys, and whose evidence.
        subject: What is to be read.
        on_progress: As `check_dump` has it.

    Raises:
        ConfigurationError: The signing key's file can't be used.
    """
    started = time.monotonic()
    found: _Seen = _Seen(None)
    problem: PgconsoleError | None = None
    try:
        try:
            found = _look(settings, subject, on_progress)
        except DamagedError as error:
            found, problem = _Seen(proof_of(error)), error
        # Only what lies there now can be said to be whole, or to be damaged.
        subject.check_unchanged()
    except (StorageError, SealedError) as error:
        problem = _broken_disk(error) or error
        found = _Seen(proof_of(problem) if isinstance(problem, DamagedError) else None)
    return Finding(
        found.proof,
        problem or found.sealed,
        round(time.monotonic() - started, 3),
        datetime.now(UTC),
        found.checked,
        found.sha256,
        signer(settings, subject.manifest) if found.sha256 else "",
    )


class _Seen(NamedTuple):
    """What a look at a subject has shown, see `Finding`."""

    proof: Proof | None
    sha256: str = ""
    checked: CheckedDump | None = None
    sealed: SealedError | None = None


def _look(settings: Settings, subject: Subject, on_progress: Callable[[int], None]) -> _Seen:
    manifest = subject.manifest
    if subject.altered is not None:
        raise subject.altered
    stored = subject.copies[0] if subject.copies else None
    refuse_stripped(settings, stored, subject.location, manifest)
    source = subject.open()
    try:
        encrypted = is_encrypted(subject.location)
        try:
            checked = check_copy(settings, source, manifest, on_progress, encrypted=encrypted)
        except SealedError as error:
            if manifest is None:
                raise
            sha256 = check_bytes(source, manifest, on_progress)
            proof = Proof.COMPLETE if _known_whole(settings, sha256) else Proof.INTACT
            return _Seen(proof, sha256, sealed=error)
        return _Seen(Proof.COMPLETE, checked.sha256, checked)
    finally:
        subject.close()


def _known_whole(settings: Settings, sha256: str) -> bool:
    """Whether a copy of these very bytes was looked into, and was a whole dump."""
    with files.translated(f"{evidence_path(settings)} can't be read"):
        proofs = read_evidence(settings)
    known = (proof for copy in proofs.values() for proof in copy if proof.sha256 == sha256)
    return any(proof.proof.is_good for proof in known)


def _broken_disk(error: PgconsoleError) -> DamagedError | None:
    """A file of which the disk has lost a part is damaged; all else that can't be read is not."""
    if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EIO:
        return DamagedError(error.problem, cause=error.cause, fix=error.fix)
    return None


def keep_finding(
    settings: Settings, subject: Subject, finding: Finding, *, by: str, job: str, report: Report
) -> list[Evidence]:
    """Record a proof for every copy that it is about.

    Args:
        settings: Whose copies; their secrets are masked.
        subject: What was read.
        finding: What was found; nothing is recorded if that proves nothing.
        by: Who asked.
        job: The job's id, or empty.
        report: Told if the evidence can't be written.

    Returns:
        The evidence.
    """
    proof, problem = finding.proof, finding.problem
    if proof is None:
        return []
    wrong = problem if proof.is_bad else None
    evidence = [
        Evidence(
            copy=copy_id(settings, copy),
            proof=proof,
            at=finding.at,
            by=by,
            seconds=finding.seconds,
            size=copy.size,
            modified=copy.modified,
            sha256=finding.sha256,
            problem=settings.redactor(f"{wrong.problem}: {wrong.cause}") if wrong else "",
            job=job,
            signed=finding.signed,
        )
        for copy in subject.copies
    ]
    note(settings, report, *evidence)
    return evidence


def described(
    name: BackupName, classes: tuple[BackupClass, ...], checked: CheckedDump, at: datetime
) -> Manifest:
    """A manifest of a dump that has none, such as those of the old scripts.

    Args:
        name: One of its names.
        classes: The classes that it is in.
        checked: What is in it.
        at: When that was proven, UTC.
    """
    return Manifest(
        database=name.database,
        classes=classes,
        taken_at=name.taken_at,
        started_at=name.taken_at,
        finished_at=name.taken_at,
        verified_at=at,
        host="",
        actor="",
        server_host="",
        server_version=checked.server_version,
        pg_dump_version=checked.pg_dump_version,
        options=(),
        raw_bytes=checked.raw_bytes,
        compressed_bytes=checked.compressed_bytes,
        sha256=checked.sha256,
        sections=checked.sections,
        encryption=Encryption(recipients=(), gzip_bytes=checked.gzip_bytes)
        if name.encrypted
        else None,
    )
