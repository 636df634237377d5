"""Moments in the operator's time zone, as far as they have one. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pgconsole.postgres.rows_now import Newest

_MINUTES = len("2026-02-25 02:00")


def moment(at: datetime, zone: ZoneInfo) -> str:
    """To the minute, with the name of the zone: `2026-02-25 02:00 UTC`."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} {local.tzname() or zone}"


def newest_text(newest: Newest, zone: ZoneInfo) -> str:
    """When the newest row of a table was written, to the minute.

    A time without a zone is left as it is: nobody knows which zone was meant.
    """
    if newest.zoned:
        try:
            local = datetime.fromisoformat(newest.at).astimezone(zone)
            return local.isoformat(" ", "minutes")[:_MINUTES]
        except (ValueError, OverflowError):
            return newest.at  # years that Python does not know
    return newest.at[:_MINUTES] if newest.at[:4].isdigit() else newest.at
