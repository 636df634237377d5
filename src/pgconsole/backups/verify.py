"""The verify operation: proves copies of backups, local and in S3, and keeps the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.backups.evidence import Evidence
from pgconsole.report import Report
from pgconsole.settings import Settings


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """Copies to be verified.

    Attributes:
        paths: Local copies, absolute paths in BACKUP_DIR.
        keys: Copies in S3, whole keys in the bucket.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    paths: tuple[str, ...]
    keys: tuple[str, ...]
    actor: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What was found out.

    Attributes:
        evidence: One proof for each copy that could be read, in the order asked for.
    """

    evidence: tuple[Evidence, ...]


def run_verify(settings: Settings, request: VerifyRequest, report: Report) -> VerifyResult:
    """Verify copies, one after the other."""
    raise NotImplementedError
