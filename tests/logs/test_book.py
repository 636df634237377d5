"""Many logs as one, while they grow, are cut off, exchanged and removed."""

from __future__ import annotations

import gc
import os
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs.writing import Logs, entry, take_in, texts

from pgconsole.jobs.journal import Journal
from pgconsole.logs.book import LogBook, as_text
from pgconsole.redact import Redactor
from pgconsole.report import Event, Level
from pgconsole.schedule.service_log import OLDER, SERVICE_LOG, ServiceLog


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


@contextmanager
def fresh_logs() -> Iterator[Logs]:
    with tempfile.TemporaryDirectory() as name:
        yield Logs(Path(name))


def test_what_a_journal_writes_is_read(logs: Logs, tmp_path: Path) -> None:
    directory = tmp_path / "job"
    directory.mkdir()
    with Journal(directory, Redactor([])) as journal:
        journal.append(Event("dump", 'a "quoted" \\ back\x07slash, [red] 漢字 é'))
        journal.append(Event("dump", bytes_done=5))
        journal.append(Event("verify", "odd", Level.WARNING, table='public."x"'))
    (directory / "events.jsonl").rename(tmp_path / "a")
    directory.rmdir()
    book = take_in(logs.book())
    found = [(line.phase, line.level, line.text, line.job) for line in book.lines(0, 9)]
    assert found == [
        ("dump", Level.INFO, 'a "quoted" \\ backslash, [red] 漢字 é', "a"),
        ("verify", Level.WARNING, "odd", "a"),
    ]


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 300), st.booleans()),
    max_size=30,
)


@pytest.mark.parametrize("clock", ["right", "set now and then"])
@settings(deadline=None)
@given(steps=STEPS)
def test_each_line_once_however_they_were_written(clock: str, steps: list) -> None:  # type: ignore[type-arg]
    """Within a file as it was written, and by time among files. Half lines wait."""
    with fresh_logs() as logs:
        book = logs.book()
        written: dict[str, list[tuple[int, str]]] = {}
        pending: dict[str, bytes] = {}
        for number, (name, after, cut, look) in enumerate(steps):
            in_file = written.setdefault(name, [])
            second = after + (in_file[-1][0] if in_file and clock == "right" else 0)
            line = pending.pop(name, b"") + entry(second, f"{name}{number}")
            pending[name] = line[max(0, len(line) - cut) :] if cut else b""
            logs.append(name, line[: len(line) - len(pending[name])])
            in_file.append((second, f"{name}{number}"))
            if look:
                texts(book)
        for name, rest in pending.items():
            logs.append(name, rest)
        for found in (texts(book), texts(logs.book())):
            times = {text: at for lines in written.values() for at, text in lines}
            assert sorted(found) == sorted(times)
            for name, lines in written.items():
                assert [text for text in found if text[0] == name] == [text for _, text in lines]
            if clock == "right":
                assert [times[text] for text in found] == sorted(times.values())


@settings(deadline=None)
@given(seconds=st.lists(st.integers(0, 99), min_size=1, max_size=60), piece=st.integers(200, 900))
def test_a_file_is_read_from_its_end_piece_by_piece(seconds: list[int], piece: int) -> None:
    with fresh_logs() as logs, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.logs.segment._CHUNK", piece)
        patch.setattr("pgconsole.logs.book._PIECE", 1)
        for number, second in enumerate(sorted(seconds)):
            logs.append("ab"[number % 2], entry(second, f"line {number}"))
        logs.append("a", b"{half")
        book = logs.book()
        assert book.read() or len(book) == len(seconds)
        newest = [line.text for line in book.lines(0, len(book))][-1]
        assert newest in (f"line {len(seconds) - 1}", f"line {len(seconds) - 2}")
        by_time = sorted(range(len(seconds)), key=lambda n: (sorted(seconds)[n], n % 2, n))
        assert texts(book) == [f"line {number}" for number in by_time]


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from("ab"), st.integers(1, 4)),
        st.tuples(st.just("cut"), st.sampled_from("ab"), st.integers(0, 400)),
        st.tuples(st.just("replace"), st.sampled_from("ab"), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.sampled_from("ab"), st.just(0)),
        st.tuples(st.just("rename"), st.just("a"), st.just(0)),
    ),
    max_size=15,
)


@settings(deadline=None)
@given(operations=OPERATIONS, filtered=st.booleans())
def test_whatever_happens_to_the_files_what_is_in_them_is_shown(
    operations: list[tuple[str, str, int]], filtered: bool
) -> None:
    """A book that saw everything has, in the end, what a new one has."""
    from pgconsole.logs.query import Query

    query = Query(filter="[02468]$" if filtered else "")
    with fresh_logs() as logs:
        book = logs.book()
        book.ask(query)
        number = 0
        for what, name, amount in operations:
            path = logs.directory / name
            if what in ("write", "replace"):
                lines = b""
                for _ in range(amount):
                    number += 1
                    lines += entry(number % 7, f"line {number}")
                if what == "write":
                    logs.append(name, lines)
                else:
                    aside = logs.directory / f"{name}.new"
                    aside.write_bytes(lines)
                    aside.rename(path)
            elif path.exists():
                if what == "cut":
                    os.truncate(path, min(amount, path.stat().st_size))
                elif what == "remove":
                    path.unlink()
                else:
                    path.rename(logs.directory / "a.1")
            texts(book)
        fresh = logs.book()
        fresh.ask(query)
        assert sorted(texts(book)) == sorted(texts(fresh))


