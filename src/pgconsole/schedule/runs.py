"""When backups run: from a cron expression to words and times, by the rules of cron.

Summer time, after cron(8) ("Daylight Saving Time and other time changes", cronie and Debian):

- A slot whose local time is left out runs once, right after the gap. Several such slots are one.
- In a repeated stretch a slot runs once, at its first occurrence.
- But where every hour is wanted (`*` in the hour field), it is the clock that counts: an hourly
  backup stays hourly, also in the repeated hour.

A day of the month and a weekday together mean either of both, as in crontab(5).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

# The largest step back of a clock for summer time that cron(8) knows.
_LONGEST_REPEAT = timedelta(hours=3)


def next_runs(expression: str, timezone: ZoneInfo, now: datetime, count: int) -> list[datetime]:
    """The next slots after `now`, in the schedule's time zone, to be shown.

    Compare them in UTC: to Python, a repeated local time equals no time of another zone (PEP 495).

    Args:
        expression: Five cron fields, already validated.
        timezone: The schedule's time zone.
        now: Timezone-aware.
        count: How many slots.
    """
    return [slot.astimezone(timezone) for slot in islice(slots(expression, timezone, now), count)]


def slots_between(
    expression: str, timezone: ZoneInfo, start: datetime, end: datetime
) -> list[datetime]:
    """The slots after `start` up to and including `end`, in UTC.

    Args:
        expression: Five cron fields, already validated.
        timezone: The schedule's time zone.
        start: Timezone-aware.
        end: Timezone-aware.
    """
    end = end.astimezone(UTC)
    return list(takewhile(lambda slot: slot <= end, slots(expression, timezone, start)))


def slots(expression: str, timezone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """All slots after a time, each once and in order, in UTC; without an end.

    Args:
        expression: Five cron fields, already validated.
        timezone: The schedule's time zone.
        after: Timezone-aware.
    """
    from croniter import croniter  # noqa: PLC0415 - 50 ms that only some commands need

    # Seen without a zone, croniter knows nothing of summer time: the rules above are ours.
    begin = after.astimezone(timezone).replace(tzinfo=None) - _LONGEST_REPEAT
    labels = croniter(expression, begin)
    by_the_clock = labels.expanded[1] == ["*"]
    last = after.astimezone(UTC)
    waiting: list[datetime] = []
    while True:
        first, second = _times(labels.get_next(datetime), timezone)
        heapq.heappush(waiting, first)
        if by_the_clock:
            heapq.heappush(waiting, second)
        # Local times ascend, and so do their first occurrences: nothing earlier can follow.
        while waiting and waiting[0] <= first:
            slot = heapq.heappop(waiting)
            if slot > last:
                last = slot
                yield slot


def in_words(expression: str) -> str:
    """The expression in English, e.g. `At 02:00`."""
    from cron_descriptor import (  # noqa: PLC0415 - see above
        ExpressionDescriptor,
        Options,
    )

    options = Options()
    options.use_24hour_time_format = True
    return str(ExpressionDescriptor(expression, options))


def _times(local: datetime, timezone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last time at which it is this local time, UTC.

    For a local time that is left out, both are the moment of the jump.
    """
    first, second = (local.replace(tzinfo=timezone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first, second
    # PEP 495: in a gap, fold 0 reckons with the offset before it, and lands behind the jump.
    jump = _jump(second, first, timezone)
    return jump, jump


def _jump(before: datetime, after: datetime, timezone: ZoneInfo) -> datetime:
    """The second at which the zone's offset changes between two times."""
    old = before.astimezone(timezone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(timezone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
