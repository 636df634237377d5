"""What the schedule promises: when a class's next backup should have been there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pgconsole.dumps.naming import BackupClass, classes_of
from pgconsole.schedule import next_runs

GRACE = timedelta(hours=1)  # a run that is due may take a while before it is called missing
_MOMENT = timedelta(seconds=1)


def first_due(
    schedule: str, timezone: ZoneInfo, backup_class: BackupClass, since: datetime, now: datetime
) -> datetime | None:
    """The first slot after `since` whose backup belongs to a class, UTC; None if not before `now`.

    Args:
        schedule: Five cron fields.
        timezone: The schedule's time zone; it decides which day is a Sunday or a 1st.
        backup_class: Whose promise.
        since: The slot of the last backup of this class; timezone-aware.
        now: Timezone-aware.
    """
    for start in _starts(timezone, backup_class, since, now):
        slot = next_runs(schedule, timezone, start, 1)[0]
        if slot > now:
            return None
        if backup_class in classes_of(slot, timezone):
            return slot.astimezone(UTC)
    return None


def _starts(
    timezone: ZoneInfo, backup_class: BackupClass, since: datetime, now: datetime
) -> Iterator[datetime]:
    """After which moments to look: `since` itself, then just before each day of the class.

    A schedule of every minute has 44,640 slots a month; this looks at one a day at most.
    """
    yield since
    day = since.astimezone(timezone).date()
    while backup_class is not BackupClass.DAILY:
        day += timedelta(days=1)
        midnight = datetime.combine(day, time(), timezone)
        if midnight > now:
            return
        if backup_class in classes_of(midnight, timezone):
            yield midnight.astimezone(UTC) - _MOMENT
