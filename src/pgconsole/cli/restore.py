"""`pgconsole restore`."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from pgconsole.cli.explain import shown
from pgconsole.errors import ConfigurationError, ExitCode, RefusedError

if TYPE_CHECKING:
    from pgconsole.backups.restore_copy import FoundCopy
    from pgconsole.jobs import Job
    from pgconsole.jobs.texts import JSON
    from pgconsole.planning.facts import Facts
    from pgconsole.settings import Settings

_COUNTING = 20.0  # seconds; tables that are not counted by then are shown with an estimate
_MOST_TABLES = 20  # above the question, the gravest first


@click.command()
@click.argument("file", required=False)
@click.option("--list", "list_local", is_flag=True, help="List the local backups.")
@click.option("--list-s3", is_flag=True, help="List the backups in S3.")
@click.option("--latest", is_flag=True, help="Restore the newest local backup of PGDATABASE.")
@click.option(
    "--from-s3",
    "key",
    metavar="KEY",
    help="Restore an object of the bucket, by its whole key. It is downloaded to "
    "BACKUP_DIR/restored/ first; a download that was cut off goes on where it was.",
)
@click.option("--database", metavar="NAME", help="Restore into this database, not PGDATABASE.")
@click.option(
    "--plan",
    "only_plan",
    is_flag=True,
    help="Show what it would do, table by table, and do nothing. Exit code 1: it would be refused.",
)
@click.option("--yes", is_flag=True, help="Don't ask. Without a terminal this is needed.")
@click.option(
    "--confirm",
    "typed",
    metavar="NAME",
    help="Don't ask, but do nothing unless the target is called NAME. On a protected server "
    "(PGCONSOLE_PROTECTED) --yes is not enough, and this is needed.",
)
@click.option(
    "--without-safety-backup",
    is_flag=True,
    help="Go on even if the target can't be backed up: what is in it may be lost for good.",
)
def restore(
    file: str | None,
    *,
    list_local: bool,
    list_s3: bool,
    latest: bool,
    key: str | None,
    database: str | None,
    only_plan: bool,
    yes: bool,
    typed: str | None,
    without_safety_backup: bool,
) -> None:
    """Restore a backup, in one transaction, over what the target database holds.

    FILE is a path, or a name that `pgconsole list` shows. Give exactly one of FILE, --latest,
    --from-s3, --list and --list-s3.

    The dump is read whole first, then the target is backed up to BACKUP_DIR/safety/, then its
    sessions are cut off. A failure or Ctrl-C leaves the target as it was. At the end a table of
    what was expected and what was found is printed.
    """
    forms = [file is not None, list_local, list_s3, latest, key is not None]
    if sum(forms) != 1:
        raise click.UsageError(
            "Give exactly one of FILE, --latest, --from-s3 KEY, --list and --list-s3."
        )
    if list_local or list_s3:
        from pgconsole.cli.listing import print_backups  # noqa: PLC0415

        print_backups(in_s3=list_s3, as_json=False)
        return
    from pgconsole.dumps.naming import check_database_name  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    from pgconsole.jobs import current_actor, permit  # noqa: PLC0415

    target = settings.pgdatabase if database is None else database
    check_database_name(target)
    if only_plan:
        copy = _find(settings, file, key)
        facts = _gather(settings, copy, target, without_safety_backup)
        refused = _print_plan(facts, err=False)
        sys.exit(ExitCode.FAILED if refused else ExitCode.OK)
    permit(settings, current_actor(), "restore", target)
    copy = _find(settings, file, key)
    answer = _given(settings, target, yes, typed)
    sys.exit(_restore(settings, copy, target, answer, without_safety_backup))


def _find(settings: Settings, file: str | None, key: str | None) -> FoundCopy:
    from pgconsole.backups.restore_copy import find_copy, find_local  # noqa: PLC0415
    from pgconsole.storage.base import Place  # noqa: PLC0415

    if key is not None:
        return find_copy(settings, Place.S3, key)
    if file is not None:
        return find_copy(settings, Place.LOCAL, str(find_local(settings, file)))
    return find_copy(settings, Place.LOCAL, _latest(settings))


def _latest(settings: Settings) -> str:
    """The newest local backup of exactly the configured database."""
    from pgconsole.backups.catalog import local_backups  # noqa: PLC0415

    for backup in local_backups(settings).backups:
        if backup.name.database == settings.pgdatabase:
            return backup.location
    raise ConfigurationError(
        f"There is no backup of database {settings.pgdatabase!r} in {settings.backup_dir}",
        cause="no file there has its name",
        fix="see `pgconsole restore --list` and `--list-s3`, then name one",
    )


def _given(settings: Settings, database: str, yes: bool, typed: str | None) -> str | None:
    """What the options answer to the question; None: it has to be asked.

    Raises:
        ConfigurationError: They don't confirm this target, or nobody can be asked.
    """
    from pgconsole.backups.confirmation import WORD, word_for  # noqa: PLC0415

    if typed is not None and typed != database:
        raise ConfigurationError(
            "Restore not confirmed, so nothing was changed",
            cause=f"--confirm names {typed!r}, and the target is {database!r}",
            fix="name the target that is meant in both, --database and --confirm",
        )
    if typed is not None:
        return word_for(settings, database)
    if yes and settings.protected:
        raise ConfigurationError(
            "Restore not confirmed, so nothing was changed",
            cause=f"{settings.pghost}:{settings.pgport} is protected: PGCONSOLE_PROTECTED is set, "
            "and --yes alone is not enough",
            fix=f"add the target's name: --confirm {shlex.quote(database)}",
        )
    if yes:
        return WORD
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        option = f"--confirm {shlex.quote(database)}" if settings.protected else "--yes"
        raise ConfigurationError(
            "Nobody can be asked whether to restore, so nothing was changed",
            cause="this is no terminal",
            fix=f"in a script add {option}; with docker exec, use -it",
        )
    return None


def _restore(
    settings: Settings,
    copy: FoundCopy,
    database: str,
    answer: str | None,
    without_safety_backup: bool,
) -> int:
    from pgconsole.backups.confirmation import confirm_restore, word_for  # noqa: PLC0415
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415

    if answer is None:
        answer = _ask(settings, copy, database, without_safety_backup)
        if answer != word_for(settings, database):
            click.echo("not confirmed: nothing was changed", err=True)
            return ExitCode.CANCELLED
    request: dict[str, JSON] = {
        "place": str(copy.place),
        "location": copy.location,
        "database": database,
        "confirmation": confirm_restore(answer, settings, database, copy),
        "without_safety_backup": without_safety_backup,
    }
    return run_and_follow("restore", request, _print_result)


def _gather(
    settings: Settings, copy: FoundCopy, database: str, without_safety_backup: bool
) -> Facts:
    from pgconsole.planning.gather import gather  # noqa: PLC0415

    click.echo(f"looking at the backup and at {shown(database)} …", err=True)
    return gather(
        settings, copy, database, counting=_COUNTING, without_safety_backup=without_safety_backup
    )


def _print_plan(facts: Facts, *, err: bool, most: int | None = None) -> str:
    """Print what would happen, and return why it would be refused."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from pgconsole.cli.plan_text import plan_text  # noqa: PLC0415

    lines, refused = plan_text(facts, datetime.now(UTC), most)
    for line in lines:
        click.echo(shown(line), err=err)
    return refused


