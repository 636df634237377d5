"""COPY's text format and CSV, cut anywhere; PostgreSQL itself is asked in tests/backups."""

from __future__ import annotations

import csv as python_csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgconsole.dumps import copytext
from pgconsole.dumps.copytext import Cell

VALUES = st.none() | st.text(
    st.sampled_from('ab,"\\N.\t\n\r\b\f\v 0x7é€😀') | st.characters(exclude_characters="\0"),
    max_size=12,
).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore").decode() == text)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.tuples(*[VALUES] * columns), max_size=6)
)
_ESCAPES = {
    "\\": "\\\\",
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def copy_text(rows: list[tuple[str | None, ...]]) -> bytes:
    """As the documentation of COPY has it."""

    def cell(value: str | None) -> str:
        return "\\N" if value is None else "".join(_ESCAPES.get(char, char) for char in value)

    return "".join("\t".join(map(cell, row)) + "\n" for row in rows).encode()


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, pos, turn = [], 0, 0
    while pos < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[pos : pos + size])
        pos, turn = pos + size, turn + 1
    return pieces


SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@given(TABLES, SIZES)
def test_cells_cut_anywhere(table: list[tuple[str | None, ...]], sizes: list[int]) -> None:
    columns = len(table[0]) if table else 1
    found = list(copytext.rows(cut(copy_text(table), sizes), columns, 1000))
    assert found == [tuple(None if v is None else Cell(v) for v in row) for row in table]


@given(TABLES, SIZES, st.sampled_from([3, 1 << 20]))
def test_csv_cut_anywhere(table: list[tuple[str | None, ...]], sizes: list[int], long: int) -> None:
    columns = len(table[0]) if table else 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copytext, "_LONG", long)
        found = b"".join(copytext.csv(cut(copy_text(table), sizes), columns)).decode()
    assert parsed(found) == table


def parsed(text: str) -> list[tuple[str | None, ...]]:
    """A small reader that tells NULL from the empty text, which Python's own does not."""
    rows: list[tuple[str | None, ...]] = []
    row: list[str | None] = []
    pos = 0
    while pos < len(text):
        if text[pos] == '"':
            value, pos = "", pos + 1
            while text[pos] != '"' or text[pos + 1] == '"':
                value += text[pos]
                pos += 2 if text[pos] == '"' else 1
            pos += 1
            row.append(value)
        else:
            end = min(at for at in (text.find(",", pos), text.find("\n", pos)) if at >= 0)
            row.append(text[pos:end] or None)
            pos = end
        if text[pos] == "\n":
            rows.append(tuple(row))
            row = []
        pos += 1
        if text[pos - 1] == "," and text[pos : pos + 1] in ("", "\n"):
            row.append(None)
            rows.append(tuple(row))
            row, pos = [], pos + 1
    return rows


def test_csv_is_what_others_read() -> None:
    rows = [("1", 'a "b", c', ""), ("2", "line\nline\r", "\\.")]
    found = copytext.csv_header(["id", 'na"me', "x,y"])
    found += b"".join(copytext.csv([copy_text(rows)], 3))
    read = list(python_csv.reader(io.StringIO(found.decode(), newline="")))
    assert read == [["id", 'na"me', "x,y"], *map(list, rows)]


def test_what_only_others_write() -> None:
    row = rb"\101\x42\x4\q\75" + b"\t" + rb"a\N" + b"\t" + b"\xff\n"
    assert list(copytext.rows([row], 3, 100)) == [(Cell("AB\x04q="), Cell("aN"), Cell("\\xff"))]


@pytest.mark.parametrize(
    ("cell", "most", "text", "rest"),
    [
        ("a" * 10, 4, "aaaa", 6),
        ("aaaé", 4, "aaa", 1),  # no half letter
        ("aa😀b", 4, "aa", 3),
        ("aa\\\\b", 3, "aa", 3),  # no half escape
        ("a\\\\\\\\b", 3, "a\\", 3),
        ("\\N", 1, "", 2),
    ],
)  # fmt: skip
def test_the_beginning_of_a_long_cell(cell: str, most: int, text: str, rest: int) -> None:
    (row,) = copytext.rows([cell.encode() + b"\n"], 1, most)
    assert row[0] is not None
    assert (row[0].text, row[0].rest >= rest) == (text, True)


def test_other_encodings_become_utf8() -> None:
    latin = "naïve\tÄ\n".encode("latin-1")
    assert b"".join(copytext.as_utf8([latin[:3], latin[3:]], "iso8859-1")) == "naïve\tÄ\n".encode()
    # In these a byte of a letter looks like a backslash.
    shift = "表\tx\n".encode("shift_jis")
    assert b"\\" in shift
    assert b"".join(copytext.as_utf8([shift[:1], shift[1:]], "shift_jis")) == "表\tx\n".encode()


def test_tables_without_columns() -> None:
    assert list(copytext.rows([b"\n\n"], 0, 10)) == [(), ()]
    assert b"".join(copytext.csv([b"\n\n"], 0)) == b"\n\n"
    assert copytext.csv_header([]) == b"\n"


def test_encoding_of_a_dump() -> None:
    head = b"-- x\nSET lock_timeout = 0;\nSET client_encoding = 'LATIN1';\n"
    assert copytext.client_encoding(head) == "LATIN1"
    assert copytext.client_encoding(b"") == "UTF8"
