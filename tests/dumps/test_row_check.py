r"""Rows end at the first `\.` line, wherever members and pieces of members begin and end."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgconsole.dumps.layout import Extent
from pgconsole.dumps.manifest import Member, Section, SectionKind
from pgconsole.dumps.row_check import check_rows, tally_rows
from pgconsole.errors import DamagedError

BASE = 1000  # offset of the rows in the dump


def check(members: list[bytes], piece: int = 1 << 18) -> None:
    """Check members of rows that have as many lines as they say."""
    extents = [
        Extent(i * 100, 100, len(text), text.count(b"\n") - (i == len(members) - 1))
        for i, text in enumerate(members)
    ]
    section = Section(
        kind=SectionKind.DATA, table="t", raw_bytes=sum(map(len, members)),
        members=tuple(Member(e.offset, e.raw_bytes, e.rows) for e in extents),
    )  # fmt: skip
    tallies = [
        tally_rows(text[pos : pos + piece] for pos in range(0, len(text), piece))
        for text in members
    ]
    check_rows(section, extents, tallies, BASE)


_parts = st.sampled_from([b"\n", b"\\.", b"\\", b".", b"\r", b"x", b"\\.\n", b"\n\\.\n", b"1\ta\n"])


@given(
    st.lists(_parts, max_size=8).map(b"".join),
    st.lists(st.integers(1, 6), max_size=6),
    st.integers(1, 7),
)
def test_an_early_end_is_found_wherever_it_lies(rows: bytes, cuts: list[int], piece: int) -> None:
    text = rows + (b"" if rows.endswith(b"\n") or not rows else b"\n") + b"\\.\n"
    members = []
    rest = text
    for cut in cuts:
        members.append(rest[:cut])
        rest = rest[cut:]
    members = [member for member in [*members, rest] if member]

    first = re.search(rb"\n\\\.\r?\n", b"\n" + text)
    assert first is not None
    end = first.end() - 1
    if end == len(text):
        check(members, piece)
    else:
        with pytest.raises(DamagedError, match=f"end in it, before byte {BASE + end} "):
            check(members, piece)


def test_rows_without_an_end_are_damaged() -> None:
    for text in (b"1\n2\n", b"1\\.\n", b"\\\n.\n"):
        with pytest.raises(DamagedError, match="do not end"):
            check([text])


def test_a_byte_of_zero_is_found() -> None:
    with pytest.raises(DamagedError, match=f"at byte {BASE + 7} "):
        check([b"1\n2\n", b"34\n\0\n\\.\n"], 2)


def test_lines_are_counted() -> None:
    extent = Extent(0, 10, 6, 5)
    section = Section(kind=SectionKind.DATA, table="t", raw_bytes=6, members=())
    with pytest.raises(DamagedError, match="holds 2 lines instead of 6"):
        check_rows(section, [extent], [tally_rows([b"1\n\\.\n"])], BASE)
