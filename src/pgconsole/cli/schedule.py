"""`pgconsole schedule`, `pause` and `resume`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from pgconsole.schedule.ends import parse_end


@click.command()
def schedule() -> None:
    """Take backups by BACKUP_SCHEDULE, in the foreground, until told to end.

    A first backup is taken at once. SIGTERM and Ctrl-C wait for a running backup
    (PGCONSOLE_ON_STOP=wait) or cancel it (cancel); a second one cancels it in any case.
    """
    from pgconsole.schedule.init import is_init, run_under_init  # noqa: PLC0415
    from pgconsole.schedule.service import run_scheduler  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415

    settings = load_settings()

    def run() -> int:
        return run_scheduler(settings, lambda line: click.echo(line, err=True))

    sys.exit(run_under_init(run) if is_init() else run())


@click.command()
@click.option("--reason", required=True, help="Why; everybody will see it.")
@click.option(
    "--until",
    metavar="WHEN",
    help="When it ends by itself: a time like 2026-12-01T06:00 (in BACKUP_TIMEZONE, unless it has "
    "an offset), or a duration like 3h, 90m, 2d, 1d12h. Without it: `pgconsole resume`.",
)
def pause(reason: str, until: str | None) -> None:
    """Skip the backups of the schedule for a while.

    Backups that are started by hand are taken as ever.
    """
    from pgconsole.jobs import current_actor  # noqa: PLC0415
    from pgconsole.schedule import state  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    end = parse_end(until, datetime.now(UTC), settings.backup_timezone) if until else None
    made = state.pause(settings, reason, end, current_actor())
    click.echo(f"The schedule is {made.in_words()}", err=True)


@click.command()
def resume() -> None:
    """Let the schedule go on after `pgconsole pause`."""
    from pgconsole.jobs import current_actor  # noqa: PLC0415
    from pgconsole.schedule import state  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    state.resume(settings, current_actor())
    click.echo("The schedule goes on", err=True)
