"""When a class's next backup should have been there, compared with counting all slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pgconsole.dumps.naming import BackupClass, classes_of
from pgconsole.schedule.runs import slots_between
from pgconsole.status.promises import first_due

ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "America/Havana"]
SCHEDULES = ["0 2 * * *", "30 */6 * * *", "15 1 * * 1-5", "0 23 28-31 * *", "30 2 * * 0"]
YEAR = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))


@settings(max_examples=60, deadline=None)
@given(
    schedule=st.sampled_from(SCHEDULES),
    zone=st.sampled_from(ZONES),
    backup_class=st.sampled_from(list(BackupClass)),
    since=YEAR,
    days=st.integers(0, 70),
)
def test_first_due_is_the_first_slot_of_the_class(
    schedule: str, zone: str, backup_class: BackupClass, since: datetime, days: int
) -> None:
    timezone = ZoneInfo(zone)
    begin = since.replace(tzinfo=UTC)
    now = begin + timedelta(days=days)
    wanted = (
        slot
        for slot in slots_between(schedule, timezone, begin, now)
        if backup_class in classes_of(slot, timezone)
    )
    assert first_due(schedule, timezone, backup_class, begin, now) == next(wanted, None)


def test_a_schedule_without_sundays_promises_no_weekly_backup() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    now = begin + timedelta(days=300)
    assert first_due("0 0 * * 1-5", ZoneInfo("UTC"), BackupClass.WEEKLY, begin, now) is None
