"""Verifying local copies, and what is known of them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pgconsole.backups.catalog import local_backups
from pgconsole.backups.evidence import EVIDENCE, Evidence, Proof, latest, read_evidence
from pgconsole.backups.verify import VerifyRequest, VerifyResult, run_verify
from pgconsole.report import Event
from pgconsole.settings import Settings


def verify(settings: Settings, *paths: Path, report: Callable[[Event], None]) -> VerifyResult:
    request = VerifyRequest(tuple(map(str, paths)), (), "bob", "job-7")
    return run_verify(settings, request, report)


def known(settings: Settings) -> dict[str, Evidence | None]:
    """What is known of each local copy now, by class and name."""
    proofs = read_evidence(settings)
    return {
        backup.name.relative_path: latest(proofs, settings, backup)
        for backup in local_backups(settings).backups
    }


def proofs(settings: Settings) -> list[Proof | None]:
    return [proof and proof.proof for proof in known(settings).values()]


def forget(settings: Settings) -> None:
    """As on a host that did not take the backups."""
    (settings.state_dir / EVIDENCE).unlink()
