"""A line of a log as rows of a terminal: columns, wrapped text, what is searched for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from rich.cells import cell_len, chop_cells

from pgconsole.logs.lines import LogLine
from pgconsole.report import Level
from pgconsole.widgets.cells import fitted
from pgconsole.widgets.words import clean

Part = tuple[str, tuple[str, ...]]
"""Text, and the component classes that style it."""
Row = tuple[Part, ...]

_SIGNS = {Level.WARNING: "! ", Level.ERROR: "✗ "}
_STYLES = {Level.WARNING: ("log--warning",), Level.ERROR: ("log--error",)}
_KIND, _PHASE = 8, 9  # cells
_LEAST = 10  # cells of text, however narrow the window
_MOST_MATCHES = 500  # that are marked in one line
_MATCH = "log--match"


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are shown.

    Attributes:
        zone: The time zone times are shown in.
        width: Cells of a row.
        kinds: Whether to tell which kind of job a line is of.
        wrap: Whether long lines take several rows.
        left: Cells of the text that are scrolled out of view, if they don't.
        pattern: What is searched for.
    """

    zone: ZoneInfo
    width: int = 80
    kinds: bool = True
    wrap: bool = True
    left: int = 0
    pattern: re.Pattern[str] | None = None

    @property
    def room(self) -> int:
        """Cells for the text."""
        head = 10 + (_KIND + 1 if self.kinds else 0) + _PHASE + 1
        return max(_LEAST, self.width - head)


def day_of(line: LogLine, zone: ZoneInfo) -> date:
    """The day of a line in a zone."""
    return line.time.astimezone(zone).date()


def day_row(line: LogLine, layout: Layout) -> Row:
    """What stands above the first line of a day."""
    text = f"── {line.time.astimezone(layout.zone):%a %Y-%m-%d %Z} "
    return ((text + "─" * max(0, layout.width - cell_len(text)), ("log--day",)),)


def rows_of(line: LogLine, layout: Layout) -> list[Row]:
    """The rows of a line: time, kind and phase in the first, its text in all of them."""
    time = f"{line.time.astimezone(layout.zone):%H:%M:%S}  "
    head: list[Part] = [(time, ("log--time",))]
    if layout.kinds:
        kind = fitted(clean(line.kind), _KIND)
        head += [*_marked(kind, ("log--kind",), layout.pattern), (" ", ())]
    head += [
        *_marked(fitted(clean(line.phase), _PHASE), ("log--phase",), layout.pattern),
        (" ", ()),
    ]
    indent: Part = (" " * sum(cell_len(text) for text, _ in head), ())
    css = _STYLES.get(line.level, ())
    sign, text = _SIGNS.get(line.level, ""), clean(line.text)
    if layout.wrap:
        text = sign + text
    else:
        head.append((sign, css))  # stays in view
    marked = list(_marked(text, css, layout.pattern))
    rows = [_part_of(marked, start, end) for start, end in _pieces(text, layout)]
    return [(*head, *rows[0]), *((indent, *row) for row in rows[1:])]


def text_width(line: LogLine) -> int:
    """Cells of a line's text on one row."""
    return cell_len(_SIGNS.get(line.level, "") + clean(line.text))


def breaks(text: str, width: int) -> list[tuple[int, int]]:
    """Where a text is cut so that each piece has at most so many cells, at spaces if it can be."""
    found: list[tuple[int, int]] = []
    start = 0
    while True:
        end = _fitting(text, start, width)
        if end >= len(text):
            return [*found, (start, len(text))]
        space = text.rfind(" ", start, end + 1)
        if space > start:
            found.append((start, space))
            start = space + 1
        else:
            found.append((start, end))
            start = end


def _pieces(text: str, layout: Layout) -> list[tuple[int, int]]:
    if layout.wrap:
        return breaks(text, layout.room)
    start = _fitting(text, 0, layout.left) if layout.left else 0
    return [(start, _fitting(text, start, layout.room))]


def _fitting(text: str, start: int, width: int) -> int:
    """The end of the longest piece that has at most so many cells; one character at least."""
    # Characters without a width are few: what they combine with is beside them.
    piece = text[start : start + 2 * width]
    if piece.isascii():
        return min(len(text), start + width)
    pieces = chop_cells(piece, width)  # none, if nothing in it takes a cell
    return start + max(1, len(pieces[0] if pieces else piece))


def _marked(text: str, css: tuple[str, ...], pattern: re.Pattern[str] | None) -> Iterator[Part]:
    """The text in parts, of which some are what is searched for."""
    done = 0
    for start, end in _matches(text, pattern):
        if start > done:
            yield text[done:start], css
        yield text[start:end], (*css, _MATCH)
        done = end
    yield text[done:], css


def _matches(text: str, pattern: re.Pattern[str] | None) -> Iterator[tuple[int, int]]:
    if pattern is None:
        return
    for number, match in enumerate(pattern.finditer(text)):
        if number == _MOST_MATCHES:
            return
        if match.end() > match.start():
            yield match.span()


def _part_of(parts: Iterable[Part], start: int, end: int) -> Row:
    """The same parts, from one character to another."""
    found: list[Part] = []
    at = 0
    for text, css in parts:
        piece = text[max(0, start - at) : max(0, end - at)]
        if piece:
            found.append((piece, css))
        at += len(text)
    return tuple(found)
