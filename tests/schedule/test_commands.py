"""When a pause ends, as an operator types it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pgconsole.errors import ConfigurationError
from pgconsole.schedule.ends import parse_end

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("90m", timedelta(minutes=90)),
        ("3h", timedelta(hours=3)),
        ("2D", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        (" 1d12h30m ", timedelta(days=1, hours=12, minutes=30)),
        ("2026-12-01T06:00", datetime(2026, 12, 1, 5, tzinfo=UTC) - NOW),
        ("2026-12-01 06:00:30", datetime(2026, 12, 1, 5, 0, 30, tzinfo=UTC) - NOW),
        ("2026-12-01", datetime(2026, 11, 30, 23, tzinfo=UTC) - NOW),
        ("2026-12-01T06:00Z", datetime(2026, 12, 1, 6, tzinfo=UTC) - NOW),
        ("2026-12-01T06:00-05:00", datetime(2026, 12, 1, 11, tzinfo=UTC) - NOW),
    ],
)
def test_a_time_or_a_duration(text, after):
    assert parse_end(text, NOW, BERLIN) == NOW + after


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "3", "3 h", "h", "-3h", "3h later", "2026-13-01", "06:00",
             "99999999999w", "9999-12-31T23:59-23:00", "٣h"]
)  # fmt: skip
def test_anything_else_is_shown(text):
    with pytest.raises(ConfigurationError) as caught:
        parse_end(text, NOW, BERLIN)
    assert f"{text!r} is no end for a pause" in str(caught.value)
    assert "2026-12-01T06:00" in str(caught.value)