def test_written_anew_and_as_long_as_before(logs: Logs) -> None:
    """Emptied and filled again between two looks: its size tells nothing."""
    logs.append("a", entry(1, "old 1") + entry(2, "old 2"))
    book = logs.book()
    assert texts(book) == ["old 1", "old 2"]
    (logs.directory / "a").write_bytes(entry(3, "new 1") + entry(4, "new 2") + entry(5, "new 3"))
    assert texts(book) == ["new 1", "new 2", "new 3"]


def test_a_line_that_is_gone_before_it_is_shown_says_so(logs: Logs) -> None:
    logs.append("a", entry(1, "one") + entry(2, "two"))
    book = take_in(logs.book())
    os.truncate(logs.directory / "a", 0)
    assert [line.text for line in book.lines(0, 2)] == ["(this line is no longer in its file)"] * 2


def test_rotation_loses_no_line_and_shows_none_twice(tmp_path: Path) -> None:
    from tests.logs.writing import START

    from pgconsole.logs.segment import Place

    kept = ServiceLog(tmp_path / "schedule", largest=2000)
    places = [Place(tmp_path / "schedule" / name, "", "service") for name in (SERVICE_LOG, OLDER)]
    book = LogBook(lambda: places)
    seen: list[str] = []
    for number in range(100):
        kept.append(START, "schedule", Level.INFO, f"line {number}")
        if number % 3 == 0:
            shown = texts(book)
            assert len(shown) == len(set(shown))
            seen += [text for text in shown if text not in seen]
    assert seen == [f"line {number}" for number in range(100)]
    assert sum(path.stat().st_size for path in (tmp_path / "schedule").iterdir()) < 4200
    assert len(list((tmp_path / "schedule").iterdir())) == 2


def test_files_are_let_go_with_who_read_them(tmp_path: Path) -> None:
    def held() -> list[str]:
        links = list(Path("/proc/self/fd").iterdir())
        return [str(link.readlink()) for link in links if link.is_symlink()]

    logs = Logs(tmp_path)
    logs.append("a", entry(1, "one"))
    book = take_in(logs.book())
    assert str(tmp_path / "a") in held()
    del book
    gc.collect()
    assert str(tmp_path / "a") not in held()


def test_a_torn_line_of_the_service_log_costs_only_itself(tmp_path: Path) -> None:
    from tests.logs.writing import START

    logs = Logs(tmp_path)
    ServiceLog(tmp_path).append(START, "schedule", Level.INFO, "first")
    with (tmp_path / SERVICE_LOG).open("ab") as file:
        file.write(entry(1, "killed")[:40])
    ServiceLog(tmp_path).append(START, "schedule", Level.ERROR, "after")
    assert texts(logs.book()) == ["first", "after"]


def test_a_long_line_of_somebody_else_takes_no_memory(logs: Logs) -> None:
    with (logs.directory / "a").open("wb") as file:
        file.truncate(30_000_000)
    book = logs.book()
    tracemalloc.start()
    try:
        assert texts(book) == []
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    logs.append("a", b"\n" + entry(1, "after it"))
    assert texts(book) == ["after it"]


@pytest.mark.parametrize("garbage", [b"\n", b"{}\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"1\n"])
def test_garbage_is_passed_over(logs: Logs, garbage: bytes) -> None:
    logs.append("a", entry(1, "one") + garbage + entry(2, "two"))
    assert texts(logs.book()) == ["one", "two"]


def test_no_more_lines_are_known_than_may_be(logs: Logs) -> None:
    book = logs.book(most=100)
    for number in range(1000):
        logs.append("a", entry(number, f"line {number}"))
        take_in(book)
        assert len(book) <= 110
    assert texts(book)[-1] == "line 999"
    fresh = take_in(logs.book(most=100))
    assert [line.text for line in fresh.lines(0, 1000)] == [f"line {n}" for n in range(900, 1000)]


def test_pipes_and_links_are_no_logs(logs: Logs) -> None:
    os.mkfifo(logs.directory / "pipe")
    (logs.directory / "link").symlink_to("/etc/passwd")
    logs.append("a", entry(1, "one"))
    assert texts(logs.book()) == ["one"]


def test_files_are_let_go(logs: Logs) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    book = take_in(logs.book())
    before = opened()
    for number in range(30):
        logs.append("a", entry(number, "x"))
        take_in(book)
        (logs.directory / "a").unlink()
    take_in(book)
    assert opened() == before


def test_as_text(logs: Logs) -> None:
    logs.append("a", entry(1.25, "one [red]", level="error"))
    line = take_in(logs.book()).line(0)
    assert as_text(line) == "2026-02-25T02:00:01.250Z backup dump: ERROR: one [red]"
