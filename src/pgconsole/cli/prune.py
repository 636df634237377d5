"""`pgconsole prune`."""

from __future__ import annotations

import json
import sys

import click
import humanize

from pgconsole.backups.prune import make_plan, retained_places
from pgconsole.backups.retention import Entry, Plan
from pgconsole.cli.explain import shown
from pgconsole.errors import ConfigurationError
from pgconsole.jobs import current_actor, permit
from pgconsole.settings import Settings, load_settings
from pgconsole.storage.base import Place

_WORD = "yes"


@click.command()
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", "confirmed", is_flag=True, help="Don't ask, also on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print the plan as JSON.")
def prune(dry_run: bool, confirmed: bool, as_json: bool) -> None:
    """Delete the backups that retention no longer keeps.

    Shows what becomes of every file, and why; then, on a terminal, asks. Retention runs by itself
    after each good backup: this is for looking at it, or for doing it at once.
    """
    if as_json and not dry_run:
        raise click.UsageError("--json goes with --dry-run.")
    settings = load_settings()
    if not dry_run:
        permit(settings, current_actor(), "prune", str(settings.backup_dir))
    plans = {place: make_plan(settings, place) for place in retained_places(settings)}
    if as_json:
        click.echo(json.dumps({place: _as_dict(plan) for place, plan in plans.items()}, indent=2))
        return
    for place, plan in plans.items():
        _show(settings, place, plan)
    _say_what_is_missing(settings, plans)
    if dry_run or not any(plan.delete for plan in plans.values()):
        return
    if not confirmed and sys.stdin.isatty():
        _ask()
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415

    sys.exit(run_and_follow("prune", {}))


def _show(settings: Settings, place: Place, plan: Plan) -> None:
    where = (
        f"{settings.backup_dir}"
        if place is Place.LOCAL
        else f"s3://{settings.s3_bucket}/{settings.s3_prefix}"
    )
    freed = humanize.naturalsize(plan.freed, binary=True)
    click.echo(f"{where}: {len(plan.delete)} to delete (at most {freed}), {len(plan.keep)} to keep")
    width = max((len(_name(entry)) for entry in plan.keep + plan.delete), default=0)
    for word, entries in (("delete", plan.delete), ("keep", plan.keep)):
        for entry in entries:
            what = "hide" if entry.hides else word
            click.echo(shown(f"  {what:<6}  {_name(entry):<{width}}  {entry.reason}"))


def _say_what_is_missing(settings: Settings, plans: dict[Place, Plan]) -> None:
    if settings.s3_enabled and Place.S3 not in plans:
        click.echo("S3 is left alone: S3_RETENTION is not set to true", err=True)
    waiting = sum(entry.waits for plan in plans.values() for entry in plan.keep)
    if waiting:
        click.echo(
            f"{waiting} were never verified and take no slot; prove them: pgconsole verify --all",
            err=True,
        )
    if not any(plan.delete for plan in plans.values()):
        click.echo("Nothing to delete", err=True)


def _ask() -> None:
    answer = click.prompt(
        "Are you sure? Type 'yes' to confirm", default="", show_default=False, err=True
    )
    if answer != _WORD:
        raise ConfigurationError(
            "Nothing was deleted",
            cause=f"{answer!r} was typed, not {_WORD!r}",
            fix=f"start it again and type {_WORD}",
        )


def _name(entry: Entry) -> str:
    return entry.backup.name.filename if entry.backup else shown(entry.location)


def _as_dict(plan: Plan) -> dict[str, list[dict[str, object]]]:
    return {
        word: [
            {
                "location": entry.location,
                "bytes": entry.backup.size if entry.backup else None,
                "reason": entry.reason,
                "hides": entry.hides,
            }
            for entry in entries
        ]
        for word, entries in (("delete", plan.delete), ("keep", plan.keep))
    }