def _ask(settings: Settings, copy: FoundCopy, database: str, without_safety_backup: bool) -> str:
    """Show what will happen, ask, and return what was typed.

    Raises:
        RefusedError: It can't be done; says why.
    """
    facts = _gather(settings, copy, database, without_safety_backup)
    if refused := _print_plan(facts, err=True, most=_MOST_TABLES):
        raise RefusedError(
            f"Nothing was restored into {database!r}",
            cause=refused,
            fix="remove the cause; `pgconsole restore --plan` looks again",
        )
    what = "'yes'"
    if settings.protected:
        click.echo("PROTECTED: PGCONSOLE_PROTECTED is set for this server", err=True)
        what = f"the target's name, {shown(database)},"
    try:
        click.echo(f"Are you sure? Type {what} to confirm: ", nl=False, err=True)
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.rstrip("\r\n")


def _print_result(job: Job) -> None:
    """The table of what was expected and what was found."""
    result = job.result or {}
    checks = result.get("checks")
    rows = [("what", "name", "expected", "found")]
    for check in checks if isinstance(checks, list) else []:
        if isinstance(check, dict):
            rows.append(tuple(str(check.get(column)) for column in rows[0]))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for what, name, expected, found in rows:
        click.echo(
            f"{what:<{widths[0]}}  {name:<{widths[1]}}  {expected:>{widths[2]}}  "
            f"{found:>{widths[3]}}"
        )
    if safety := result.get("safety_backup"):
        click.echo(f"what it was before: {safety}", err=True)
