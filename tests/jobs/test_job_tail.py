"""Reading a journal that somebody else is writing, or has spoilt."""

from __future__ import annotations

import itertools
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgconsole.jobs import Tail
from pgconsole.jobs.journal import EVENTS, Journal
from pgconsole.redact import Redactor
from pgconsole.report import Event


def _lines(count: int, first: int = 1) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        with Journal(Path(name), Redactor([])) as journal:
            for number in range(1, first + count):
                journal.append(Event("dump", f"event {number} ü", bytes_done=number))
        lines = (Path(name) / EVENTS).read_bytes().splitlines(keepends=True)
    return b"".join(lines[first - 1 :])


def _seqs(tail: Tail) -> list[int]:
    found = []
    while entries := tail.read():
        found += [entry.seq for entry in entries]
    return found


SAMPLE = _lines(12)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / EVENTS


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_a_journal_that_is_not_there_yet(events: Path):
    tail = Tail(events.parent)
    assert tail.read() == []
    events.write_bytes(SAMPLE)
    assert _seqs(tail) == list(range(1, 13))
    assert tail.read() == []


def test_half_a_line_is_kept_until_it_is_whole(events: Path):
    tail = Tail(events.parent)
    middle = len(SAMPLE) - 10
    _append(events, SAMPLE[:middle])
    assert _seqs(tail) == list(range(1, 12))
    assert tail.read() == []
    _append(events, SAMPLE[middle:])
    assert _seqs(tail) == [12]


FIRST = SAMPLE.splitlines(keepends=True)[0]
GARBAGE = {
    "empty line": b"\n",
    "zeros": b"\0\0\0\n",
    "empty object": b"{}\n",
    "list": b"[1]\n",
    "null": b"null\n",
    "not UTF-8": b"\xff\xfe\n",
    "too deep": b"[" * 100_000 + b"\n",
    "fields missing": b'{"seq":1}\n',
    "torn line": SAMPLE[5:40] + b"\n",
    "too long": b"x" * 3_000_000 + b"\n",
    "sequence is text": FIRST.replace(b'"seq":1', b'"seq":"1"'),
    "no time zone": FIRST.replace(b"+00:00", b""),
    "unknown level": FIRST.replace(b'"info"', b'"loud"'),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_passed_over(events: Path, garbage: bytes):
    events.write_bytes(_lines(2) + garbage + _lines(2, first=3))
    assert _seqs(Tail(events.parent)) == [1, 2, 3, 4]


def test_a_shortened_journal_is_read_from_its_start(events: Path):
    events.write_bytes(SAMPLE)
    tail = Tail(events.parent)
    assert len(_seqs(tail)) == 12
    events.write_bytes(_lines(2))
    assert _seqs(tail) == [1, 2]


def test_a_replaced_journal_is_read_from_its_start(events: Path):
    events.write_bytes(_lines(2))
    tail = Tail(events.parent)
    assert _seqs(tail) == [1, 2]
    aside = events.with_name("aside")
    aside.write_bytes(SAMPLE)
    aside.rename(events)
    assert _seqs(tail) == list(range(1, 13))


def test_a_big_journal_from_near_its_end(events: Path):
    events.write_bytes(SAMPLE)
    last = len(SAMPLE.splitlines(keepends=True)[-1])
    assert _seqs(Tail(events.parent, last_bytes=last)) == [12]
    assert _seqs(Tail(events.parent, last_bytes=last - 1)) == [12]
    assert _seqs(Tail(events.parent, last_bytes=last + 1)) == [11, 12]
    assert _seqs(Tail(events.parent, last_bytes=10**9)) == list(range(1, 13))
    tail = Tail(events.parent, last_bytes=0)
    assert _seqs(tail) == []
    _append(events, _lines(1, first=13))
    assert _seqs(tail) == [13]


def test_a_file_without_lines_takes_no_memory(events: Path):
    with events.open("wb") as file:
        file.truncate(30_000_000)
    tail = Tail(events.parent)
    tracemalloc.start()
    try:
        assert tail.read() == []
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    _append(events, b"\n" + SAMPLE)
    assert _seqs(tail) == list(range(1, 13))


def test_one_call_reads_a_bounded_piece(events: Path):
    events.write_bytes(_lines(1) * 30_000)  # 4 MB
    tail = Tail(events.parent)
    first = tail.read()
    assert 0 < len(first) < 15_000
    assert len(first) + len(_seqs(tail)) == 30_000


@given(cuts=st.lists(st.integers(0, len(SAMPLE)), max_size=20))
def test_however_the_writer_is_cut_up_every_entry_comes_once(cuts: list[int]):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / EVENTS
        tail = Tail(Path(name))
        found: list[int] = []
        edges = [0, *sorted(cuts), len(SAMPLE)]
        for start, end in itertools.pairwise(edges):
            _append(path, SAMPLE[start:end])
            found += _seqs(tail)
            assert len(found) == SAMPLE[:end].count(b"\n")
        assert found == list(range(1, 13))


@given(steps=st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.booleans()), max_size=12))
def test_truncation_at_any_byte_never_hides_what_comes_later(steps: list[tuple[int, bool]]):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / EVENTS
        path.write_bytes(SAMPLE)
        tail = Tail(Path(name))
        for length, look in steps:
            with path.open("r+b") as file:
                file.truncate(length)
            if look:
                assert all(1 <= seq <= 12 for seq in _seqs(tail))
            _append(path, b"\n" + SAMPLE)
        with path.open("r+b") as file:
            file.truncate(0)
        assert _seqs(tail) == []
        _append(path, SAMPLE)
        assert _seqs(tail) == list(range(1, 13))


@given(content=st.binary(max_size=300), last_bytes=st.none() | st.integers(0, 400))
def test_any_bytes_are_survived(content: bytes, last_bytes: int | None):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / EVENTS
        path.write_bytes(content)
        tail = Tail(Path(name), last_bytes)
        assert tail.read() == []
        _append(path, b"\n" + SAMPLE)
        assert _seqs(tail) == list(range(1, 13))
