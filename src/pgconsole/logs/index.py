"""Where each line is, in the order of time: 24 bytes a line, the text stays in the files."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import compress

from pgconsole.logs.lines import Key
from pgconsole.logs.segment import Row

_RANK_BITS = 2


class Index:
    """Rows, sorted. What is added in whatever pieces gives the same order."""

    def __init__(self) -> None:
        self._times = array("q")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._marks = array("Q")  # the segment and the level

    def __len__(self) -> int:
        return len(self._times)

    def __getitem__(self, number: int) -> Row:
        segment, rank = self._split(self._marks[number])
        return Row(self._times[number], segment, self._offsets[number], self._lengths[number], rank)

    def place(self, number: int) -> tuple[int, int, int]:
        """Segment, offset and length of a row."""
        return self._marks[number] >> _RANK_BITS, self._offsets[number], self._lengths[number]

    def key(self, number: int) -> Key:
        """The place of a row."""
        segment = self._marks[number] >> _RANK_BITS
        return Key(self._times[number], segment, self._offsets[number])

    def find(self, key: Key) -> int:
        """How many rows come before this place."""
        return bisect_left(range(len(self)), key, key=self.key)

    def moment(self, ms: int) -> int:
        """How many rows are older than this."""
        return bisect_left(self._times, ms)

    def selected(self, first: int, end: int, rank: int, segments: set[int] | None) -> list[int]:
        """The rows of a range that are at least of this level, and of these segments."""
        return [
            number
            for number, mark in enumerate(self._marks[first:end], start=first)
            if mark & 3 >= rank and (segments is None or mark >> _RANK_BITS in segments)
        ]

    def add(self, rows: Sequence[Row]) -> int:
        """Add rows, in any order.

        Returns:
            The number of the first row that is another than before.
        """
        if not rows:
            return len(self)
        new = sorted(rows)
        first = self.find(Key(*new[0][:3]))
        if first == len(self):
            self._extend(new)
        else:
            columns = (self._times, self._offsets, self._lengths, self._marks)
            later = [column[first:] for column in columns]
            for column in columns:
                del column[first:]
            # Row by row: one long sort would keep the console's own thread waiting.
            self._extend(heapq.merge(map(self._row, *later), new))
        return first

    def drop(self, segments: set[int]) -> None:
        """Forget the rows of these segments."""
        keep = bytearray(mark >> _RANK_BITS not in segments for mark in self._marks)
        for column in (self._times, self._offsets, self._lengths, self._marks):
            column[:] = array(column.typecode, compress(column, keep))

    def trim(self, most: int) -> None:
        """Forget the oldest rows, so that at most so many are left."""
        for column in (self._times, self._offsets, self._lengths, self._marks):
            del column[: max(0, len(column) - most)]

    def _extend(self, rows: Iterable[Row]) -> None:
        for ms, segment, offset, length, rank in rows:
            self._times.append(ms)
            self._offsets.append(offset)
            self._lengths.append(length)
            self._marks.append(segment << _RANK_BITS | rank)

    def _row(self, ms: int, offset: int, length: int, mark: int) -> Row:
        segment, rank = self._split(mark)
        return Row(ms, segment, offset, length, rank)

    @staticmethod
    def _split(mark: int) -> tuple[int, int]:
        return mark >> _RANK_BITS, mark & 3
