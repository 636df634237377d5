"""`pgconsole show`, `rows` and `sql`: what is inside a backup, here or in S3."""

from __future__ import annotations

import sys
from codecs import iterdecode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from pgconsole.cli.explain import shown
from pgconsole.errors import ConfigurationError

if TYPE_CHECKING:
    from pgconsole.backups.looking import Look
    from pgconsole.backups.opened import OpenedBackup, TableFacts
    from pgconsole.jobs.texts import JSON
    from pgconsole.settings import Settings
    from pgconsole.storage.base import StoredBackup

_ROWS = 100

F = TypeVar("F", bound=Callable[..., object])


def _of_a_backup(command: F) -> F:
    """What all three are about."""
    command = click.option(
        "--s3", "in_s3", is_flag=True, help="BACKUP is in the bucket, not in BACKUP_DIR."
    )(command)
    return click.argument("backup")(command)


@click.command()
@_of_a_backup
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(backup: str, in_s3: bool, as_json: bool) -> None:
    """Show what is known of a backup: facts, evidence, tables, and what has changed.

    BACKUP is a name that `pgconsole list` shows, with or without its class, or its path or key.

    Prints a line for each table, its fields separated by tabs: name; rows; rows more than in the
    backup before; uncompressed bytes; bytes in the file; what became of it. Of the dump itself
    nothing is read. A backup without a manifest (one of the old scripts) shows its tables once it
    was verified.
    """
    from pgconsole.backups.opened import compare, open_backup  # noqa: PLC0415
    from pgconsole.cli import look_text  # noqa: PLC0415
    from pgconsole.errors import PgconsoleError  # noqa: PLC0415

    settings, found = _find(backup, in_s3=in_s3)
    opened = open_backup(settings, found)
    why = ""
    comparison = None
    try:
        comparison = compare(settings, opened)
    except PgconsoleError as error:
        why = str(error)
    if as_json:
        click.echo(look_text.as_json(opened, comparison, why))
        return
    for line in look_text.facts(settings, opened, comparison, why):
        click.echo(shown(line), err=True)
    for line in look_text.tables(opened, comparison):
        click.echo(line)


@click.command()
@_of_a_backup
@click.argument("table")
@click.option(
    "--limit", type=click.IntRange(min=0), help=f"How many rows; 0: all. Default: {_ROWS}."
)
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out that many first.")
@click.option(
    "--csv", "path", type=click.Path(path_type=Path),
    help="Write all rows to this file, which must not exist; a job, that Ctrl-C cancels.",
)  # fmt: skip
def rows(
    backup: str, in_s3: bool, table: str, limit: int | None, offset: int, path: Path | None
) -> None:
    """Print rows of a table of a backup as CSV, reading only the part of the file they are in.

    BACKUP is a name that `pgconsole list` shows, with or without its class, or its path or key.
    TABLE is `schema.table`, or the table's name alone if there is only one of it.

    The CSV is that of PostgreSQL: a header, UTF-8, NULL as nothing and the empty text as "". On a
    terminal control characters in it are escaped.
    """
    if path is not None:
        if limit is not None or offset:
            raise click.UsageError("--csv writes all rows: give it without --limit and --offset.")
        sys.exit(_export(backup, table, path, in_s3=in_s3))
    from pgconsole.backups.opened import find_table  # noqa: PLC0415

    look, tables = _look(backup, in_s3=in_s3)
    wanted = find_table(tables, table)
    left = max(0, wanted.rows - offset)
    limit = left if limit == 0 else min(left, _ROWS if limit is None else limit)
    count = None if limit == left else limit
    for text in iterdecode(look.csv(wanted.section, offset, count), "utf-8", "backslashreplace"):
        _print(text)
    if left > limit:
        text = f"{limit:,} of {wanted.rows:,} rows; --offset {offset + limit} goes on"
        click.echo(text, err=True)
    _say_read(look)


@click.command()
@_of_a_backup
@click.argument("name", required=False)
def sql(backup: str, in_s3: bool, name: str | None) -> None:
    """Print the SQL of an object of a backup; without NAME, list all objects.

    BACKUP is a name that `pgconsole list` shows, with or without its class, or its path or key.
    NAME is an object's name with or without its schema; of several, all are printed.

    Of each object in the list: kind, schema and name, separated by tabs.
    """
    look, _ = _look(backup, in_s3=in_s3)
    found = False
    for one in look.objects():
        if name is None:
            click.echo("\t".join(map(shown, (one.kind, one.schema, one.name))))
        elif name in (one.name, one.full_name):
            found = True
            for piece in look.sql(one):
                _print(piece)
    if name is not None and not found:
        raise ConfigurationError(
            f"There is no object {name!r} in {backup}",
            fix=f"`pgconsole sql {backup}` lists them",
        )


def _find(backup: str, *, in_s3: bool) -> tuple[Settings, StoredBackup]:
    from pgconsole.backups.opened import find_backup  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415
    from pgconsole.storage.base import Place  # noqa: PLC0415

    settings = load_settings()
    return settings, find_backup(settings, Place.S3 if in_s3 else Place.LOCAL, backup)


def _look(backup: str, *, in_s3: bool) -> tuple[Look, tuple[TableFacts, ...]]:
    """An opened backup; one without a manifest is read from the front first."""
    from pgconsole.backups import looking, opened  # noqa: PLC0415

    settings, found = _find(backup, in_s3=in_s3)
    source = looking.open_source(settings, found)
    known: OpenedBackup = opened.open_backup(settings, found)
    manifest = known.manifest
    if manifest is None:
        click.echo(f"{shown(str(known.problem))}. Until then it is read from the front", err=True)
        manifest = looking.look_from_front(source, found, lambda _: None)
    return looking.Look(source, manifest), opened.tables_of(manifest)


def _print(text: str) -> None:
    """Data as it is for a file or a pipe; on a terminal it must not act."""
    if sys.stdout.isatty():
        text = "\n".join("\t".join(map(shown, line.split("\t"))) for line in text.split("\n"))
    # Not click.echo: it takes away what a terminal might obey, and so changes the data.
    sys.stdout.buffer.write(text.encode())


def _say_read(look: Look) -> None:
    from pgconsole.status.words import size  # noqa: PLC0415

    click.echo(f"read {size(look.source.bytes_read)} of {size(look.source.size)}", err=True)


def _export(backup: str, table: str, path: Path, *, in_s3: bool) -> int:
    from pgconsole.backups.opened import find_table, open_backup  # noqa: PLC0415
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415

    settings, found = _find(backup, in_s3=in_s3)
    opened = open_backup(settings, found)
    if opened.manifest is not None:
        find_table(opened.tables, table)  # a typing error needs no job
    request: dict[str, JSON] = {
        "place": str(found.place),
        "location": found.location,
        "table": table,
        "path": str(path.absolute()),
    }
    return run_and_follow("export", request)
