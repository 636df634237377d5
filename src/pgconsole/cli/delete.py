"""`pgconsole delete` and `pgconsole download`."""

from __future__ import annotations

import sys

import click

from pgconsole.backups.confirmation import WORD
from pgconsole.backups.delete import confirm_delete, decisions, find_copies
from pgconsole.backups.deletion import Decision
from pgconsole.backups.opened import find_backup
from pgconsole.errors import RefusedError
from pgconsole.jobs import current_actor, permit
from pgconsole.jobs.texts import JSON
from pgconsole.settings import load_settings
from pgconsole.storage.base import Place


@click.command()
@click.argument("backups", metavar="[BACKUP]...", nargs=-1)
@click.option("--s3", "keys", metavar="KEY", multiple=True, help="A copy in S3; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what may go, and change nothing.")
@click.option("--yes", "confirmed", is_flag=True, help="Don't ask. Needed without a terminal.")
def delete(backups: tuple[str, ...], keys: tuple[str, ...], dry_run: bool, confirmed: bool) -> None:
    """Delete these copies and no others.

    BACKUP is a name that `pgconsole list` shows, or a path in BACKUP_DIR; KEY is the same in S3. A
    copy may go if it is damaged or empty, or if one that is proven complete stays, of the same
    backup or of a later one. Pinned backups stay. If one of them must stay, nothing is deleted.
    """
    settings = load_settings()
    if not dry_run:
        permit(settings, current_actor(), "delete", ", ".join((*backups, *keys)))
    copies = find_copies(settings, backups, keys)
    decided = decisions(settings, copies)
    for decision in decided:
        click.echo(_line(decision))
    staying = sum(not decision.allowed for decision in decided)
    if staying:
        raise RefusedError(
            "Nothing is deleted" if dry_run else "Nothing was deleted",
            cause=f"{staying} of {len(decided)} must stay",
            fix="leave those out that must stay",
        )
    if dry_run:
        return
    typed = WORD if confirmed else _asked()
    token = confirm_delete(typed, copies)
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415

    paths = [copy.location for copy in copies if copy.place is Place.LOCAL]
    whole_keys = [copy.location for copy in copies if copy.place is Place.S3]
    request: dict[str, JSON] = {
        "paths": [*paths],
        "keys": [*whole_keys],
        "confirmation": token,
    }
    sys.exit(run_and_follow("delete", request))


@click.command()
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
def download(keys: tuple[str, ...]) -> None:
    """Download backups from S3 to BACKUP_DIR/restored/, and prove that they are whole.

    KEY is a name that `pgconsole list --s3` shows, or its key. A download that was cut off goes on
    where it was. Prints the paths.
    """
    settings = load_settings()
    permit(settings, current_actor(), "download", ", ".join(keys))
    found = [find_backup(settings, Place.S3, key).location for key in keys]
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415

    sys.exit(run_and_follow("download", {"keys": [*found]}))


def _asked() -> str:
    """What is typed on the terminal; without one nothing."""
    if not sys.stdin.isatty():
        return ""
    answer: str = click.prompt(
        "Are you sure? Type 'yes' to confirm", default="", show_default=False, err=True
    )
    return answer


def _line(decision: Decision) -> str:
    word = "delete" if decision.allowed else "stays"
    where = "s3" if decision.backup.place is Place.S3 else "local"
    return f"{word:<6}  {where:<5}  {decision.backup.name.filename}  {decision.reason}"
