"""When a pause is to end, as it was typed into the dialog."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pgconsole.errors import ConfigurationError
from pgconsole.schedule.ends import parse_end

EXAMPLE = "2h, 1d12h or 2026-03-01 06:00"


def end_of(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment that is meant; None for an empty text: no end.

    Args:
        text: What was typed.
        now: Timezone-aware.
        zone: The time zone that times are meant in.

    Raises:
        ConfigurationError: It can't be read, or is past.
    """
    if not text.strip():
        return None
    end = parse_end(text, now, zone)
    if end <= now:
        raise ConfigurationError(
            f"{end.astimezone(zone):%Y-%m-%d %H:%M} is past",
            cause=f"it is {now.astimezone(zone):%H:%M}",
            fix="Give a later one",
        )
    return end
