"""Answers what the log pane asks, in a thread of its own: no file is read in the console's."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from pgconsole.errors import PgconsoleError
from pgconsole.logs.book import LogBook
from pgconsole.logs.lines import Key, LogLine
from pgconsole.logs.query import ALL, Query
from pgconsole.logs.save import save_lines

WINDOW = 600  # lines that are handed over at a time: far more than any screen shows
_BEFORE = 250  # of these before the line that was asked for
_WORK = 0.1  # seconds between two answers while there is something to be worked out
_LOOK_UP = 500  # lines between two looks whether something else is wanted by now


@dataclass(frozen=True, slots=True)
class Find:
    """Look for a line.

    Attributes:
        number: Of this search.
        pattern: What is in it.
        after: The place after which to look, or before which, around the end; None: the first.
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
class Request:
    """What the pane wants to show.

    Attributes:
        query: Which lines.
        top: The place of the first line on the screen; None: the end.
        number: Its number, where no such place is known: after a jump.
        last: The place of the last line that was there when it was paused.
        find: A search.
        save: An order to save.
    """

    query: Query = ALL
    top: Key | None = None
    number: int | None = None
    last: Key | None = None
    find: Find | None = None
    save: Save | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Where a search ended.

    Attributes:
        number: Of the search.
        at: The number of the line; None: there is none.
        key: Its place.
    """

    number: int
    at: int | None
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """How saving went.

    Attributes:
        number: Of the order.
        path: The file.
        lines: How many were written.
        problem: Why none were.
    """

    number: int
    path: Path
    lines: int = 0
    problem: PgconsoleError | None = None


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
        found: How a search ended.
        saved: How saving went.
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
    found: Found | None = None
    saved: Saved | None = None


class Desk:
    """Takes the newest request from one thread and answers it in another.

    Args:
        book: All lines; only the answering thread touches it.
    """

    def __init__(self, book: LogBook) -> None:
        self._book = book
        self._request = Request()
        self._found: Found | None = None
        self._saved: Saved | None = None

    def ask(self, request: Request) -> None:
        """Want something else. What was asked before and is not answered yet is not wanted."""
        self._request = request

    def answer(self) -> tuple[Answer, bool]:
        """Do a bit of work, a fraction of a second.

        Returns:
            What is to be shown, and whether there is more to do at once.

        Raises:
            PgconsoleError: The filter is no expression.
            OSError: The files can't be read.
        """
        request, book = self._request, self._book
        book.ask(request.query)
        more = book.read()
        until = time.monotonic() + _WORK
        while (unseen := book.advance()) and time.monotonic() < until:
            pass
        more = more or unseen
        if not more:
            self._find(request)
            self._save(request)
        return self._answer(request), more or self._request is not request

    def _answer(self, request: Request) -> Answer:
        book = self._book
        top: int | None = None
        if request.top is not None:
            top = book.number(request.top)
        elif request.number is not None:
            top = request.number
        found = self._found if request.find is not None else None
        if found is not None and found.at is not None:
            top = found.at
        first = book.count - WINDOW if top is None else min(top - _BEFORE, book.count - WINDOW)
        first = max(0, first)
        news = 0 if request.last is None else book.count - book.number(request.last) - 1
        return Answer(
            request,
            book.generation,
            len(book),
            book.count,
            first,
            tuple(book.lines(first, first + WINDOW)),
            top,
            max(0, news),
            book.unread,
            book.unseen,
            found,
            self._saved,
        )

    def _find(self, request: Request) -> None:
        find = request.find
        if find is None or (self._found is not None and self._found.number == find.number):
            return
        found = Found(find.number, None)
        lines = self._book.search(find.after, back=find.back)
        for looked_at, (number, text) in enumerate(lines):
            if looked_at % _LOOK_UP == 0 and self._request.find is not find:
                return  # the operator wants something else by now
            if find.pattern.search(text):
                found = Found(find.number, number, self._book.key(number))
                break
        self._found = found

    def _save(self, request: Request) -> None:
        save, book = request.save, self._book
        if save is None or (self._saved is not None and self._saved.number == save.number):
            return
        lines = (book.line(number) for number in range(book.count))
        try:
            count = save_lines(lines, save.path)
        except PgconsoleError as error:
            self._saved = Saved(save.number, save.path, problem=error)
        else:
            self._saved = Saved(save.number, save.path, count)
