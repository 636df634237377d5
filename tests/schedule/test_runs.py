"""Cron expressions in words and times; what summer time does to them, by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pgconsole.errors import ConfigurationError
from pgconsole.schedule import in_words, next_runs, slots_between
from pgconsole.settings import load_settings

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
LORD_HOWE, APIA, SAO_PAULO = "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"


def test_next_runs_are_in_the_schedules_time_zone():
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    first, second = next_runs("0 2 * * *", ZoneInfo(NEW_YORK), now, 2)
    assert first.isoformat() == "2026-11-23T02:00:00-05:00"
    assert second.isoformat() == "2026-11-24T02:00:00-05:00"


def test_the_guides_examples_in_words():
    assert in_words("0 2 * * *") == "At 02:00"
    assert in_words("0 */6 * * *") == "Every 6 hours"
    assert in_words("0 * * * *") == "Every hour"
    assert "Monday through Friday" in in_words("0 0 * * 1-5")


# Each: expression, zone, the day, and every slot of that day with its offset from UTC.
CLOCKS_GO_FORWARD = [
    # 02:00 becomes 03:00.
    ("30 2 * * *", NEW_YORK, "2026-03-08", ["03:00-04:00"]),
    ("0 2 * * *", NEW_YORK, "2026-03-08", ["03:00-04:00"]),
    ("0 3 * * *", NEW_YORK, "2026-03-08", ["03:00-04:00"]),
    ("0 2,3 * * *", NEW_YORK, "2026-03-08", ["03:00-04:00"]),
    ("30 1,2,3 * * *", NEW_YORK, "2026-03-08", ["01:30-05:00", "03:00-04:00", "03:30-04:00"]),
    ("*/20 2 * * *", NEW_YORK, "2026-03-08", ["03:00-04:00"]),
    ("30 1 * * *", NEW_YORK, "2026-03-08", ["01:30-05:00"]),
    ("0 0-4 * * *", NEW_YORK, "2026-03-08",
     ["00:00-05:00", "01:00-05:00", "03:00-04:00", "04:00-04:00"]),
    ("30 2 * * *", BERLIN, "2026-03-29", ["03:00+02:00"]),
    # 02:00 becomes 02:30.
    ("15 2 * * *", LORD_HOWE, "2026-10-04", ["02:30+11:00"]),
    ("0,15,45 2 * * *", LORD_HOWE, "2026-10-04", ["02:30+11:00", "02:45+11:00"]),
    # 00:00 becomes 01:00: the day begins an hour late.
    ("0 0 * * *", SAO_PAULO, "2018-11-04", ["01:00-02:00"]),
    ("0 */6 * * *", SAO_PAULO, "2018-11-04",
     ["01:00-02:00", "06:00-02:00", "12:00-02:00", "18:00-02:00"]),
    # There was no 30 December 2011.
    ("0 2 * * *", APIA, "2011-12-31", ["00:00+14:00", "02:00+14:00"]),
]  # fmt: skip

CLOCKS_GO_BACK = [
    # 02:00 becomes 01:00.
    ("30 1 * * *", NEW_YORK, "2026-11-01", ["01:30-04:00"]),
    ("0 1 * * *", NEW_YORK, "2026-11-01", ["01:00-04:00"]),
    ("0 2 * * *", NEW_YORK, "2026-11-01", ["02:00-05:00"]),
    ("*/30 1 * * *", NEW_YORK, "2026-11-01", ["01:00-04:00", "01:30-04:00"]),
    ("0 0-3 * * *", NEW_YORK, "2026-11-01",
     ["00:00-04:00", "01:00-04:00", "02:00-05:00", "03:00-05:00"]),
    ("30 2 * * *", BERLIN, "2026-10-25", ["02:30+02:00"]),
    # 02:00 becomes 01:30.
    ("45 1 * * *", LORD_HOWE, "2026-04-05", ["01:45+11:00"]),
    ("15 1 * * *", LORD_HOWE, "2026-04-05", ["01:15+11:00"]),
    # 00:00 becomes 23:00 of the day before.
    ("30 23 * * *", SAO_PAULO, "2018-02-17", ["23:30-02:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "zone", "day", "expected"), CLOCKS_GO_FORWARD)
def test_a_slot_in_the_gap_runs_once_right_after_it(expression, zone, day, expected):
    assert _of_day(expression, zone, day) == expected


@pytest.mark.parametrize(("expression", "zone", "day", "expected"), CLOCKS_GO_BACK)
def test_a_repeated_hour_runs_once(expression, zone, day, expected):
    assert _of_day(expression, zone, day) == expected


def test_an_hourly_backup_stays_hourly():
    """cron(8): jobs that run more frequently than hourly, or so, are scheduled normally."""
    back = _of_day("0 * * * *", NEW_YORK, "2026-11-01")
    assert len(back) == 25
    assert back[:4] == ["00:00-04:00", "01:00-04:00", "01:00-05:00", "02:00-05:00"]
    forward = _of_day("0 * * * *", NEW_YORK, "2026-03-08")
    assert len(forward) == 23
    assert forward[:3] == ["00:00-05:00", "01:00-05:00", "03:00-04:00"]
    half_hours = _of_day("*/30 * * * *", NEW_YORK, "2026-11-01")[:7]
    assert half_hours[2:] == [
        "01:00-04:00", "01:30-04:00", "01:00-05:00", "01:30-05:00", "02:00-05:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (NEW_YORK, "2026-03-08"), (NEW_YORK, "2026-11-01"),
        (BERLIN, "2026-03-29"), (BERLIN, "2026-10-25"),
        (LORD_HOWE, "2026-04-05"), (LORD_HOWE, "2026-10-04"),
        ("Africa/Casablanca", "2026-02-15"), ("Africa/Casablanca", "2026-03-22"),
        (APIA, "2011-12-30"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("expression", ["*/20 * * * *", "30 */2 * * *", "30 0-3 * * *"])
def test_it_does_not_matter_where_one_begins(expression, zone, day):
    """Also in the middle of a repeated hour: a scheduler can start at any time."""
    timezone = ZoneInfo(zone)
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    all_of_them = slots_between(
        expression, timezone, noon - timedelta(days=2), noon + timedelta(days=2)
    )
    assert all_of_them == sorted(set(all_of_them))
    for number, slot in enumerate(all_of_them[1:]):
        for start in (all_of_them[number], slot - timedelta(seconds=1)):
            [found] = next_runs(expression, timezone, start, 1)
            assert found.astimezone(UTC) == slot


def test_both_ends_of_a_span():
    start = datetime(2026, 1, 1, 2, tzinfo=UTC)
    end = datetime(2026, 1, 3, 2, tzinfo=UTC)
    found = slots_between("0 2 * * *", ZoneInfo("UTC"), start, end)
    assert found == [datetime(2026, 1, 2, 2, tzinfo=UTC), end]


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 1 JAN,jul *", ["01-01", "07-01"]),
        ("0 0 29 2 *", []),  # 2026 has none, but it does run
        ("0 0 1-2 1 *", ["01-01", "01-02"]),
        ("0 0 * dec 7", ["12-06", "12-13", "12-20", "12-27"]),
        ("0 0 * dec 0", ["12-06", "12-13", "12-20", "12-27"]),
        ("0 0 * dec SAT-SUN", ["12-05", "12-06", "12-12", "12-13", "12-19", "12-20", "12-26",
                               "12-27"]),
        ("0 0 31 * *", ["01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31"]),
        ("0 0 13 12 fri", ["12-04", "12-11", "12-13", "12-18", "12-25"]),  # either of both
        ("0 0 */10 feb *", ["02-01", "02-11", "02-21"]),
        ("0 0 1-31/15 2 *", ["02-01", "02-16"]),
    ],
)  # fmt: skip
def test_days(expression, days, monkeypatch):
    monkeypatch.setenv("BACKUP_SCHEDULE", expression)
    start = datetime(2025, 12, 31, 12, tzinfo=UTC)
    end = datetime(2026, 12, 31, 12, tzinfo=UTC)
    settings = load_settings()
    found = slots_between(settings.backup_schedule, settings.backup_timezone, start, end)
    assert [f"{slot:%m-%d}" for slot in found] == days


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("@daily", "five fields (minute hour day month weekday), this has 1"),
        ("0 0 2 * * *", "this has 6"),
        ("0 2 * *", "this has 4"),
        ("60 * * * *", "field 1 (minute) is '60'"),
        ("5/15 * * * *", "field 1 (minute) is '5/15'"),
        ("*/0 * * * *", "field 1 (minute) is '*/0'"),
        ("R * * * *", "field 1 (minute) is 'R'"),
        ("-5 * * * *", "field 1 (minute) is '-5'"),
        ("0,,5 * * * *", "field 1 (minute) is '0,,5'"),
        ("٣ * * * *", "field 1 (minute) is '٣'"),
        ("0 24 * * *", "field 2 (hour) is '24'"),
        ("0 2h * * *", "field 2 (hour) is '2h'"),
        ("0 0 L * *", "field 3 (day of the month) is 'L'"),
        ("0 0 ? * *", "field 3 (day of the month) is '?'"),
        ("0 0 0 * *", "field 3 (day of the month) is '0'"),
        ("0 0 15W * *", "field 3 (day of the month) is '15W'"),
        ("0 0 * 13 *", "field 4 (month) is '13'"),
        ("0 0 * mon *", "field 4 (month) is 'mon'"),
        ("0 0 * * 1#2", "field 5 (day of the week) is '1#2'"),
        ("0 0 * * L5", "field 5 (day of the week) is 'L5'"),
        ("0 0 * * 8", "field 5 (day of the week) is '8'"),
        ("0 0 31 2 *", "never run: field 4 (month) is '2', where field 3 (day of the month), '31'"),
        ("0 0 31 4,6,sep,11 *", "never run"),
    ],
)
def test_what_is_no_cron_expression_is_shown_by_field(expression, says, monkeypatch):
    monkeypatch.setenv("BACKUP_SCHEDULE", expression)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert says in str(caught.value)
    assert repr(expression) in str(caught.value)


def _of_day(expression: str, zone: str, day: str) -> list[str]:
    timezone = ZoneInfo(zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=timezone).astimezone(UTC)
    days = timedelta(days=2)
    slots = slots_between(expression, timezone, noon - days, noon + days)
    times = [slot.astimezone(timezone).isoformat() for slot in slots]
    return [time.removeprefix(f"{day}T").replace(":00-", "-").replace(":00+", "+")
            for time in times if time.startswith(day)]  # fmt: skip
