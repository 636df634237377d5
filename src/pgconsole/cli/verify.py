"""`pgconsole verify`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from pgconsole.backups.catalog import local_backups, s3_storage
from pgconsole.backups.s3_copy import object_key
from pgconsole.cli.running import run_and_follow
from pgconsole.dumps.naming import parse_name
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.settings import Settings, load_settings
from pgconsole.storage.local import LocalStorage


@click.command()
@click.argument("backups", metavar="[BACKUP]...", nargs=-1)
@click.option("--latest", is_flag=True, help="The newest local backup of PGDATABASE.")
@click.option("--all", "every", is_flag=True, help="All local backups, of every database.")
@click.option("--s3", "keys", metavar="KEY", multiple=True, help="A copy in S3; may be repeated.")
def verify(backups: tuple[str, ...], latest: bool, every: bool, keys: tuple[str, ...]) -> None:
    """Read backups whole and prove that they are: every checksum, every table, every row.

    BACKUP is a name that `pgconsole list` shows, with or without its directory, or a path. KEY is
    the same in S3, with or without the prefix; the object is read where it is, and nothing is
    kept of it. S3 is only read where a KEY names it: it costs traffic.

    What was proven is kept for each copy in BACKUP_DIR and in S3, and `pgconsole list` shows it. Of
    a file that lies elsewhere (a safety backup, say) nothing is kept. Copies that have no manifest
    get one.

    Prints a line for each copy, its fields separated by tabs: where it is; complete, intact
    (encrypted, and not looked into without the private key), damaged, altered or unknown (it could
    not be read); rows; seconds. The exit code is 0 only if all are complete or intact.
    """
    settings = load_settings()
    paths = [_path(settings, backup) for backup in backups]
    if latest or every:
        paths += _listed(settings, every=every)
    if not paths and not keys:
        raise ConfigurationError(
            "There is nothing to verify",
            cause="no backup is named",
            fix="name one that `pgconsole list` shows, or give --latest, --all or --s3 KEY",
        )
    whole_keys = [_key(settings, key) for key in keys]
    sys.exit(run_and_follow("verify", {"paths": list(paths), "keys": list(whole_keys)}))


def _path(settings: Settings, backup: str) -> str:
    """The file that is meant: by its name in BACKUP_DIR, or by its path.

    Raises:
        ConfigurationError: There is none.
    """
    given = Path(backup)
    name = parse_name(given.name)
    own = LocalStorage(settings.backup_dir).path(name) if name else None
    if name and own and backup in {name.filename, name.relative_path} and _is_file(own):
        return str(own)
    if not _is_file(given):
        raise ConfigurationError(
            f"There is no backup {backup!r}",
            cause=f"neither {own} nor {given.absolute()} is a file"
            if own
            else f"it is no name of a backup, and {given.absolute()} is no file",
            fix="give a name that `pgconsole list` shows, or a path",
        )
    if own and _is_file(own) and own.samefile(given):  # BACKUP_DIR under another path
        return str(own)
    return str(given.absolute())


def _is_file(path: Path) -> bool:
    """Whether there is a file; not, if that can't be found out."""
    return os.path.isfile(path)  # noqa: PTH113 - a name that is too long raises nothing here


def _listed(settings: Settings, *, every: bool) -> list[str]:
    """The paths of all backups, or of the newest of PGDATABASE.

    Raises:
        ConfigurationError: There is none.
        StorageError: BACKUP_DIR can't be read.
    """
    found = list(local_backups(settings).backups)
    if not every:
        found = [one for one in found if one.name.database == settings.pgdatabase][:1]
    if not found:
        whose = "" if every else f" of {settings.pgdatabase!r}"
        raise ConfigurationError(
            f"There is no backup{whose} in {settings.backup_dir}",
            cause="so nothing can be proven",
            fix="take one: pgconsole backup",
        )
    return [one.location for one in found]


def _key(settings: Settings, given: str) -> str:
    """The whole key of an object in the bucket.

    Raises:
        ConfigurationError: It can't be a backup's, or there is no such object.
    """
    name = parse_name(given.rpartition("/")[2])
    key = object_key(settings, name) if name else ""
    if name is None or given not in {key, name.relative_path, name.filename}:
        raise ConfigurationError(
            f"{given!r} is no key of a backup",
            cause=f"backups lie under {settings.s3_prefix}<class>/",
            fix="give a name that `pgconsole list --s3` shows, or its key",
        )
    try:
        there = s3_storage(settings).find(key) is not None
    except StorageError:
        return key  # the job tells, after all that can be read was read
    if not there:
        raise ConfigurationError(
            f"There is no object {key!r} in bucket {settings.s3_bucket!r}",
            fix="give a name that `pgconsole list --s3` shows, or its key",
        )
    return key
