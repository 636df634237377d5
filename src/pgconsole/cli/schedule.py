"""`pgconsole schedule`, `pause` and `resume`."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click

from pgconsole.errors import ConfigurationError

_PART = re.compile(r"([0-9]+)([wdhm])", re.IGNORECASE)
_DURATION = re.compile(r"(?:[0-9]+[wdhm])+", re.IGNORECASE)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


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


def parse_end(text: str, now: datetime, timezone: ZoneInfo) -> datetime:
    """When a pause ends: a duration from now, or a time.

    Args:
        text: What the operator typed.
        now: Timezone-aware.
        timezone: Of a time without an offset.

    Raises:
        ConfigurationError: It is neither.
    """
    try:
        if _DURATION.fullmatch(text.strip()):
            parts = ((_UNITS[unit.lower()], int(number)) for number, unit in _PART.findall(text))
            return now + sum((timedelta(**{unit: number}) for unit, number in parts), timedelta())
        end = datetime.fromisoformat(text.strip())
        return (end if end.tzinfo else end.replace(tzinfo=timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"--until is {text!r}",
            cause="that is neither a time nor a duration",
            fix="give a time like 2026-12-01T06:00 or a duration like 3h, 90m, 2d, 1d12h",
        ) from error
