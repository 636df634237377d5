r"""The text format of COPY: what its cells say, and the same as CSV.

Rows end with a newline and cells with a tab; both, and the backslash, are escaped within. The
encoding is UTF-8 here, or bytes of no known encoding: `as_utf8` sees to that.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pgconsole.errors import DamagedError

_NULL = rb"\N"
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|([\s\S]))")
_LONGEST_ESCAPE = 4
_LONG = 1 << 20  # bytes of a cell that is looked at whole; longer ones are quoted in any case
_CLIENT_ENCODING = re.compile(rb"^SET client_encoding = '([A-Za-z0-9_-]+)';", re.MULTILINE)
_SAFE = {"utf-8", "ascii"}  # codecs whose bytes are UTF-8 already


class Cell(NamedTuple):
    """The beginning of a value.

    Attributes:
        text: The value, or its beginning.
        rest: How many bytes of COPY text are left out at its end.
    """

    text: str
    rest: int = 0


Row = tuple[Cell | None, ...]
"""The cells of a row; None is NULL."""


def client_encoding(head: bytes) -> str:
    """The encoding that a dump says it is in, as PostgreSQL calls it; UTF8 if it is silent.

    Args:
        head: The first SQL of the dump, up to its first statements.
    """
    match = _CLIENT_ENCODING.search(head)
    return match[1].decode("ascii") if match else "UTF8"


def as_utf8(pieces: Iterable[bytes], codec: str) -> Iterator[bytes]:
    """The rows in UTF-8; bytes that the codec does not know come as COPY's own escapes."""
    if codec in _SAFE:
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(codec)("backslashreplace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    if rest := decoder.decode(b"", final=True):
        yield rest.encode()


def decoded(cell: bytes) -> bytes:
    r"""What a cell says that is not `\N`."""
    return _ESCAPE.sub(_meaning, cell) if b"\\" in cell else cell


def rows(pieces: Iterable[bytes], columns: int, most: int) -> Iterator[Row]:
    """The rows, cell by cell. Memory is bounded by columns times `most`, whatever a cell holds.

    Args:
        pieces: Whole rows, in pieces cut anywhere, in UTF-8.
        columns: How many columns there are; a table may have none.
        most: Bytes of a cell that are kept.

    Raises:
        DamagedError: A row has more cells than there are columns.
    """
    gathered = _Gathered(columns, most)
    for piece in pieces:
        *lines, rest = piece.split(b"\n")
        for line in lines:
            gathered.add(line)
            yield gathered.row() if columns else ()
            gathered = _Gathered(columns, most)
        if rest:
            gathered.add(rest)


def first_rows(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The first so many rows of those that come in pieces; no more of them is taken."""
    left = count
    for piece in pieces if left > 0 else ():
        found = piece.count(b"\n")
        if found >= left:
            yield b"".join(line + b"\n" for line in piece.split(b"\n", left)[:left])
            return
        left -= found
        yield piece


class _Gathered:
    """The cells of a row that comes in pieces."""

    def __init__(self, columns: int, most: int) -> None:
        self._columns = columns
        self._most = most
        self._cells: list[bytearray] = [bytearray()]
        self._rest = [0]

    def add(self, text: bytes) -> None:
        if len(self._cells) + text.count(b"\t") > max(1, self._columns):
            raise DamagedError(
                f"A row has more cells than its table has columns, {self._columns}",
                cause="the rows are not those of this table",
                fix="verify the backup",
            )
        first, *others = text.split(b"\t")
        self._extend(first)
        for other in others:
            self._cells.append(bytearray())
            self._rest.append(0)
            self._extend(other)

    def _extend(self, text: bytes) -> None:
        cell = self._cells[-1]
        room = self._most - len(cell)
        cell += text[:room]
        self._rest[-1] += max(0, len(text) - room)

    def row(self) -> Row:
        return tuple(map(_cell, self._cells, self._rest))


def _cell(text: bytearray, rest: int) -> Cell | None:
    if text == _NULL and not rest:
        return None
    known = bytes(text)
    if rest:
        whole = _whole(known)
        rest += len(known) - len(whole)
        known = whole
    value = decoded(known)
    if rest:  # the last letter may be cut
        value = value[: _letters_end(value)]
    return Cell(value.decode("utf-8", "backslashreplace"), rest)


def _letters_end(value: bytes) -> int:
    """Where the last whole letter of UTF-8 ends."""
    for back in range(1, min(4, len(value)) + 1):
        byte = value[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(value) if back >= length else len(value) - back
        if byte < 0x80:
            break
    return len(value)


def _whole(text: bytes) -> bytes:
    """Without an escape at the end that may go on."""
    start = max(0, len(text) - _LONGEST_ESCAPE + 1)
    at = text.rfind(b"\\", start)
    if at < 0:
        return text
    run = at - len(text[: at + 1].rstrip(b"\\")) + 1  # backslashes up to there
    if run % 2 == 0:  # whole escapes of backslashes
        return text
    return text[:at]


def _meaning(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, other = match.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    return _LETTERS.get(other, other)


# CSV as PostgreSQL writes it: NULL is an empty cell, the empty text is `""`. Tabs become zero
# bytes first, which no text has, so that tabs within values can be told from those between.
_EDGE = b"\0"
_TO_QUOTE = re.compile(rb'(?<![^\0\n])(?:[^\0\n\\",\r]*[\\",\r][^\0\n]*|(?=[\0\n]))')


def csv_header(columns: Iterable[str]) -> bytes:
    """The first line of a CSV file."""
    return csv_line(columns).encode() + b"\n"


def csv_line(values: Iterable[str | None]) -> str:
    """One line of a CSV file, without its newline; None is NULL."""
    found = list(values)
    alone = len(found) == 1
    quoted = (b"" if one is None else _quoted(one.encode(), alone=alone) for one in found)
    return b",".join(quoted).decode()


def csv(pieces: Iterable[bytes], columns: int) -> Iterator[bytes]:
    r"""The rows as `\copy ... CSV` writes them: RFC 4180, but with newlines for line ends.

    Args:
        pieces: Whole rows, in pieces cut anywhere, in UTF-8.
        columns: How many columns there are.
    """
    alone = columns == 1
    held = b""
    cell: _LongCell | None = None
    for piece in pieces:
        if not columns:
            yield piece
            continue
        data = held + piece
        if cell is not None:
            written, rest = cell.more(data)
            yield written
            if rest is None:
                held = b""
                continue
            cell, data = None, rest
        end = data.rfind(b"\n") + 1
        if end:
            yield _csv_of(data[:end], alone=alone)
        held = data[end:]
        if len(held) > _LONG:
            begin = held.rfind(b"\t") + 1
            if begin:
                yield _csv_of(held[:begin], alone=alone)
            held = held[begin:]
            if len(held) > _LONG:
                cell = _LongCell()
                written, rest = cell.more(held)
                assert rest is None
                yield written
                held = b""


class _LongCell:
    """A cell that is too long to be looked at whole: it is quoted as it comes."""

    def __init__(self) -> None:
        self._held = b""
        self._begun = False

    def more(self, data: bytes) -> tuple[bytes, bytes | None]:
        """What can be written, and what follows the cell; None as long as it goes on."""
        ends = [at for at in (data.find(b"\t"), data.find(b"\n")) if at >= 0]
        opening = b"" if self._begun else b'"'
        self._begun = True
        text = self._held + (data[: min(ends)] if ends else data)
        if not ends:
            whole = _whole(text)
            self._held = text[len(whole) :]
            return opening + _doubled(whole), None
        closing = b'",' if data[min(ends) : min(ends) + 1] == b"\t" else b'"\n'
        return opening + _doubled(text) + closing, data[min(ends) + 1 :]


def _doubled(cell: bytes) -> bytes:
    return decoded(cell).replace(b'"', b'""')


def _csv_of(text: bytes, *, alone: bool) -> bytes:
    def replaced(match: re.Match[bytes]) -> bytes:
        cell = match[0]
        return b"" if cell == _NULL else _quoted(decoded(cell), alone=alone)

    return _TO_QUOTE.sub(replaced, text.replace(b"\t", _EDGE)).replace(_EDGE, b",")


def _quoted(value: bytes, *, alone: bool) -> bytes:
    """A value in quotes, if it needs them."""
    # A lone `\.` would end the data for psql.
    harmless = value and not (alone and value == b"\\.")
    if harmless and not any(mark in value for mark in (b",", b'"', b"\n", b"\r")):
        return value
    return b'"' + value.replace(b'"', b'""') + b'"'
