"""The prune operation: applies the retention plan, local and in S3."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.report import Report
from pgconsole.settings import Settings


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """Retention is to be applied.

    Attributes:
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    actor: str
    job: str = ""


def run_prune(settings: Settings, request: PruneRequest, report: Report) -> object:
    """Delete what retention no longer keeps."""
    raise NotImplementedError
