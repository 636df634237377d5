"""All logs as one list of lines, of which a query shows a part. Not for several threads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from pgconsole.logs.files import Files, Places
from pgconsole.logs.index import Index
from pgconsole.logs.lines import LEVELS, Key, LogLine, read, words
from pgconsole.logs.query import ALL, Query
from pgconsole.logs.view import View

MOST_LINES = 1_000_000  # that are known at a time; the files keep them all
_PIECE = 1 << 20  # bytes that are looked at in one go
_BACK = 500  # lines that are searched backwards in one go
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = "(this line is no longer in its file)"


class LogBook:
    """The lines of many files in the order of time.

    Args:
        places: Where logs are now.
        most: Lines that are known at a time; older ones go.
    """

    def __init__(self, places: Places, most: int = MOST_LINES) -> None:
        self._files = Files(places)
        self._most = most
        self._index = Index()
        self._query = ALL
        self._view = self._new_view()
        self.generation = 0
        """Another one means that lines have other numbers than before."""

    def __len__(self) -> int:
        """How many lines are known, whether wanted or not."""
        return len(self._index)

    @property
    def count(self) -> int:
        """How many lines are wanted, as far as that was worked out."""
        return len(self._view)

    @property
    def query(self) -> Query:
        """What is wanted."""
        return self._query

    @property
    def unreadable(self) -> dict[Path, OSError]:
        """The logs that may not be read."""
        return self._files.unreadable

    @property
    def unread(self) -> int:
        """Bytes of the files that were not looked at yet."""
        return self._files.unread

    @property
    def unseen(self) -> int:
        """Lines of which it is not known yet whether they are wanted."""
        return self._view.unseen

    def read(self) -> bool:
        """Take in what was written since, some MiB of it at most.

        Returns:
            Whether there is more to take in.

        Raises:
            OSError: The files can't be read.
        """
        self._files.forget_blocks()
        gone = self._files.refresh()
        if gone:
            self._index.drop(gone)
            self._begin_anew()
        if len(self._index) >= self._most:
            self._files.forget_older()
        rows, more = self._files.read(_PIECE)
        if rows and self._view.added(self._index.add(rows)):
            self.generation += 1
        if len(self._index) > self._most * 1.1:  # not at every line
            self._forget(len(self._index) - self._most)
        if self._query.job and self._segments() != self._view.segments:
            self._begin_anew()
        return more

    def ask(self, query: Query) -> None:
        """Want other lines.

        Raises:
            ConfigurationError: The query's filter is no expression.
        """
        if query != self._query:
            before, self._query = self._query, query
            try:
                self._begin_anew()
            except Exception:
                self._query = before
                raise

    def advance(self) -> bool:
        """Work out for some more lines whether they are wanted.

        Returns:
            Whether there are more of them.

        Raises:
            OSError: The files can't be read.
        """
        if self._view.advance():
            self.generation += 1
        return self._view.unseen > 0

    def line(self, number: int) -> LogLine:
        """A wanted line.

        Raises:
            OSError: It can't be read.
        """
        return self._line(self._view.row(number))

    def lines(self, first: int, end: int) -> list[LogLine]:
        """Wanted lines, those of these numbers that there are.

        Raises:
            OSError: They can't be read.
        """
        return [self.line(number) for number in range(max(0, first), min(end, self.count))]

    def key(self, number: int) -> Key:
        """The place of a wanted line."""
        return self._index.key(self._view.row(number))

    def number(self, key: Key) -> int:
        """How many wanted lines come before this place."""
        return self._view.find(key)

    def search(self, key: Key | None, *, back: bool) -> Iterator[tuple[int, str]]:
        """The wanted lines after a place, or before it and backwards, once around.

        Yields:
            The number of a line, and the text that a search looks at.

        Raises:
            OSError: They can't be read.
        """
        here = 0 if key is None else self.number(key)
        if back:
            yield from self._backwards(0, here)
            yield from self._backwards(here, self.count)
            return
        if key is not None and here < self.count and self.key(here) == key:
            here += 1
        for number in chain(range(here, self.count), range(here)):
            yield number, self._searched(self._view.row(number))

    def _backwards(self, first: int, end: int) -> Iterator[tuple[int, str]]:
        """Piece by piece, because a file is read forwards."""
        while end > first:
            begin = max(first, end - _BACK)
            piece = [(n, self._searched(self._view.row(n))) for n in range(begin, end)]
            yield from reversed(piece)
            end = begin

    def _line(self, number: int) -> LogLine:
        row = self._index[number]
        segment = self._files.segments[row.segment]
        key = Key(*row[:3])
        job, kind = segment.place.job, segment.place.kind
        content = read(segment.line(row.offset, row.length))
        if content is None:
            time = _EPOCH + timedelta(milliseconds=row.ms)
            return LogLine(key, job, kind, time, "", LEVELS[row.rank], _GONE)
        time, phase, level, text = content
        return LogLine(key, job, kind, time, phase, level, text)

    def _searched(self, number: int) -> str:
        number, offset, length = self._index.place(number)
        segment = self._files.segments[number]
        return f"{segment.place.kind} {words(segment.line(offset, length))}"

    def _segments(self) -> set[int] | None:
        job = self._query.job
        if not job:
            return None
        return {s.number for s in self._files.segments.values() if s.place.job == job}

    def _forget(self, count: int) -> None:
        self._index.drop_oldest(count)
        if self._view.dropped(count):
            self.generation += 1

    def _new_view(self) -> View:
        return View(self._index, self._query, self._segments(), self._searched)

    def _begin_anew(self) -> None:
        self._view = self._new_view()
        self.generation += 1


def as_text(line: LogLine) -> str:
    """A line as it is saved and copied."""
    level = "" if line.level is LEVELS[0] else f"{line.level.upper()}: "
    time = line.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{time} {line.kind} {line.phase}: {level}{line.text}"
