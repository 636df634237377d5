"""Where each line is, in the order of time: 24 bytes a line, the text stays in the files."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from pgconsole.logs.lines import Key
from pgconsole.logs.segment import Row

_RANK_BITS = 2


class Added(NamedTuple):
    """What adding rows did to the numbers of those that were there.

    Attributes:
        first: Rows from this number on ...
        end: ... to before this one are among the new ones now; later ones moved up.
        new: How many came.
    """

    first: int
    end: int
    new: int


class Index:
    """Rows, sorted. What is added in whatever pieces gives the same order."""

    def __init__(self) -> None:
        self._times = array("q")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._marks = array("I")  # the segment and the level

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

    def add(self, rows: Sequence[Row]) -> Added:
        """Add at least one row, in any order."""
        new = sorted(rows)
        first, end = self.find(Key(*new[0][:3])), self.find(Key(*new[-1][:3]))
        if first < end:
            # Row by row: one long sort would keep the console's own thread waiting.
            new = list(heapq.merge(map(self.__getitem__, range(first, end)), new))
        self._times[first:end] = array("q", [row.ms for row in new])
        self._offsets[first:end] = array("Q", [row.offset for row in new])
        self._lengths[first:end] = array("I", [row.length for row in new])
        self._marks[first:end] = array("I", [r.segment << _RANK_BITS | r.rank for r in new])
        return Added(first, end, len(rows))

    def drop(self, segments: set[int]) -> None:
        """Forget the rows of these segments."""
        keep = bytearray(mark >> _RANK_BITS not in segments for mark in self._marks)
        for column in (self._times, self._offsets, self._lengths, self._marks):
            column[:] = array(column.typecode, compress(column, keep))

    def drop_oldest(self, count: int) -> None:
        """Forget so many rows."""
        for column in (self._times, self._offsets, self._lengths, self._marks):
            del column[:count]

    @staticmethod
    def _split(mark: int) -> tuple[int, int]:
        return mark >> _RANK_BITS, mark & 3
