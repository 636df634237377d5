"""Answers what the log pane asks, in a thread of its own: no file is read in the console's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from pgconsole.errors import PgconsoleError
from pgconsole.logs.book import LogBook, as_text
from pgconsole.logs.lines import LogLine
from pgconsole.logs.requests import Answer, Copied, Copy, Find, Found, Request, Save, Saved
from pgconsole.logs.save import save_lines
from pgconsole.storage.files import storage_error

WINDOW = 600  # lines that are handed over at a time: far more than any screen shows
MOST_COPIED = 2_000  # lines: more than a terminal takes; they can be saved
LONGEST_SHOWN = 20_000  # characters of a line: all of any that pgconsole writes
_BEFORE = 250  # of the window, before the line that was asked for
_WORK = 0.1  # seconds between two answers while there is something to be worked out
_LOOK_UP = 500  # lines between two looks whether something else is wanted by now
_NAMED = 3  # logs that can't be read


class Desk:
    """Takes the newest request from one thread and answers it in another.

    Args:
        book: All lines; only the answering thread touches it.
    """

    def __init__(self, book: LogBook) -> None:
        self._book = book
        self._request = Request()
        self._done: Found | Saved | Copied | None = None
        self._last = Answer()
        self._closed = False

    def ask(self, request: Request) -> None:
        """Want something else. What was asked before and is not answered yet is not wanted."""
        self._request = request

    def close(self) -> None:
        """Nobody waits any more: a file that is being written is given up."""
        self._closed = True

    def answer(self) -> tuple[Answer, bool]:
        """Do a bit of work, a fraction of a second; an order is carried out whole.

        Returns:
            What is to be shown, and whether there is more to do at once.

        Raises:
            PgconsoleError: The filter is no expression.
            OSError: The files can't be read.
        """
        request, book = self._request, self._book
        book.ask(request.query)
        # The first lines are shown at once; then pictures are not worth more than lines.
        until = time.monotonic() + (_WORK if self._last.total else 0)
        while (more := book.read()) and time.monotonic() < until:
            pass
        while (unseen := book.advance()) and time.monotonic() < until:
            pass
        more = more or unseen
        if not more and request.order is not None:
            self._do(request.order)
        return self._answer(request), more or self._request is not request

    def _answer(self, request: Request) -> Answer:
        book = self._book
        done = self._done
        top: int | None = None
        if isinstance(done, Found) and done.order is request.order and done.key is not None:
            top = book.number(done.key)
        elif request.top is not None:
            top = book.number(request.top)
        elif request.number is not None:
            top = request.number
        first = book.count - WINDOW if top is None else min(top - _BEFORE, book.count - WINDOW)
        first = max(0, first)
        news = 0 if request.last is None else book.count - book.number(request.last) - 1
        self._last = Answer(
            request=request,
            generation=book.generation,
            total=len(book),
            count=book.count,
            first=first,
            lines=self._lines(first),
            top=top,
            news=max(0, news),
            unread=book.unread,
            unseen=book.unseen,
            unreadable=self._unreadable(),
            done=done,
        )
        return self._last

    def _lines(self, first: int) -> tuple[LogLine, ...]:
        last, book = self._last, self._book
        if (first, book.generation) == (last.first, last.generation) and book.count == last.count:
            return last.lines
        return tuple(map(_shown, book.lines(first, first + WINDOW)))

    def _unreadable(self) -> tuple[str, ...]:
        problems = [
            str(storage_error(f"The log {path} can't be read", error))
            for path, error in list(self._book.unreadable.items())[:_NAMED]
        ]
        rest = len(self._book.unreadable) - len(problems)
        return (*problems, f"{rest} more logs can't be read") if rest else tuple(problems)

    def _do(self, order: Find | Save | Copy) -> None:
        if self._done is not None and self._done.order is order:
            return
        self._done = None
        if isinstance(order, Find):
            self._find(order)
        elif isinstance(order, Save):
            self._save(order)
        else:
            self._copy(order)

    def _find(self, find: Find) -> None:
        book, after = self._book, find.after
        for looked_at, (number, text) in enumerate(book.search(after, back=find.back)):
            if looked_at % _LOOK_UP == 0 and self._request.order is not find:
                return  # the operator wants something else by now
            if find.pattern.search(text):
                key = book.key(number)
                around = after is not None and (key >= after if find.back else key <= after)
                self._done = Found(find, key, around)
                return
        self._done = Found(find, None)

    def _save(self, save: Save) -> None:
        try:
            self._done = Saved(save, save_lines(self._lines_to_save(), save.path))
        except PgconsoleError as error:
            self._done = Saved(save, problem=error)

    def _lines_to_save(self) -> Iterator[LogLine]:
        for number in range(self._book.count):
            if self._closed:
                raise PgconsoleError("The log was not saved", cause="the console was left")
            yield self._book.line(number)

    def _copy(self, copy: Copy) -> None:
        book = self._book
        first, end = book.number(copy.first), book.number(copy.last.beside(1))
        few = end - first <= MOST_COPIED
        text = "\n".join(map(as_text, book.lines(first, end))) if few else ""
        self._done = Copied(copy, end - first, text)


def _shown(line: LogLine) -> LogLine:
    """A line of a length that can be drawn."""
    rest = len(line.text) - LONGEST_SHOWN
    if rest <= 0:
        return line
    return replace(line, text=f"{line.text[:LONGEST_SHOWN]}… ({rest:,} more characters)")
