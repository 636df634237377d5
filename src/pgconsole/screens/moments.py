"""When something is to end, in the words of whoever types it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pgconsole.errors import ConfigurationError

_LENGTH = re.compile(r"(?P<count>\d{1,4})\s*(?P<unit>min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
EXAMPLE = "2 h, 18:30 or 2026-03-01 06:00"


def end_of(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment that is meant; None for an empty text: no end.

    Args:
        text: A length from now, a time of the day (the next one), or a date and a time.
        now: Timezone-aware.
        zone: The time zone that times are meant in.

    Raises:
        ConfigurationError: It is none of these, or past.
    """
    text = text.strip()
    if not text:
        return None
    end = _moment(text, now.astimezone(zone))
    if end is None:
        raise ConfigurationError(
            f"“{text}” is no end", cause="it can't be read", fix=f"Right ones: {EXAMPLE}"
        )
    if end <= now:
        raise ConfigurationError(
            f"{end:%Y-%m-%d %H:%M} is past", cause=f"it is {now:%H:%M}", fix="Give a later one"
        )
    return end


def _moment(text: str, now: datetime) -> datetime | None:
    if match := _LENGTH.fullmatch(text):
        return now + int(match["count"]) * _UNITS[match["unit"]]
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", text):
            clock = datetime.strptime(text, "%H:%M").time()
            today = datetime.combine(now.date(), clock, now.tzinfo)
            return (
                today
                if today > now
                else datetime.combine(now.date() + timedelta(days=1), clock, now.tzinfo)
            )
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=now.tzinfo)
    except ValueError:
        return None
