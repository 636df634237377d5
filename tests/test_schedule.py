"""Cron expressions in words and times."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pgconsole.schedule import in_words, next_runs


def test_next_runs_are_in_the_schedules_time_zone():
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    first, second = next_runs("0 2 * * *", ZoneInfo("America/New_York"), now, 2)
    assert first.isoformat() == "2026-11-23T02:00:00-05:00"
    assert second.isoformat() == "2026-11-24T02:00:00-05:00"


def test_the_guides_examples_in_words():
    assert in_words("0 2 * * *") == "At 02:00"
    assert in_words("0 */6 * * *") == "Every 6 hours"
    assert in_words("0 * * * *") == "Every hour"
    assert "Monday through Friday" in in_words("0 0 * * 1-5")
