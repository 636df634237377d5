"""Filter, level, job, window of time, search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs.test_book import fresh_logs
from tests.logs.writing import START, Logs, entry, take_in, texts

from pgconsole.errors import ConfigurationError
from pgconsole.logs.desk import MOST_COPIED, WINDOW, Desk
from pgconsole.logs.query import ALL, Query, Window, pattern_of, window_of
from pgconsole.logs.requests import Answer, Copied, Copy, Find, Found, Request, Save, Saved
from pgconsole.report import Level

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 2, 25, 4, 2, 11, tzinfo=UTC)  # 05:02 in Berlin


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    logs = Logs(tmp_path)
    for second in range(20):
        level = ("info", "info", "warning", "info", "error")[second % 5]
        logs.append("ab"[second % 2], entry(second, f"Line {second}.", level=level))
    return logs


def wanted(logs: Logs, query: Query) -> list[int]:
    book = logs.book()
    book.ask(query)
    return [int(text[5:-1]) for text in texts(book)]


def test_each_condition_and_all_together(logs: Logs) -> None:
    def at(second: int) -> datetime:
        return START + timedelta(seconds=second)

    assert wanted(logs, ALL) == list(range(20))
    assert wanted(logs, Query(filter="line 1[0-3]")) == [10, 11, 12, 13]
    assert wanted(logs, Query(filter="Line 1[0-3]")) == [10, 11, 12, 13]
    assert wanted(logs, Query(filter="LINE")) == []
    assert wanted(logs, Query(filter="!line 1")) == [0, *range(2, 10)]
    assert wanted(logs, Query(filter="!")) == list(range(20))
    assert wanted(logs, Query(filter="^backup dump")) == list(range(20))
    assert wanted(logs, Query(level=Level.WARNING)) == [2, 4, 7, 9, 12, 14, 17, 19]
    assert wanted(logs, Query(level=Level.ERROR)) == [4, 9, 14, 19]
    assert wanted(logs, Query(job="b")) == list(range(1, 20, 2))
    assert wanted(logs, Query(job="gone")) == []
    assert wanted(logs, Query(window=Window(at(5), at(8)))) == [5, 6, 7]
    assert wanted(logs, Query(window=Window(None, at(2)))) == [0, 1]
    assert wanted(logs, Query(window=Window(at(50), None))) == []
    query = Query("!7", "b", Level.WARNING, Window(at(3), at(19)))
    assert wanted(logs, query) == [9]


@settings(deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=6),
    filter=st.sampled_from(["", "[02468]$", "![02468]$"]),
    level=st.sampled_from(list(Level)),
    since=st.none() | st.integers(0, 50),
)
def test_what_comes_later_is_filtered_as_what_was_there(
    batches: list[list[int]], filter: str, level: Level, since: int | None
) -> None:
    window = Window(None if since is None else START + timedelta(seconds=since))
    query = Query(filter, level=level, window=window)
    with fresh_logs() as logs:
        book = logs.book()
        book.ask(query)
        latest = [0, 0, 0]
        for number, batch in enumerate(batches):
            for at in batch:
                second = latest[number % 3] = max(at, latest[number % 3])
                levels = ("info", "warning", "error")
                logs.append("abc"[number % 3], entry(second, f"{second}", level=levels[second % 3]))
            texts(book)
        fresh = logs.book()
        fresh.ask(query)
        assert sorted(texts(book)) == sorted(texts(fresh))


WORK = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abc"), st.integers(0, 50)),
        st.sampled_from(["read", "advance", "", "[02468]$", "![02468]$", "warning", "job b"]),
    ),
    max_size=40,
)
QUERIES = {"warning": Query(level=Level.WARNING), "job b": Query(job="b")}


@settings(deadline=None)
@given(work=WORK, most=st.sampled_from([5, 1000]))
def test_in_whatever_pieces_the_work_is_done(work: list[str | tuple[str, int]], most: int) -> None:
    """Reading, filtering, writing and asking take turns; numbers stay or the generation says so."""
    with fresh_logs() as logs, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.logs.segment._CHUNK", 400)
        patch.setattr("pgconsole.logs.book._PIECE", 1)
        patch.setattr("pgconsole.logs.view._STEP", 2)
        patch.setattr("pgconsole.logs.view._QUICK_STEP", 2)
        book = logs.book(most)
        latest = dict.fromkeys("abc", 0)
        for number, step in enumerate(work):
            known = (book.generation, [line.key for line in book.lines(0, book.count)])
            if isinstance(step, tuple):
                name, second = step
                latest[name] = max(second, latest[name])
                level = ("info", "warning")[second % 2]
                logs.append(name, entry(latest[name], f"{name}{number}", level=level))
            elif step == "read":
                book.read()
            elif step == "advance":
                book.advance()
            else:
                book.ask(QUERIES.get(step, Query(step)))
            keys = [line.key for line in book.lines(0, book.count)]
            assert keys == sorted(set(keys))
            if book.generation == known[0]:
                assert keys[: len(known[1])] == known[1]
        fresh = logs.book(most)
        fresh.ask(book.query)
        found = texts(book)
        assert len(book) <= most * 1.1
        if most == 1000:
            assert sorted(found) == sorted(texts(fresh))


def test_what_is_no_expression_changes_nothing(logs: Logs) -> None:
    book = logs.book()
    book.ask(Query(filter="1"))
    with pytest.raises(ConfigurationError, match="is no expression"):
        book.ask(Query(filter="["))
    assert book.query == Query(filter="1")
    assert len(texts(book)) == 11


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("", None, None),
        ("15m", "2026-02-25T03:47:11", None),
        ("1d12h", "2026-02-23T16:02:11", None),
        ("02:00", "2026-02-25T01:00", None),
        ("6:30", "2026-02-24T05:30", None),  # not yet today
        ("02:00..03:30", "2026-02-25T01:00", "2026-02-25T02:30"),
        ("22:00..03:00", "2026-02-24T21:00", "2026-02-25T02:00"),
        ("2026-02-24", "2026-02-23T23:00", None),
        ("2026-02-24 01:00Z..2h", "2026-02-24T01:00", "2026-02-25T02:02:11"),
        ("..1h", None, "2026-02-25T03:02:11"),
    ],
)
def test_windows(text: str, since: str | None, until: str | None) -> None:
    def at(moment: str | None) -> datetime | None:
        return datetime.fromisoformat(moment).replace(tzinfo=UTC) if moment else None

    assert window_of(text, NOW, BERLIN) == Window(at(since), at(until))


@pytest.mark.parametrize("text", ["soon", "25:00", "..", "1h..2h", "99999999w", "2026-13-01"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no window of time"):
        window_of(text, NOW, BERLIN)


def settle(desk: Desk, request: Request) -> Answer:
    desk.ask(request)
    answer, more = desk.answer()
    while more:
        answer, more = desk.answer()
    return answer


def test_search_goes_on_and_around(logs: Logs) -> None:
    desk = Desk(logs.book())
    key = None

    def found(back: bool) -> tuple[str, bool]:
        nonlocal key
        answer = settle(desk, Request(order=Find(1, pattern_of("5"), key, back=back)))
        assert isinstance(answer.done, Found)
        assert answer.top is not None
        key = answer.done.key
        return answer.lines[answer.top - answer.first].text, answer.done.around

    assert [found(back=False) for _ in range(4)] == [
        ("Line 5.", False), ("Line 15.", False), ("Line 5.", True), ("Line 15.", False),
    ]  # fmt: skip
    assert [found(back=True) for _ in range(4)] == [
        ("Line 5.", False), ("Line 15.", True), ("Line 5.", False), ("Line 15.", True),
    ]  # fmt: skip
    nothing = settle(desk, Request(order=Find(9, pattern_of("nothing"), key, back=True)))
    assert nothing.done == Found(nothing.request.order, None)  # type: ignore[arg-type]


def test_copying_takes_the_lines_from_one_to_the_other(logs: Logs, tmp_path: Path) -> None:
    desk = Desk(logs.book())
    lines = settle(desk, Request()).lines
    query = Query(level=Level.WARNING)
    few = settle(desk, Request(query, order=Copy(1, lines[1].key, lines[7].key))).done
    assert isinstance(few, Copied)
    assert few.count == 3
    assert [text.rpartition(": ")[2] for text in few.text.splitlines()] == [
        "Line 2.", "Line 4.", "Line 7.",
    ]  # fmt: skip
    logs.append("a", b"".join(entry(30 + n / 100, f"more {n}") for n in range(MOST_COPIED)))
    last = settle(desk, Request()).lines[-1].key
    many = settle(desk, Request(order=Copy(2, lines[0].key, last))).done
    assert isinstance(many, Copied)
    assert (many.count, many.text) == (MOST_COPIED + 20, "")


def test_a_place_is_found_again_when_other_lines_are_wanted(logs: Logs) -> None:
    desk = Desk(logs.book())
    key = settle(desk, Request()).lines[9].key
    filtered = settle(desk, Request(Query(filter="!8"), top=key, last=key))
    assert filtered.lines[filtered.top].text == "Line 9."
    assert filtered.news == 9  # 10 to 19, without 18
    logs.append("c", entry(3.5, "late") + entry(30, "new"))
    later = settle(desk, Request(Query(filter="!8"), top=key, last=key))
    assert later.lines[later.top].text == "Line 9."
    assert later.generation > filtered.generation
    assert later.news == 10


def test_only_some_lines_are_handed_over(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.append("a", b"".join(entry(n, f"line {n}") for n in range(5000)))
    desk = Desk(logs.book())
    end = settle(desk, Request())
    assert (end.first, len(end.lines), end.count) == (5000 - WINDOW, WINDOW, 5000)
    middle = settle(desk, Request(number=2000))
    assert middle.first < 2000 - 100
    assert middle.first + len(middle.lines) > 2000 + 100
    assert middle.lines[2000 - middle.first].text == "line 2000"
    assert settle(desk, Request(number=0)).first == 0


def test_saving_writes_what_is_wanted_and_never_overwrites(logs: Logs, tmp_path: Path) -> None:
    desk = Desk(logs.book())
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    first = settle(desk, Request(order=Save(1, target / "mine.txt")))
    assert isinstance(first.done, Saved)
    assert first.done.problem is not None
    assert "there is something of that name" in first.done.problem.cause
    assert (target / "mine.txt").read_text() == "mine"
    query = Query(level=Level.ERROR)
    second = settle(desk, Request(query, order=Save(2, target / "log.txt")))
    assert isinstance(second.done, Saved)
    assert (second.done.lines, second.done.problem) == (4, None)
    assert (target / "log.txt").read_text().splitlines()[0] == (
        "2026-02-25T02:00:04.000Z backup dump: ERROR: Line 4."
    )
    assert (target / "log.txt").stat().st_mode & 0o777 == 0o600
    third = settle(desk, Request(order=Save(3, target / "no" / "log.txt")))
    assert isinstance(third.done, Saved)
    assert third.done.problem is not None
    assert sorted(path.name for path in target.iterdir()) == ["log.txt", "mine.txt"]
    assert take_in(logs.book()).count == 20


def test_leaving_while_a_log_is_saved_leaves_nothing(logs: Logs, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    desk = Desk(logs.book())
    settle(desk, Request())
    desk.close()
    answer = settle(desk, Request(order=Save(1, target / "log.txt")))
    assert isinstance(answer.done, Saved)
    assert answer.done.problem is not None
    assert list(target.iterdir()) == []
