"""Pictures of the log pane's states. `pytest tests/tui/test_log_snapshots.py --snapshot-update`."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.logs.writing import LogHome, entry
from tests.tui.driving import is_settled, until, until_shown
from tests.tui.log_scenes import app_on, at, home_in, pane_of, settled, usual_home
from tests.tui.pictures import EACH_SIZE, SIZES, SMALL, Snap, still
from textual.pilot import Pilot

Run = Callable[[Pilot[Any]], Awaitable[None]]

# Each state, and the keys that lead to it from the pane.
STATES: dict[str, list[str]] = {
    "following": [],
    "paused": ["g"],
    "filtered": ["slash", *"backup.*(dump|upload)", "enter"],
    "narrowed": ["L", "T", *"3h", "enter", "left_square_bracket"],
    "no_match": ["slash", *"nowhere", "enter"],
    "wrong_filter": ["slash", "left_parenthesis"],
    "found": ["ctrl+f", *"table|key", "enter"],
    "not_found": ["ctrl+f", *"nowhere", "enter"],
    "marking": ["y", "k", "k"],
    "cut": ["w", "right"],
    "saving": ["S"],
    "help": ["question_mark"],
}
LARGE_TOO = ("following", "filtered", "narrowed", "found")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is not told: its seconds are others on each."""
    monkeypatch.setattr("pgconsole.widgets.log_words._SLOW", 1e9)


# What is said when a search has ended.
ENDS = {"found": "next, N before", "not_found": "no match"}


def pressed(*keys: str, shows: str = "") -> Run:
    async def run(pilot: Pilot[Any]) -> None:
        await until_shown(pilot, "Protected")
        await pilot.press("4")
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        await until_shown(pilot, shows)
        await still(pilot)

    return run


def odd_home(directory: Path) -> LogHome:
    """What others put into their names and messages."""
    home = home_in(directory)
    texts = [
        "[red]not red[/red] [@click=app.bell]no link[/]", "\u202egnp.exe\u202c and \x07",
        "漢字かな交じり文 한국어", "e\u0301\u0301 zalgo h\u0338e\u0338", "שלום مرحبا", "x" * 200,
    ]  # fmt: skip
    home.write(home.job(at(1)), *[entry(1 + n, text) for n, text in enumerate(texts)])
    return home


CASES = [
    pytest.param(state, *size.values, id=f"{state}-{size.id}", marks=size.marks)
    for state in STATES
    for size in EACH_SIZE
    if size.values == (SMALL,) or state in LARGE_TOO
]


@pytest.mark.parametrize(("state", "size"), CASES)
def test_states(snap_compare: Snap, tmp_path: Path, state: str, size: tuple[int, int]) -> None:
    app = app_on(usual_home(tmp_path))
    run = pressed(*STATES[state], shows=ENDS.get(state, ""))
    assert snap_compare(app, terminal_size=size, run_before=run)


@SIZES
def test_paused_while_lines_come(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    home = usual_home(tmp_path)

    async def run(pilot: Pilot[Any]) -> None:
        await pressed("f")(pilot)
        home.write(home.job(at(7000)), *[entry(7000, f"line {n}") for n in range(1234)])
        await until(pilot, lambda: pane_of(pilot)._talk.answer.news == 1234)  # type: ignore[union-attr]
        await still(pilot)

    assert snap_compare(app_on(home), terminal_size=size, run_before=run)


@SIZES
def test_full_screen(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_on(usual_home(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=pressed("l"))


@SIZES
def test_empty(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_on(home_in(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=pressed())


@SIZES
def test_loading(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_on(home_in(tmp_path), logs=lambda _job: threading.Event().wait() and ())
    assert snap_compare(app, terminal_size=size, run_before=waiting)


@SIZES
def test_error(snap_compare: Snap, tmp_path: Path, size: tuple[int, int]) -> None:
    def fail(_job: str) -> tuple[()]:
        raise OSError(5, "Input/output error")

    app = app_on(home_in(tmp_path), logs=fail)
    assert snap_compare(app, terminal_size=size, run_before=waiting)


async def waiting(pilot: Pilot[Any]) -> None:
    await until_shown(pilot, "Protected")
    await pilot.press("4")
    await still(pilot)
    assert not is_settled(pane_of(pilot))


def test_huge(snap_compare: Snap, tmp_path: Path) -> None:
    home = home_in(tmp_path)
    home.write(home.job(at(0)), *[entry(n / 10, f"line {n}") for n in range(50_000)])
    run = pressed("g", "pagedown", "slash", *"[05]$", "enter")
    assert snap_compare(app_on(home), terminal_size=(80, 24), run_before=run)


def test_what_others_write(snap_compare: Snap, tmp_path: Path) -> None:
    assert snap_compare(app_on(odd_home(tmp_path)), terminal_size=(80, 24), run_before=pressed())


@pytest.mark.parametrize("state", ["found", "marking"])
@pytest.mark.parametrize("colours", ["none", "ansi"])
def test_few_colours(
    snap_compare: Snap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, colours: str
) -> None:
    if colours == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLORTERM", "")
    app = app_on(usual_home(tmp_path))
    run = pressed(*STATES[state], shows=ENDS.get(state, ""))
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)
