"""The lines of an index that a query wants, worked out bit by bit."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime

from pgconsole.logs.index import Index
from pgconsole.logs.lines import LEVELS, Key
from pgconsole.logs.query import Query, test_of

_STEP = 2_000  # rows that are looked at in one go


class View:
    """The rows that are wanted, by number.

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
        self._wanted = array("Q")
        self._seen = 0  # rows of the index that were looked at

    def __len__(self) -> int:
        return len(self._index) if self._all else len(self._wanted)

    @property
    def unseen(self) -> int:
        """Rows that were not looked at yet."""
        return 0 if self._all else len(self._index) - self._seen

    def row(self, number: int) -> int:
        """The number in the index of a row of this view."""
        return number if self._all else self._wanted[number]

    def find(self, key: Key) -> int:
        """How many rows of this view come before this place."""
        row = self._index.find(key)
        return row if self._all else bisect_left(self._wanted, row)

    def changed(self, first: int) -> bool:
        """The index is another from this row on.

        Returns:
            Whether rows of this view have other numbers now.
        """
        if self._all:
            return first < self._seen
        self._seen = min(self._seen, first)
        kept = bisect_left(self._wanted, first)
        lost = kept < len(self._wanted)
        del self._wanted[kept:]
        return lost

    def advance(self) -> None:
        """Look at some more rows."""
        end = len(self._index)
        if self._all:
            self._seen = end
            return
        first = self._seen
        window = self._query.window
        if window.since is not None:
            first = max(first, self._index.moment(_ms(window.since)))
        if window.until is not None:
            end = min(end, self._index.moment(_ms(window.until)))
        if first >= end:
            self._seen = len(self._index)
            return
        self._seen = min(end, first + _STEP)
        found = self._index.selected(first, self._seen, self._rank, self.segments)
        if self._test is not None:
            found = [number for number in found if self._test(self._searched(number))]
        self._wanted.extend(found)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
