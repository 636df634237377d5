"""When backups run: from a cron expression to words and times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def next_runs(expression: str, timezone: ZoneInfo, now: datetime, count: int) -> list[datetime]:
    """The next slots after `now`, in the schedule's time zone.

    Args:
        expression: Five cron fields, already validated.
        timezone: The schedule's time zone.
        now: Timezone-aware.
        count: How many slots.
    """
    from croniter import croniter  # noqa: PLC0415 - 50 ms that only some commands need

    slots = croniter(expression, now.astimezone(timezone))
    return [slots.get_next(datetime) for _ in range(count)]


def in_words(expression: str) -> str:
    """The expression in English, e.g. `At 02:00`."""
    from cron_descriptor import (  # noqa: PLC0415 - see above
        ExpressionDescriptor,
        Options,
    )

    options = Options()
    options.use_24hour_time_format = True
    return str(ExpressionDescriptor(expression, options))
