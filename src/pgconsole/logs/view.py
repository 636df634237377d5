"""The lines of an index that a query wants, worked out bit by bit, the newest first."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime

from pgconsole.logs.index import Added, Index
from pgconsole.logs.lines import LEVELS, Key
from pgconsole.logs.query import Query, test_of

_STEP = 2_000  # rows that are looked at in one go
_QUICK_STEP = 50_000  # where no text has to be read


class View:
    """The rows that are wanted, by number. The index tells it what has changed.

    Args:
        index: All rows.
        query: Which are wanted.
        segments: The segments of the query's job; None: all of them.
        searched: What the filter looks at in a row.

    Raises:
        ConfigurationError: The query's filter is no expression.
    """

    def __init__(
        self,
        index: Index,
        query: Query,
        segments: set[int] | None,
        searched: Callable[[int], str],
    ) -> None:
        self._index = index
        self._query = query
        self.segments = segments
        self._searched = searched
        self._test = test_of(query.filter)
        self._rank = LEVELS.index(query.level)
        self._all = self._test is None and not self._rank and segments is None and not query.window
        self._wanted = array("q")  # numbers of rows in the index, less `_base`
        self._base = 0
        # The rows from `_low` to before `_high` were looked at.
        self._low = self._high = self._span()[1]

    def __len__(self) -> int:
        return len(self._index) if self._all else len(self._wanted)

    @property
    def unseen(self) -> int:
        """Rows that were not looked at yet."""
        if self._all:
            return 0
        begin, end = self._span()
        return max(0, self._low - begin) + max(0, end - self._high)

    def row(self, number: int) -> int:
        """The number in the index of a row of this view."""
        return number if self._all else self._wanted[number] + self._base

    def find(self, key: Key) -> int:
        """How many rows of this view come before this place."""
        row = self._index.find(key)
        return row if self._all else bisect_left(self._wanted, row - self._base)

    def advance(self) -> bool:
        """Look at some more rows, at new ones first.

        Returns:
            Whether rows of this view have other numbers now.
        """
        if self._all:
            return False
        begin, end = self._span()
        step = _QUICK_STEP if self._test is None else _STEP
        if self._high < end:
            first, self._high = self._high, min(end, self._high + step)
            self._wanted.extend(self._among(first, self._high))
            return False
        end, self._low = self._low, max(begin, self._low - step)
        found = self._among(self._low, end)
        self._wanted[0:0] = found
        return len(found) > 0

    def added(self, added: Added) -> bool:
        """The index has more rows.

        Returns:
            Whether rows of this view have other numbers now.
        """
        first, end, count = added
        if self._all:
            return first < len(self._index) - count
        if first >= self._high:
            return False
        if end <= self._low:
            self._move(count)
            return False
        # Some came among rows that were looked at: all of these are looked at again.
        before = bisect_left(self._wanted, first - self._base)
        later = self._wanted[bisect_left(self._wanted, end - self._base) :]
        moved = before < len(self._wanted)
        del self._wanted[before:]
        if len(later) > before:  # not many numbers are written anew
            self._base += count
            self._wanted = array("q", [number - count for number in self._wanted])
        else:
            later = array("q", [number + count for number in later])
        self._low, self._high = min(self._low, first), max(self._high, end) + count
        self._wanted.extend(self._among(first, end + count))
        self._wanted.extend(later)
        return moved

    def dropped(self, count: int) -> bool:
        """The index has lost so many of its oldest rows.

        Returns:
            Whether rows of this view have other numbers now.
        """
        lost = bisect_left(self._wanted, count - self._base)
        del self._wanted[:lost]
        self._move(-count)
        return self._all or lost > 0

    def _move(self, count: int) -> None:
        self._base += count
        self._low, self._high = max(0, self._low + count), max(0, self._high + count)

    def _span(self) -> tuple[int, int]:
        """The rows in the window of time: the first, and the one after the last."""
        since, until = self._query.window.since, self._query.window.until
        begin = 0 if since is None else self._index.moment(_ms(since))
        return begin, len(self._index) if until is None else self._index.moment(_ms(until))

    def _among(self, first: int, end: int) -> array[int]:
        begin, finish = self._span()
        first, end = max(first, begin), min(end, finish)
        found = self._index.selected(first, end, self._rank, self.segments)
        if self._test is not None:
            found = [number for number in found if self._test(self._searched(number))]
        return array("q", [number - self._base for number in found])


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
