"""How the console writes sizes, times and text that comes from outside."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.cells import cell_len, chop_cells

from pgconsole.status.words import ago, clean, counted, short_span, size, span

__all__ = [
    "ago",
    "clean",
    "clipped",
    "counted",
    "short_ago",
    "short_span",
    "size",
    "span",
    "stamp",
    "until",
    "wrapped",
    "zone_name",
]


def short_ago(moment: datetime, now: datetime) -> str:
    """The same in one unit, rounded down."""
    age = now - moment
    return f"{short_span(age)} ago" if age >= timedelta(seconds=1) else ago(moment, now)


def until(moment: datetime, now: datetime) -> str:
    """How long from now: `in 3 h 20 min`, `now`."""
    return f"in {span(moment - now)}" if moment > now else "now"


def stamp(moment: datetime, zone: ZoneInfo) -> str:
    """Date and time to the minute in a zone: `2026-02-25 02:00`."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def zone_name(zone: ZoneInfo, moment: datetime) -> str:
    """What the zone calls itself at that moment: `UTC`, `CET`."""
    return moment.astimezone(zone).tzname() or str(zone)


def clipped(text: str, width: int) -> str:
    """The text in at most so many characters, cut in the middle: both ends of a name tell."""
    if len(text) <= width:
        return text
    keep = max(0, width - 1)
    head = (keep + 1) // 2
    return f"{text[:head]}…{text[len(text) - (keep - head) :]}" if keep > 1 else text[:width]


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many cells, cut at spaces; words that are longer are cut too."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, width) or [""]
        lines += full
    return [*lines, line]
