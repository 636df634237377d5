"""What the log pane asks, and what it is answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pgconsole.errors import PgconsoleError
from pgconsole.logs.lines import Key, LogLine
from pgconsole.logs.query import ALL, Query


@dataclass(frozen=True, slots=True)
class Find:
    """Look for a line.

    Attributes:
        number: Of this search.
        pattern: What is in it.
        after: The place after which to look, or before which, around the end; None: beginning
            with the first, or with the last.
        back: Towards older lines.
    """

    number: int
    pattern: re.Pattern[str]
    after: Key | None
    back: bool


@dataclass(frozen=True, slots=True)
class Save:
    """Write all wanted lines into a file.

    Attributes:
        number: Of this order.
        path: The file.
    """

    number: int
    path: Path


@dataclass(frozen=True, slots=True)
class Copy:
    """Hand over the text of some wanted lines.

    Attributes:
        number: Of this order.
        first: The place of the first of them.
        last: The place of the last.
    """

    number: int
    first: Key
    last: Key


@dataclass(frozen=True, slots=True)
class Request:
    """What the pane wants to show.

    Attributes:
        query: Which lines.
        top: The place of the first line on the screen; None: the end.
        number: Its number, where no such place is known: after a jump.
        last: The place of the last line that was there when it was paused.
        order: What is to be done besides.
    """

    query: Query = ALL
    top: Key | None = None
    number: int | None = None
    last: Key | None = None
    order: Find | Save | Copy | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Where a search ended.

    Attributes:
        order: The search.
        key: The place of the line; None: there is none.
        around: It was found beyond the end.
    """

    order: Find
    key: Key | None
    around: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """How saving went.

    Attributes:
        order: The order.
        lines: How many were written.
        problem: Why none were.
    """

    order: Save
    lines: int = 0
    problem: PgconsoleError | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """The text that was asked for.

    Attributes:
        order: The order.
        count: How many lines it would be.
        text: Of all of them; empty if they are too many.
    """

    order: Copy
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be shown.

    Attributes:
        request: The request that this is the answer to.
        generation: Of the lines' numbers.
        total: Lines that are known.
        count: Lines that are wanted.
        first: The number of the first of `lines`.
        lines: Some of them, around the one that was asked for.
        top: The number that the request's top has now; None: it asked for the end.
        news: Lines after the request's last.
        unread: Bytes of the files that were not read yet.
        unseen: Lines of which it is not known yet whether they are wanted.
        unreadable: Why some logs can't be read, a sentence each; at most three.
        done: What became of the order.
    """

    request: Request = field(default_factory=Request)
    generation: int = 0
    total: int = 0
    count: int = 0
    first: int = 0
    lines: tuple[LogLine, ...] = ()
    top: int | None = None
    news: int = 0
    unread: int = 0
    unseen: int = 0
    unreadable: tuple[str, ...] = ()
    done: Found | Saved | Copied | None = None
