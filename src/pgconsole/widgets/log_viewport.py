"""Which rows of which lines of a log are on the screen. Pure: it neither reads nor draws."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import NamedTuple

from pgconsole.logs.lines import Key, LogLine
from pgconsole.logs.requests import Answer
from pgconsole.widgets.log_rows import Layout, Row, day_of, day_row, rows_of, text_width

_COMFORT = 100  # lines around the screen that are at hand before more are asked for
_UNKNOWN: list[Row] = [(("…", ("log--time",)),)]


class Shown(NamedTuple):
    """A row on the screen.

    Attributes:
        number: Of its line; -1 below the last one.
        row: What stands there.
    """

    number: int
    row: Row


class Viewport:
    """A screen's height of rows, at the end of the log or anywhere in it.

    Lines have numbers, which may change, and places (`Key`), which stay. The first row on the
    screen is a row of the line `top`; of the lines around it some hundred are at hand.

    Args:
        layout: How lines are shown.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.following = True
        """Whether the end of the log stays in view."""
        self.paused_at: Key | None = None
        """The last line that there was when it was paused."""
        self.top = 0
        self._skip = 0  # rows of that line that are above the screen
        self._key: Key | None = None  # its place, if that is known
        self._lost = False  # which number that has now is not known
        self._height = 1
        self._answer = Answer()
        self._rows: dict[int, list[Row]] = {}
        self._rest = 0  # lines of the last screen

    @property
    def count(self) -> int:
        """How many lines there are."""
        return self._answer.count

    @property
    def last_top(self) -> int:
        """The top line when the end is in view."""
        return max(0, self.count - max(1, self._rest))

    @property
    def wanted(self) -> tuple[Key | None, int | None]:
        """The place or the number of the line around which others are needed; neither: the end."""
        if self.following:
            return None, None
        if self._key is None:
            return None, self.top
        if self._lost:
            return self._key, None
        asked = self._answer.request
        nowhere = asked.top is None and asked.number is None
        return (self._key, None) if nowhere or not self._comfortable else (asked.top, asked.number)

    def resize(self, width: int, height: int) -> None:
        """The screen has another size."""
        self._height = max(1, height)
        self.lay_out(replace(self.layout, width=width))

    def lay_out(self, layout: Layout) -> None:
        """Show the lines in another way; the top line stays."""
        if layout != self.layout:
            self._skip = 0 if layout.wrap != self.layout.wrap else self._skip
            self.layout = layout
            self._rows.clear()
        self._settle()

    def show(self, answer: Answer) -> None:
        """Other lines are at hand, or the same ones have other numbers."""
        before, self._answer = self._answer, answer
        same = answer.generation == before.generation
        if not same or answer.lines is not before.lines:
            self._rows.clear()
        if (not same or self._lost) and not self.following and self._key is not None:
            self._find_top(self._key)
        self._settle()

    def screen(self) -> list[Shown]:
        """All rows of the screen, from the top."""
        found: list[Shown] = []
        number, skip = self.top, self._skip
        while len(found) < self._height and number < self.count:
            found += [Shown(number, row) for row in self._rows_at(number)[skip:]]
            number, skip = number + 1, 0
        found += [Shown(-1, ())] * (self._height - len(found))
        return found[: self._height]

    def line(self, number: int) -> LogLine | None:
        """A line, if it is at hand."""
        at = number - self._answer.first
        return self._answer.lines[at] if 0 <= at < len(self._answer.lines) else None

    def number(self, key: Key) -> int | None:
        """The number of a line that is at hand."""
        lines = self._answer.lines
        at = bisect_left(lines, key, key=lambda line: line.key)
        found = at < len(lines) and lines[at].key == key
        return self._answer.first + at if found else None

    def scroll(self, by: int) -> None:
        """Move by so many rows. Away from the end it pauses, at the end it follows."""
        self._skip += by
        while self._skip < 0 and self.top > 0:
            self.top -= 1
            self._skip += len(self._rows_at(self.top))
        while self.top < self.count - 1 and self._skip >= (rows := len(self._rows_at(self.top))):
            self.top += 1
            self._skip -= rows
        self._skip = max(0, min(self._skip, len(self._rows_at(self.top)) - 1))
        self._moved()

    def page(self, by: int) -> None:
        """Move by so many screens, less a row that stays in view."""
        self.scroll(by * max(1, self._height - 1))

    def go_to(self, number: int) -> None:
        """Put a line at the top."""
        self._lost = False
        self.top, self._skip = max(0, min(number, self.count - 1)), 0
        self._moved()

    def reveal(self, number: int) -> None:
        """Bring a line into view, with lines around it, and pause."""
        self.pause()
        shown = [row.number for row in self.screen()]
        if number in shown[1:-1] or number == self.top == 0:
            return
        self.top, self._skip = number, 0
        self._set_key()
        self.scroll(-(self._height // 3))
        self.pause()

    def nearest(self, number: int) -> LogLine | None:
        """The line of this number, or the one at hand that is next to it."""
        first, lines = self._answer.first, self._answer.lines
        return lines[max(0, min(number - first, len(lines) - 1))] if lines else None

    def keep_in_view(self, number: int) -> None:
        """Bring a line into view with the least movement, and pause."""
        shown = [row.number for row in self.screen()]
        rows = len(self._rows_at(number))
        if number <= self.top:
            self.go_to(number)
        elif number > shown[-1] or shown.count(number) < min(rows, self._height):
            self.go_to(number)
            self.scroll(min(0, rows - self._height))
        self.pause()

    def pause(self) -> None:
        """Stay here, whatever is written."""
        if self.following:
            self.following = False
            last = self.line(self.count - 1)
            self.paused_at = last.key if last is not None else None
            self._set_key()

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self.following = True
        self.paused_at = None
        self._lost = False
        self._settle()

    def shift(self, by: int) -> None:
        """Scroll the text sideways by so many cells, as far as there is some in view."""
        lines = [self.line(shown.number) for shown in self.screen()]
        longest = max((text_width(line) for line in lines if line is not None), default=0)
        most = max(0, longest - self.layout.room)
        left = max(0, min(self.layout.left + by, most))
        self.lay_out(replace(self.layout, left=left))

    def _moved(self) -> None:
        end = self._end()
        if end is not None and (self.top, self._skip) >= end:
            self.follow()
        else:
            self.pause()
            self._set_key()

    def _settle(self) -> None:
        """Stay within what there is."""
        end = self._end()
        if end is not None:
            self._rest = self.count - end[0]
            if self.following or (self.top, self._skip) > end:
                self.top, self._skip = end
        self.top = max(0, min(self.top, self.count - 1))
        if not self.following:
            self._skip = min(self._skip, len(self._rows_at(self.top)) - 1)
            self._set_key()

    def _set_key(self) -> None:
        if not self._lost:
            line = self.line(self.top)
            self._key = line.key if line is not None else None

    def _find_top(self, key: Key) -> None:
        """Go to the line of this place, or to the next one if it is not wanted any more."""
        number, answer = self.number(key), self._answer
        self._lost = False
        if number is None:
            self._skip = 0
            number = answer.top if answer.request.top == key else None
            # As long as older lines are looked at, the next one may be another.
            self._lost = number is None or answer.unseen > 0
        if number is not None:
            self.top = number

    def _end(self) -> tuple[int, int] | None:
        """Top line and rows above the screen if the end is in view; None if it is not at hand."""
        if self._answer.first + len(self._answer.lines) < self.count:
            return None
        number, rows = self.count, 0
        while number > 0 and rows < self._height:
            number -= 1
            rows += len(self._rows_at(number))
        return number, max(0, rows - self._height)

    @property
    def _comfortable(self) -> bool:
        answer = self._answer
        end = answer.first + len(answer.lines)
        above = answer.first == 0 or self.top - answer.first >= _COMFORT
        below = end == answer.count or end - self.top - self._height >= _COMFORT
        return above and below

    def _rows_at(self, number: int) -> list[Row]:
        line = self.line(number)
        if line is None:
            return _UNKNOWN
        rows = self._rows.get(number)
        if rows is None:
            rows = rows_of(line, self.layout)
            before = self.line(number - 1)
            zone = self.layout.zone
            if number == 0 or (before and day_of(before, zone) != day_of(line, zone)):
                rows = [day_row(line, self.layout), *rows]
            self._rows[number] = rows
        return rows
