"""A past for the demo: real backups of a database that grew, under the names of past days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pgconsole.dumps.naming import SUNDAY

_HOUR = 2  # the guide's schedule: `0 2 * * *`, UTC


def past_slots(now: datetime) -> list[datetime]:
    """The slots whose backups the demo takes, oldest first: three to five.

    They are the last three days' and the last Sunday's and 1st's, so that each class has one.

    Args:
        now: Timezone-aware.
    """
    today = now.astimezone(UTC).replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    last = today if today <= now else today - timedelta(days=1)
    days = [last - timedelta(days=age) for age in range(31)]
    sunday = next(day for day in days if day.isoweekday() == SUNDAY)
    first = next(day for day in days if day.day == 1)
    return sorted({*days[:3], sunday, first})
