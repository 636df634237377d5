"""`pgconsole list`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import click
import humanize

from pgconsole.backups.catalog import local_backups, s3_backups
from pgconsole.backups.evidence import Evidence, evidence_path, last_look, latest, read_evidence
from pgconsole.backups.pins import Pin, backup_id, read_pins
from pgconsole.backups.standing import standing
from pgconsole.cli.explain import shown
from pgconsole.cli.json_list import print_list
from pgconsole.errors import StorageError
from pgconsole.settings import Settings, load_settings
from pgconsole.storage.base import Listing, StoredBackup


class _Row(NamedTuple):
    """A copy with what is known of it."""

    backup: StoredBackup
    proof: Evidence | None
    look: Evidence | None
    pin: Pin | None

    @property
    def state(self) -> str:
        """In one word."""
        return standing(self.backup, {}, self.proof)


def print_backups(*, in_s3: bool, as_json: bool) -> None:
    """Print the backups of BACKUP_DIR or of the bucket, with what was proven of each."""
    settings = load_settings()
    listing = s3_backups(settings) if in_s3 else local_backups(settings)
    proofs, pins = _proofs(settings), _pins(settings)
    rows = [
        _Row(
            one,
            latest(proofs, settings, one),
            last_look(proofs, settings, one),
            pins.get(backup_id(one.name)),
        )
        for one in listing.backups
    ]
    if as_json:
        print_list(map(_as_dict, rows))
        return
    if not rows:
        place = f"s3://{settings.s3_bucket}/{settings.s3_prefix}" if in_s3 else settings.backup_dir
        click.echo(f"No backups in {place}. Take one: pgconsole backup", err=True)
    now = datetime.now(UTC)
    width = max((len(row.backup.name.filename) for row in rows), default=0)
    for row in rows:
        click.echo(shown(_line(row, now, width)))
    _print_rest(listing)


def _proofs(settings: Settings) -> Mapping[str, list[Evidence]]:
    try:
        return read_evidence(settings)
    except OSError as error:
        why = f"{evidence_path(settings)} can't be read: {error.strerror}"
        click.echo(f"what was proven of the backups is unknown: {shown(why)}", err=True)
        return {}


def _pins(settings: Settings) -> Mapping[str, Pin]:
    try:
        return read_pins(settings)
    except StorageError as error:
        click.echo(f"which backups are pinned is unknown: {shown(str(error))}", err=True)
        return {}


def _line(row: _Row, now: datetime, width: int) -> str:
    name, size = row.backup.name, humanize.naturalsize(row.backup.size, binary=True)
    age = humanize.naturaltime(now - name.taken_at)
    known = row.state
    if row.proof is not None:
        known += f" {humanize.naturaltime(now - row.proof.at)}"
    if row.look is not None and row.look is not row.proof:
        known += f", verified {humanize.naturaltime(now - row.look.at)}"
    line = f"{name.filename:<{width}}  {size:>11}  {age:<16}  {known}"
    if row.pin is not None:
        line += f"  pinned: {row.pin.note}" if row.pin.note else "  pinned"
    return line


def _print_rest(listing: Listing) -> None:
    if listing.leftovers:
        click.echo(
            f"{len(listing.leftovers)} partial files of unfinished or killed jobs; "
            "the next backup of their database removes them",
            err=True,
        )
    for foreign in listing.foreign:
        click.echo(f"not a backup, left alone: {shown(foreign.location)}", err=True)


def _as_dict(row: _Row) -> dict[str, object]:
    backup, proof, pin = row.backup, row.proof, row.pin
    return {
        "name": backup.name.filename,
        "database": backup.name.database,
        "class": str(backup.name.backup_class),
        "taken_at": backup.name.taken_at.isoformat(),
        "place": str(backup.place),
        "location": backup.location,
        "bytes": backup.size,
        "modified": backup.modified.isoformat(),
        "state": row.state,
        "evidence": None
        if proof is None
        else {
            "proof": str(proof.proof),
            "at": proof.at.isoformat(),
            "by": proof.by,
            "seconds": proof.seconds,
            "sha256": proof.sha256,
            "problem": proof.problem,
            "job": proof.job,
        },
        "verified_at": None if row.look is None else row.look.at.isoformat(),
        "pin": None if pin is None else {"note": pin.note, "by": pin.by, "at": pin.at.isoformat()},
    }
