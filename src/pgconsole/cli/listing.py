"""`pgconsole list`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click
import humanize

from pgconsole.backups.catalog import local_backups, s3_backups
from pgconsole.backups.standing import standing
from pgconsole.settings import load_settings
from pgconsole.storage.base import Listing, StoredBackup


def print_backups(*, in_s3: bool, as_json: bool) -> None:
    """Print the backups of BACKUP_DIR or of the bucket."""
    settings = load_settings()
    listing = s3_backups(settings) if in_s3 else local_backups(settings)
    if as_json:
        click.echo(json.dumps([_as_dict(backup) for backup in listing.backups], indent=2))
        return
    if not listing.backups:
        place = f"s3://{settings.s3_bucket}/{settings.s3_prefix}" if in_s3 else settings.backup_dir
        click.echo(f"No backups in {place}. Take one: pgconsole backup", err=True)
    now = datetime.now(UTC)
    width = max((len(backup.name.filename) for backup in listing.backups), default=0)
    for backup in listing.backups:
        click.echo(_line(backup, now, width))
    _print_rest(listing)


def _line(backup: StoredBackup, now: datetime, width: int) -> str:
    age = humanize.naturaltime(now - backup.name.taken_at)
    size = humanize.naturalsize(backup.size, binary=True)
    state = standing(backup, {})
    return f"{backup.name.filename:<{width}}  {size:>11}  {state:<8}  {age}"


def _print_rest(listing: Listing) -> None:
    if listing.leftovers:
        click.echo(
            f"{len(listing.leftovers)} partial files of unfinished or killed jobs; "
            "the next backup of their database removes them",
            err=True,
        )
    for foreign in listing.foreign:
        click.echo(f"not a backup, left alone: {foreign.location}", err=True)


def _as_dict(backup: StoredBackup) -> dict[str, object]:
    return {
        "name": backup.name.filename,
        "database": backup.name.database,
        "class": str(backup.name.backup_class),
        "taken_at": backup.name.taken_at.isoformat(),
        "place": str(backup.place),
        "location": backup.location,
        "bytes": backup.size,
        "modified": backup.modified.isoformat(),
        "state": str(standing(backup, {})),
    }
