"""`pgconsole pin` and `pgconsole unpin`."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

from pgconsole.backups import pins
from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.s3_copy import object_key
from pgconsole.cli.explain import shown
from pgconsole.dumps.naming import BackupClass, BackupName, parse_name
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.jobs import audit, current_actor, permit
from pgconsole.jobs.texts import one_line
from pgconsole.settings import Settings, load_settings
from pgconsole.storage.local import LocalStorage


@click.command()
@click.argument("backup")
@click.option("--note", default="", help="Why, in a few words; shown where the backup is.")
def pin(backup: str, note: str) -> None:
    """Keep a backup whatever retention says: all its classes, locally and in S3.

    BACKUP is a name that `pgconsole list` or `pgconsole list --s3` shows, a path or a key. Pinning
    it again replaces the note.
    """
    settings, actor, name = load_settings(), current_actor(), _named(backup)
    permit(settings, actor, "pin", name.filename)
    known = pins.backup_id(name) in pins.read_pins(settings)
    pins.pin(settings, name, one_line(note, settings.redactor), actor)
    # Only now: what is there after it was pinned stays there.
    try:
        there = _is_anywhere(settings, name)
    except StorageError as error:
        click.echo(
            f"whether the bucket has {shown(name.filename)} is unknown: {shown(str(error))}",
            err=True,
        )
        there = True
    if not there:
        if not known:
            pins.unpin(settings, name, actor)
        raise ConfigurationError(
            f"There is no backup {name.filename}",
            cause="neither BACKUP_DIR nor the bucket has it, in no class",
            fix="give a name that `pgconsole list` shows",
        )
    _audit(settings, actor, "pin", name)
    click.echo(
        f"pinned {shown(name.filename)}: retention keeps it in all classes and places", err=True
    )


@click.command()
@click.argument("backup")
def unpin(backup: str) -> None:
    """Leave a pinned backup to retention again.

    BACKUP is a name, a path or a key, as for `pgconsole pin`.
    """
    settings, actor, name = load_settings(), current_actor(), _named(backup)
    permit(settings, actor, "unpin", name.filename)
    pins.unpin(settings, name, actor)
    _audit(settings, actor, "unpin", name)
    click.echo(f"{shown(name.filename)} is not pinned any more", err=True)


def _audit(settings: Settings, actor: str, action: str, name: BackupName) -> None:
    try:
        audit(settings, actor, action, name.filename, "done")
    except OSError as error:  # it is done all the same
        click.echo(f"the audit log can't be written: {shown(str(error))}", err=True)


def _named(backup: str) -> BackupName:
    name = parse_name(PurePath(backup).name)
    if name is None:
        raise ConfigurationError(
            f"{backup!r} is no name of a backup",
            cause="backups are called <database>_<daily|weekly|monthly>_<YYYYMMDD>_<HHMMSS>"
            ".sql.gz[.age]",
            fix="give a name, a path or a key that `pgconsole list` shows",
        )
    return name


def _is_anywhere(settings: Settings, name: BackupName) -> bool:
    """Whether there is any copy of the backup.

    Raises:
        StorageError: There is none here, and the bucket can't be asked.
    """
    names = [name.in_class(backup_class) for backup_class in BackupClass]
    local = LocalStorage(settings.backup_dir)
    if any(os.path.isfile(local.path(one)) for one in names):  # noqa: PTH113 - never raises
        return True
    if not settings.s3_enabled:
        return False
    bucket = s3_storage(settings)
    return any(bucket.find(object_key(settings, one)) for one in names)
