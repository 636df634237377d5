"""How sizes, times and text that comes from outside are written, in the console and headless."""

from __future__ import annotations

from datetime import datetime, timedelta

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

MINUTE, HOUR, DAY = 60, 3600, 86400
_HOURS_UNTIL = 48 * HOUR  # two days are read best in hours: backups are daily


def size(count: float) -> str:
    """Bytes in binary units: `0 B`, `17.2 MiB`."""
    if abs(count) < 1023.95:
        return f"{count:.0f} B"
    power = 0
    while abs(count) >= 1023.95 and power < len(_UNITS):  # 1023.96 would be written 1024.0
        count /= 1024
        power += 1
    return f"{count:.1f} {_UNITS[power - 1]}"


def span(length: timedelta) -> str:
    """A length of time in at most two units: `12 s`, `3 min 20 s`, `26 h`, `9 d`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return _two(seconds, MINUTE, "min", 1, "s") if seconds < 10 * MINUTE else _one(seconds)
    if seconds < 10 * HOUR:
        return _two(seconds, HOUR, "h", MINUTE, "min")
    return _one(seconds)


def short_span(length: timedelta) -> str:
    """A length of time in one unit, rounded down: `12 s`, `3 min`, `26 h`, `9 d`."""
    return _one(max(0, int(length.total_seconds())))


def brief(length: timedelta) -> str:
    """A length of time in one unit, as short as it can be said: `12 s`, `12 m`, `31 h`, `9 d`."""
    return _one(max(0, int(length.total_seconds()))).replace("min", "m")


def precise(length: timedelta) -> str:
    """A length of time to the minute: `4 m`, `2 h 04 m`, `3 d 2 h`."""
    minutes = max(0, int(length.total_seconds())) // MINUTE
    hours, minute = divmod(minutes, 60)
    if hours >= _HOURS_UNTIL // HOUR:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minute:02} m" if hours else brief(length)


def ago(moment: datetime, now: datetime) -> str:
    """How long ago; a moment ahead of this host's clock is said to be so."""
    if moment - now > timedelta(minutes=1):
        return f"{span(moment - now)} ahead of this clock"
    return "just now" if now - moment < timedelta(seconds=1) else f"{span(now - moment)} ago"


def clean(text: str) -> str:
    """Text from outside on one line, without anything a terminal would obey."""
    if text.isprintable():
        return text
    spaced = " ".join(text.split())
    return "".join(char if char.isprintable() else _REPLACEMENT for char in spaced)


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 backup`, `2 backups`, `12,345 backups`; `2 copies`, if that is given."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or f'{noun}s'}"


def _one(seconds: int) -> str:
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < _HOURS_UNTIL:
        return f"{seconds // HOUR} h"
    return f"{seconds // DAY} d"


def _two(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    first, rest = divmod(seconds, large)
    second = rest // small
    return f"{first} {large_unit} {second} {small_unit}" if second else f"{first} {large_unit}"
