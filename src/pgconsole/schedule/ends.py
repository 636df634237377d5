"""When a pause ends, in the words of whoever types it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pgconsole.errors import ConfigurationError

_PART = re.compile(r"([0-9]+)([wdhm])", re.IGNORECASE)
_DURATION = re.compile(r"(?:[0-9]+[wdhm])+", re.IGNORECASE)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


def parse_end(text: str, now: datetime, timezone: ZoneInfo) -> datetime:
    """When a pause ends: a duration from now, or a time.

    Args:
        text: What the operator typed.
        now: Timezone-aware.
        timezone: Of a time without an offset.

    Raises:
        ConfigurationError: It is neither.
    """
    text = text.strip()
    try:
        if _DURATION.fullmatch(text):
            parts = ((_UNITS[unit.lower()], int(number)) for number, unit in _PART.findall(text))
            return now + sum((timedelta(**{unit: number}) for unit, number in parts), timedelta())
        end = datetime.fromisoformat(text)
        return (end if end.tzinfo else end.replace(tzinfo=timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{text!r} is no end for a pause",
            cause="that is neither a time nor a duration",
            fix="give a time like 2026-12-01T06:00 or a duration like 3h, 90m, 2d, 1d12h",
        ) from error
