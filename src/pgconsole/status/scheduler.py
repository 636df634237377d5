"""Whether anybody will take the next backup, as far as the scheduler's files tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pgconsole.cron_fields import check_schedule
from pgconsole.schedule.state import Heartbeat
from pgconsole.settings import Settings
from pgconsole.status.facts import Answered, Scheduler
from pgconsole.status.words import ago, clean, span

_ALIVE_FOR = timedelta(minutes=3)  # the scheduler gives a sign of life every minute or sooner


class Life(StrEnum):
    """What is known of the scheduler."""

    ALIVE = "alive"
    STOPPED = "stopped"  # ended in an orderly way
    NOT_SEEN = "not seen"  # it was there, and went without a word
    NEVER = "never seen"  # cron may run the backups
    UNKNOWN = "unknown"


def is_alive(heartbeat: Heartbeat, now: datetime) -> bool:
    """Whether the scheduler was seen a moment ago and did not say good-bye.

    A sign of life from the future says nothing about the present.
    """
    return not heartbeat.stopped and abs(now - heartbeat.at) <= _ALIVE_FOR


def followed(
    settings: Settings, heartbeat: Heartbeat | None, now: datetime
) -> tuple[str, ZoneInfo]:
    """The living scheduler's schedule with its time zone, else the one that is set here."""
    if heartbeat is not None and is_alive(heartbeat, now):
        try:
            return check_schedule(heartbeat.schedule), ZoneInfo(heartbeat.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # of another version, or damaged
    return settings.backup_schedule, settings.backup_timezone


def life_of(scheduler: Answered[Scheduler], now: datetime) -> Life:
    """What is known of the scheduler."""
    if scheduler.value is None or scheduler.problem is not None:
        return Life.UNKNOWN
    beat = scheduler.value.heartbeat
    if beat is None:
        return Life.NEVER
    if beat.stopped:
        return Life.STOPPED
    return Life.ALIVE if is_alive(beat, now) else Life.NOT_SEEN


def in_words(scheduler: Answered[Scheduler], now: datetime) -> str:
    """The same in a sentence, with the pause that is in force."""
    if scheduler.value is None:
        why = scheduler.problem
        return f"unknown: {clean(why.problem)}" if why else "not read yet"
    beat, pause = scheduler.value.heartbeat, scheduler.value.pause
    if beat is None:
        text = "never seen; cron may run the backups"
    elif beat.stopped:
        text = f"stopped {ago(beat.at, now)} on {clean(beat.host)}"
    elif is_alive(beat, now):
        text = f"alive on {clean(beat.host)}, running for {span(now - beat.started_at)}"
    elif beat.at > now:
        text = (
            f"last seen {span(beat.at - now)} in the future, on {clean(beat.host)}: see the clocks"
        )
    else:
        text = f"not seen for {span(now - beat.at)} on {clean(beat.host)}"
    return f"{text}; {clean(pause.in_words())}" if pause is not None else text
