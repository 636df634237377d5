"""How often the console paints and reads what changes all the time."""

from __future__ import annotations

from datetime import datetime

from pgconsole.settings import Settings

_SLOWER = 10  # times, on a slow link; and the step of its clock, in seconds


def paced(seconds: float, settings: Settings) -> float:
    """Seconds between two times: as many, or ten times as many on a slow link.

    Args:
        seconds: What is usual.
        settings: Say whether the link is slow.
    """
    return seconds * _SLOWER if settings.low_bandwidth else seconds


def drawn_at(now: datetime, settings: Settings) -> datetime:
    """The time that ages and durations on the screen are of.

    On a slow link it goes in steps of ten seconds, so that no text changes by the second, whoever
    draws it how often. It is behind then, never ahead: nobody is said not to answer who was asked
    just now.

    Args:
        now: The time.
        settings: Say whether the link is slow.
    """
    if not settings.low_bandwidth:
        return now
    return now.replace(second=now.second // _SLOWER * _SLOWER, microsecond=0)
