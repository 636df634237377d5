"""One line of a log: found in a file, and read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pgconsole.jobs.journal import parse_line
from pgconsole.report import Level
from pgconsole.untrusted import parse_time

LEVELS = (Level.INFO, Level.WARNING, Level.ERROR)
_RANKS = {level.value.encode(): rank for rank, level in enumerate(LEVELS)}

# As `jobs.journal` writes it. A million lines are read several times as fast as by parsing JSON;
# what does not look like this is left to `parse_line`.
_USUAL = re.compile(
    rb'\{"seq":[0-9]+,"time":"(?P<time>[-0-9T:.]{19,26}\+00:00)","phase":"(?P<phase>[^"\\]*)",'
    rb'"message":"(?P<text>[^"\\]*)","level":"(?P<level>info|warning|error)",'
    rb'"bytes_done":(?:[0-9]+|null),"bytes_expected":(?:[0-9]+|null),'
    rb'"table":(?:null|"[^"\\]*")\}'
)


class Key(NamedTuple):
    """The place of a line among all others; smaller ones come first.

    Attributes:
        ms: When, in milliseconds of Unix time. Within a file never less than that of the line
            before it, whatever the clock did: a clock that was set does not shuffle a log.
        segment: The number of its file.
        offset: Its first byte in that file.
    """

    ms: int
    segment: int
    offset: int

    def beside(self, by: int) -> Key:
        """A place next to this line, before (-1) or after it (1), where no line is."""
        return self._replace(offset=self.offset + by)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line as it is shown.

    Attributes:
        key: Its place.
        job: The id of its job; empty for the scheduler's own.
        kind: The job's kind, or `service`.
        time: UTC, as it was written.
        phase: The stage of the operation.
        level: How much attention it wants.
        text: What it says: one line without secrets.
    """

    key: Key
    job: str
    kind: str
    time: datetime
    phase: str
    level: Level
    text: str


class Content(NamedTuple):
    """What a line of a file says."""

    time: datetime
    phase: str
    level: Level
    text: str


def outline(line: bytes) -> tuple[int, int] | None:
    """Milliseconds of Unix time and rank of the level; None if there is nothing to read in it."""
    usual = _USUAL.fullmatch(line)
    if usual is None:
        content = read(line)
        return None if content is None else (_ms(content.time), LEVELS.index(content.level))
    if usual.start("text") == usual.end("text"):
        return None
    try:
        return _ms(parse_time(usual["time"].decode())), _RANKS[usual["level"]]
    except ValueError:
        return None


def read(line: bytes) -> Content | None:
    """What it says; None for what is no line of ours, or one that only tells progress."""
    usual = _USUAL.fullmatch(line)
    try:
        if usual is not None:
            return _content(usual) if usual["text"] else None
        entry = parse_line(line)
        if entry is not None and entry.message:
            return Content(entry.time, entry.phase, entry.level, entry.message)
    except ValueError:
        pass
    return None


def words(line: bytes) -> str:
    """Phase and text of a line that was read before, as filter and search see them."""
    usual = _USUAL.fullmatch(line)
    if usual is not None:
        return f"{usual['phase'].decode(errors='replace')} {usual['text'].decode(errors='replace')}"
    content = read(line)
    return "" if content is None else f"{content.phase} {content.text}"


def _content(usual: re.Match[bytes]) -> Content:
    return Content(
        parse_time(usual["time"].decode()),
        usual["phase"].decode(errors="replace"),
        LEVELS[_RANKS[usual["level"]]],
        usual["text"].decode(errors="replace"),
    )


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)
