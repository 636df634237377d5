"""Which rows of a log are on the screen, against all rows in a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.logs.writing import START
from tests.tui.driving import until
from tests.tui.pictures import SMALL
from textual.app import App, ComposeResult

from pgconsole.logs.lines import Key, LogLine
from pgconsole.logs.query import pattern_of
from pgconsole.logs.requests import Answer, Request
from pgconsole.report import Level
from pgconsole.widgets.log_rows import Layout, Row, breaks, day_row, rows_of
from pgconsole.widgets.log_view import LogView
from pgconsole.widgets.log_viewport import Viewport

UTC = ZoneInfo("UTC")
LAYOUT = Layout(UTC, width=40)


def line(number: int, text: str = "x", *, days: int = 0, level: Level = Level.INFO) -> LogLine:
    time = START + timedelta(seconds=number, days=days)
    key = Key(int(time.timestamp() * 1000), 0, number * 100)
    return LogLine(key, "", "backup", time, "dump", level, text)


def lines(*lengths: int) -> tuple[LogLine, ...]:
    return tuple(line(number, "y" * length) for number, length in enumerate(lengths))


def answer(known: tuple[LogLine, ...], **more: object) -> Answer:
    base = Answer(total=len(known), count=len(known), lines=known)
    return replace(base, **more)  # type: ignore[arg-type]


def all_rows(known: tuple[LogLine, ...], layout: Layout) -> list[Row]:
    rows = [row for one in known for row in rows_of(one, layout)]
    return [day_row(known[0], layout), *rows] if known else []


def text_of(row: Row) -> str:
    return "".join(text for text, _ in row)


MOVES: dict[str, Callable[[Viewport], None]] = {
    "down": lambda view: view.scroll(1),
    "up": lambda view: view.scroll(-1),
    "page down": lambda view: view.page(1),
    "page up": lambda view: view.page(-1),
    "top": lambda view: view.go_to(0),
    "end": lambda view: view.follow(),
}


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(0, 60), max_size=25),
    height=st.integers(1, 12),
    moves=st.lists(st.sampled_from(list(MOVES)), max_size=20),
)
def test_it_shows_a_part_of_all_rows(lengths: list[int], height: int, moves: list[str]) -> None:
    known = lines(*lengths)
    view = Viewport(LAYOUT)
    view.resize(40, height)
    view.show(answer(known))
    rows = all_rows(known, LAYOUT)
    end = max(0, len(rows) - height)
    at = end
    for move in ["end", *moves]:
        MOVES[move](view)
        page = max(1, height - 1)
        steps = {"down": 1, "up": -1, "page down": page, "page up": -page}
        wanted = {"top": 0, "end": end}.get(move, at + steps.get(move, 0))
        at = max(0, min(wanted, end))
        shown = [row for _, row in view.screen()]
        assert len(shown) == height
        assert shown[: len(rows)] == rows[at : at + height]
        assert view.following == (at == end)


def test_new_lines_move_it_only_while_it_follows() -> None:
    view = Viewport(LAYOUT)
    view.resize(40, 3)
    view.show(answer(lines(*[1] * 10)))
    view.show(answer(lines(*[1] * 11)))
    assert [shown.number for shown in view.screen()] == [8, 9, 10]
    view.scroll(-2)
    view.show(answer(lines(*[1] * 20)))
    assert [shown.number for shown in view.screen()] == [6, 7, 8]
    assert view.paused_at == line(10).key
    view.follow()
    assert [shown.number for shown in view.screen()] == [17, 18, 19]


def test_it_stays_at_its_line_when_numbers_change() -> None:
    view = Viewport(LAYOUT)
    view.resize(40, 3)
    view.show(answer(lines(*[1] * 10)))
    view.scroll(-4)
    assert view.screen()[0].number == 3
    kept = tuple(one for one in lines(*[1] * 10) if one.key.offset != 100)
    view.show(answer(kept, generation=1))
    assert view.screen()[0].number == 2
    assert view.top == 2
    # Its line is not wanted any more: the next one is at the top, once that is answered.
    gone = tuple(one for one in kept if one.key.offset != 300)
    view.show(answer(gone, generation=2))
    top, number = view.wanted
    assert (top, number) == (line(3).key, None)
    view.show(answer(gone, generation=2, request=Request(top=top), top=2))
    assert view.line(view.top) == lines(*[1] * 10)[4]


def test_its_place_is_kept_while_a_filter_is_worked_out() -> None:
    """The newest lines are looked at first: what is found then is not next to the place."""
    known = lines(*[1] * 100)
    view = Viewport(LAYOUT)
    view.resize(40, 3)
    view.show(answer(known))
    view.go_to(10)
    asked = Request(top=known[10].key)
    some = known[50::2]
    view.show(answer(some, generation=1, request=asked, top=0, unseen=50))
    assert view.wanted == (known[10].key, None)
    more = known[1:50:2] + some
    view.show(answer(more, generation=2, request=asked, top=5))
    assert view.line(view.top) == known[11]


def test_a_jump_asks_for_a_number_and_then_knows_its_line() -> None:
    known = lines(*[1] * 600)
    view = Viewport(LAYOUT)
    view.resize(40, 3)
    view.show(answer(known, count=5000, first=4400))
    assert view.wanted == (None, None)
    view.go_to(1000)
    assert view.wanted == (None, 1000)
    assert [text_of(shown.row) for shown in view.screen()] == ["…"] * 3
    request = Request(number=1000)
    view.show(answer(known, count=5000, first=750, request=request, top=1000))
    assert text_of(view.screen()[0].row).endswith(" y")
    assert view.wanted == (None, 1000)  # it is at hand: nothing else is asked for
    view.scroll(260)
    assert view.wanted == (known[1260 - 750].key, None)


def test_a_day_begins_with_a_heading() -> None:
    known = (line(0, "one", days=-1), line(1, "two"), line(2, "three"))
    view = Viewport(LAYOUT)
    view.resize(40, 5)
    view.show(answer(known))
    assert [text_of(row)[:21].strip("─ ") for _, row in view.screen()] == [
        "Tue 2026-02-24 UTC", "02:00:00  backup   du",
        "Wed 2026-02-25 UTC", "02:00:01  backup   du", "02:00:02  backup   du",
    ]  # fmt: skip


def test_cut_lines_are_scrolled_as_far_as_there_is_text() -> None:
    view = Viewport(replace(LAYOUT, wrap=False))
    view.resize(40, 3)
    view.show(answer((line(0, "short"), line(1, "abcdefghij漢字" + "k" * 20))))
    assert text_of(view.screen()[2].row)[29:] == "abcdefghij"  # there is a cell, and 漢 takes two
    view.shift(10)
    assert text_of(view.screen()[2].row)[29:] == "漢字" + "k" * 7
    view.shift(1000)
    assert text_of(view.screen()[2].row)[29:] == "k" * 11
    view.shift(-1000)
    assert text_of(view.screen()[1].row)[29:] == "short"


TEXT = st.text(st.sampled_from("ab  漢é\u0301\u200dﷺ😀👨\u05d0"), max_size=80)


@settings(deadline=None)
@given(text=TEXT, width=st.integers(2, 20))
def test_pieces_fit_and_nothing_is_lost(text: str, width: int) -> None:
    pieces = breaks(text, width)
    assert pieces[0][0] == 0
    assert pieces[-1][1] == len(text)
    for (_, end), (start, _) in pairwise(pieces):
        assert text[end:start] in ("", " ")
    for start, end in pieces:
        assert cell_len(text[start:end]) <= width


def test_text_is_cut_at_spaces_if_it_can_be() -> None:
    def cut(text: str, width: int) -> list[str]:
        return [text[start:end] for start, end in breaks(text, width)]

    assert cut("one two three", 8) == ["one two", "three"]
    assert cut("one two", 3) == ["one", "two"]
    assert cut("abcdefgh", 3) == ["abc", "def", "gh"]
    assert cut("漢字漢字", 5) == ["漢字", "漢字"]
    assert cut("", 5) == [""]


@pytest.mark.parametrize("wrap", [True, False])
def test_what_is_searched_for_is_marked_in_all_columns(wrap: bool) -> None:
    layout = replace(LAYOUT, width=60, wrap=wrap, pattern=pattern_of("dump|up t|e"))
    rows = rows_of(line(0, "back up the [red]", level=Level.ERROR), layout)
    marked = [text for row in rows for text, css in row if "log--match" in css]
    assert marked == ["dump", "up t", "e", "e"]
    assert text_of(rows[0]).endswith("✗ back up the [red]")


def test_how_bad_a_line_is_stays_in_view_when_it_is_scrolled() -> None:
    layout = replace(LAYOUT, wrap=False, left=5)
    assert text_of(rows_of(line(0, "0123456789", level=Level.ERROR), layout)[0])[29:] == "✗ 56789"
    assert text_of(rows_of(line(0, "0123456789", level=Level.WARNING), layout)[0])[29:] == "! 56789"
    assert text_of(rows_of(line(0, "0123456789"), layout)[0])[29:] == "56789"


def test_a_very_long_line_is_quick_and_whole() -> None:
    text = "word " * 4000
    rows = rows_of(line(0, text), replace(LAYOUT, pattern=pattern_of("o")))
    assert "".join(text_of(row)[29:] for row in rows).replace(" ", "") == "word" * 4000


async def test_the_scrollbar_shows_the_end_from_the_first_lines_on() -> None:
    class Logs(App[None]):
        def compose(self) -> ComposeResult:
            yield LogView(UTC, kinds=False)

    app = Logs()
    async with app.run_test(size=SMALL) as pilot:
        view = app.query_one(LogView)
        await until(pilot, lambda: view.size.height > 0)
        view.show(answer(lines(*[3] * 100)))  # before there is a scrollbar
        await until(pilot, lambda: view.show_vertical_scrollbar)
        assert view.vertical_scrollbar.position == view.scroll_y == view.max_scroll_y > 0
