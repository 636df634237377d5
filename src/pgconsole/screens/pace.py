"""How often the console paints and reads what changes all the time."""

from __future__ import annotations

from pgconsole.settings import Settings

_SLOWER = 10  # times, on a slow link


def paced(seconds: float, settings: Settings) -> float:
    """Seconds between two times: as many, or ten times as many on a slow link.

    Args:
        seconds: What is usual.
        settings: Say whether the link is slow.
    """
    return seconds * _SLOWER if settings.low_bandwidth else seconds
