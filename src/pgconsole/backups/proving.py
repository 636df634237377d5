"""Reads one file or object whole, and says what that has proven."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pgconsole.backups.evidence import Evidence, Proof, copy_id, note
from pgconsole.backups.subjects import Subject
from pgconsole.dumps.integrity import CheckedDump, check_dump
from pgconsole.dumps.manifest import Manifest, SectionKind
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.errors import DamagedError, PgconsoleError, StorageError
from pgconsole.report import Report
from pgconsole.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What reading showed.

    Attributes:
        checked: The dump, if it is whole.
        problem: Why it is not, or why that is unknown.
        seconds: How long reading took.
        at: When it was finished, UTC.
    """

    checked: CheckedDump | None
    problem: PgconsoleError | None
    seconds: float
    at: datetime

    @property
    def proof(self) -> Proof | None:
        """What is proven; None if nothing is, because it could not be read."""
        if self.checked is not None:
            return Proof.COMPLETE
        return Proof.DAMAGED if isinstance(self.problem, DamagedError) else None

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


def prove(subject: Subject, on_progress: Callable[[int], None]) -> Finding:
    """Read it to its end and judge it. What is wrong with it is found, not raised.

    Args:
        subject: What is to be read.
        on_progress: As `check_dump` has it.
    """
    started = time.monotonic()
    checked: CheckedDump | None = None
    problem: PgconsoleError | None = None
    try:
        try:
            checked = _read(subject, on_progress)
        except DamagedError as error:
            problem = error
        # Only what lies there now can be said to be whole, or to be damaged.
        subject.check_unchanged()
    except StorageError as error:
        checked, problem = None, _broken_disk(error) or error
    return Finding(checked, problem, round(time.monotonic() - started, 3), datetime.now(UTC))


def _read(subject: Subject, on_progress: Callable[[int], None]) -> CheckedDump:
    source = subject.open()
    try:
        return check_dump(source, subject.manifest, on_progress)
    finally:
        subject.close()


def _broken_disk(error: StorageError) -> DamagedError | None:
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
    evidence = [
        Evidence(
            copy=copy_id(settings, copy),
            proof=proof,
            at=finding.at,
            by=by,
            seconds=finding.seconds,
            size=copy.size,
            modified=copy.modified,
            sha256=finding.checked.sha256 if finding.checked else "",
            problem=settings.redactor(f"{problem.problem}: {problem.cause}") if problem else "",
            job=job,
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
    )
