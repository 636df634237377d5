"""Which lines are wanted: words or an expression, a job, a level, a window of time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pgconsole.errors import ConfigurationError
from pgconsole.report import Level

_PART = re.compile(r"([0-9]+)([wdhms])")
_DURATION = re.compile(r"(?:[0-9]+[wdhms])+")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_BETWEEN = ".."

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of time.

    Attributes:
        since: Its beginning; None: from the first line on.
        until: Its end, not in it; None: up to now and later.
    """

    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.since is not None or self.until is not None


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted of a log.

    Attributes:
        filter: An expression; `!` before it inverts; empty: all.
        job: Only this job's lines; empty: all jobs' and the scheduler's.
        level: And nothing that wants less attention.
        window: And nothing outside of it.
    """

    filter: str = ""
    job: str = ""
    level: Level = Level.INFO
    window: Window = ALWAYS


ALL = Query()


def expression(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile what somebody typed.

    Raises:
        re.error: It can't be, for whatever reason: too many repeats, or parts in parts, count.
    """
    try:
        return re.compile(text, flags)
    except (OverflowError, RecursionError) as error:
        raise re.error(str(error)) from error


def pattern_of(text: str) -> re.Pattern[str]:
    """An expression; without capital letters it matches them as well.

    Raises:
        ConfigurationError: It is none.
    """
    try:
        return expression(text, re.IGNORECASE if text == text.lower() else 0)
    except re.error as error:
        raise ConfigurationError(
            f"{text!r} is no expression",
            cause=str(error),
            fix="write \\ before a character that is meant as it is, e.g. \\[",
        ) from error


def test_of(text: str) -> Test | None:
    """What decides whether a line passes a filter; None: all do.

    Raises:
        ConfigurationError: It is no expression.
    """
    inverted = text.startswith("!")
    expression = text.removeprefix("!")
    if not expression:
        return None
    search = pattern_of(expression).search
    if inverted:
        return lambda line: search(line) is None
    return lambda line: search(line) is not None


def window_of(text: str, now: datetime, zone: ZoneInfo) -> Window:
    """A window of time as an operator types it.

    `15m`, `2h`, `1d12h`: so long ago until now. `02:00`, `2026-02-25`, `2026-02-25 02:00`: since
    then; a time of day is the last one. `02:00..03:30`: from one to the other. Empty: always.

    Args:
        text: What was typed.
        now: Timezone-aware.
        zone: Of what has no offset.

    Raises:
        ConfigurationError: It is none of these.
    """
    text = text.strip()
    if not text:
        return ALWAYS
    try:
        begin, between, end = text.partition(_BETWEEN)
        since = _moment(begin, now, zone, now) if begin.strip() else None
        until = _moment(end, now, zone, since or now) if end.strip() else None
        if between and since is None and until is None:
            raise ValueError("neither a beginning nor an end")
        if since is not None and until is not None and until <= since:
            raise ValueError("it ends before it begins")
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{text!r} is no window of time",
            cause=str(error),
            fix="give 15m, 2h, 02:00, 2026-02-25 02:00, or two of them with .. between",
        ) from error
    return Window(since, until)


def _moment(text: str, now: datetime, zone: ZoneInfo, near: datetime) -> datetime:
    """A moment in UTC. Of a time of day: the last one, or the first after a given beginning."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        parts = ((_UNITS[unit], int(number)) for number, unit in _PART.findall(text))
        return now.astimezone(UTC) - sum((timedelta(**{u: n}) for u, n in parts), timedelta())
    if _CLOCK.fullmatch(text):
        of_day = time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text.zfill(8))
        day = near.astimezone(zone).date()
        found = datetime.combine(day, of_day, zone)
        if near is now and found > now:
            found = datetime.combine(day - timedelta(days=1), of_day, zone)
        elif near is not now and found <= near:
            found = datetime.combine(day + timedelta(days=1), of_day, zone)
        return found.astimezone(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a length of time nor a moment") from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
