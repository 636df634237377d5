"""Checks of the schedule, and of whoever follows it."""

from __future__ import annotations

from pgconsole.schedule import in_words, next_runs
from pgconsole.status import scheduler as life
from pgconsole.status.checks.base import Finding, failed, not_set_up, ok, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.words import clean

_RUNS = 3


def schedule(context: Context) -> Finding:
    """What BACKUP_SCHEDULE means (a wrong one is refused with the settings)."""
    settings = context.settings
    expression, zone = settings.backup_schedule, settings.backup_timezone
    runs = next_runs(expression, zone, context.now, _RUNS)
    times = ", ".join(f"{run:%a %Y-%m-%d %H:%M}" for run in runs)
    return ok(f"{expression!r} in {zone}: {in_words(expression)}; next {times}")


def scheduler(context: Context) -> Finding:
    """Whether somebody takes the backups by the schedule."""
    settings, facts = context.settings, context.facts()
    if facts.scheduler.problem is not None:
        raise facts.scheduler.problem
    known = facts.scheduler.value
    state = life.life_of(facts.scheduler, context.now)
    text = life.in_words(facts.scheduler, context.now)
    if known is None or state is life.Life.NEVER:
        return not_set_up(text)
    if state is life.Life.NOT_SEEN:
        return failed(
            text,
            "it was killed or its host is down, and nobody takes the next backup",
            "start it again: pgconsole schedule (in the container: docker start)",
        )
    if state is life.Life.STOPPED:
        return warning(
            text,
            "it was ended, and nobody takes the next backup",
            "start it again: pgconsole schedule; or leave it, if cron runs the backups now",
        )
    if known.pause is not None:
        return warning(text, "no backups are taken meanwhile", "pgconsole resume")
    beat = known.heartbeat
    own = (settings.backup_schedule, str(settings.backup_timezone))
    if beat is not None and (beat.schedule, beat.timezone) != own:
        return warning(
            f"it follows {clean(beat.schedule)!r} in {clean(beat.timezone)}, "
            f"here {own[0]!r} in {own[1]} is set",
            "it was started with other settings",
            "restart it with these settings, or correct BACKUP_SCHEDULE and BACKUP_TIMEZONE here",
        )
    return ok(text)
