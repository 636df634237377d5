"""The log pane in trouble: files that go, text that would act, too much of it, disks and sizes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.logs.writing import LogHome, entry
from tests.tui.driving import shown, until, until_shown
from tests.tui.log_scenes import (
    app_on,
    at,
    home_in,
    info,
    opened,
    opened_again,
    pane_of,
    settled,
    told,
)
from tests.tui.pictures import LARGE, SMALL

from pgconsole.jobs.store import jobs_directory
from pgconsole.schedule.service_log import OLDER, SERVICE_LOG
from pgconsole.schedule.state import schedule_directory


async def test_rotation_truncation_and_what_vanishes(home: LogHome) -> None:
    app = app_on(home)
    schedule = schedule_directory(home.settings)
    async with app.run_test(size=LARGE) as pilot:
        await opened(pilot)
        (schedule / SERVICE_LOG).rename(schedule / OLDER)
        home.say(7000, "after rotation")
        await until(pilot, lambda: told(pilot)[-1:] == ["after rotation"])
        assert len(told(pilot)) == 17
        os.truncate(schedule / SERVICE_LOG, 0)
        await until(pilot, lambda: len(told(pilot)) == 16)
        home.say(7001, "after truncation")
        await until(pilot, lambda: told(pilot)[-1:] == ["after truncation"])
        first, second = sorted(jobs_directory(home.settings).iterdir())
        shutil.rmtree(first)
        await until(pilot, lambda: len(told(pilot)) == 11)
        await opened_again(pilot, "left_square_bracket")
        shutil.rmtree(second)
        await until_shown(pilot, "This job has no log: it has not begun to write one, or its")
        shutil.rmtree(home.settings.state_dir)
        await opened_again(pilot, "a")
        await until_shown(pilot, "Nothing has been logged yet.")


HOSTILE = [
    "[red]not red[/red] [link=http://x]no link[/]",
    "escape \x1b[31m and bell \x07 and null \x00 and tab \t end",
    "wide 漢字かな交じり文 한국어 emoji 👩‍👩‍👧 end",
    "combining e\u0301\u0301\u0301 zalgo h\u0338e\u0338 end",
    "right to left \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 end",
    "override \u202egnp.exe\u202c end",
    "surrogate \ud800 end",
    "x" * 16_000,
    "漢" * 16_000,
]


@pytest.mark.parametrize("size", [SMALL, (60, 20), (20, 8), (300, 80)])
async def test_whatever_a_line_says_is_shown_as_text(tmp_path: Path, size: tuple[int, int]) -> None:
    home = home_in(tmp_path)
    job = home.job(at(0))
    home.write(job, *[hostile(n, text) for n, text in enumerate(HOSTILE)])
    home.write(job, b"x" * 10_000_000 + b"\n", b"\xff\xfe\n", b"[" * 99_999 + b"\n", b"{half")
    app = app_on(home)
    async with app.run_test(size=size) as pilot:
        pane = await opened(pilot, "g")
        await until(pilot, lambda: pane.view.viewport.count == len(HOSTILE))
        for key in ("w", "right", "right", "w", "pagedown", "G", "ctrl+f"):
            await pilot.press(key)
        await opened_again(pilot, *"end", "enter", "N", "N", "y", "j", "y", "escape")
        for y in range(pane.view.size.height):
            assert pane.view.render_line(y).cell_length == pane.view.scrollable_content_region.width
        await opened_again(pilot, "g")
        if size == SMALL:
            text = shown(app.screen)
            assert "[red]not red[/red] [link=http://x]no link[/]" in text
            assert "\x1b" not in text
            assert "\u202e" not in text


def hostile(second: int, text: str) -> bytes:
    line = json.loads(entry(second, ""))
    return json.dumps(line | {"message": text}).encode() + b"\n"


async def test_keys_are_answered_while_a_huge_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In small pieces, so that it takes long enough.
    monkeypatch.setattr("pgconsole.logs.segment._CHUNK", 1 << 16)
    monkeypatch.setattr("pgconsole.logs.book._PIECE", 1 << 16)
    monkeypatch.setattr("pgconsole.logs.desk._WORK", 0)
    home = home_in(tmp_path)
    job = home.job(at(0))
    for begin in range(0, 200_000, 10_000):
        home.write(job, *[entry(n / 100, f"line {n}") for n in range(begin, begin + 10_000)])
    app = app_on(home)
    async with app.run_test(size=SMALL) as pilot:
        pane = pane_of(pilot)

        def unread() -> int:
            return pane._talk.answer.unread if pane._talk.answer is not None else 0

        async def soon(condition: Callable[[], bool]) -> None:
            """As `until`, but never waits until there is nothing to do."""
            deadline = time.monotonic() + 60
            while not condition():
                assert time.monotonic() < deadline, shown(app.screen)
                await asyncio.sleep(0.005)

        app.simulate_key("l")
        await soon(lambda: told(pilot)[-1:] == ["line 199999"])
        assert unread()  # the newest lines are there before the others are read
        for last in (199_998, 199_997, 199_996):
            app.simulate_key("k")
            await soon(lambda last=last: told(pilot)[-1:] == [f"line {last}"])  # type: ignore[misc]
        assert "MiB more · PAUSED" in info(pilot)
        assert unread()
        await soon(lambda: not unread())
        assert told(pilot)[-1] == "line 199996"
        await pilot.press("g")
        await until(pilot, lambda: told(pilot)[:1] == ["line 0"])
        assert "200,000 lines" in info(pilot)


async def test_a_disk_that_hangs_is_told_and_does_not_hold_anybody(home: LogHome) -> None:
    app = app_on(home, logs=lambda _job: threading.Event().wait() and ())
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Protected")
        await pilot.press("l")
        await until_shown(pilot, "Reading the logs …")
        await until_shown(pilot, "no answer for")
        began = time.monotonic()
        await pilot.press("q")
    assert app.return_code == 0
    assert time.monotonic() - began < 10


async def test_logs_that_cannot_be_read_are_said_and_recover(home: LogHome) -> None:
    app = app_on(home)
    state = home.settings.state_dir
    away = state.with_name("away")
    state.rename(away)
    state.symlink_to(state.name)  # nobody, not even root, gets through
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Protected")
        await pilot.press("l")
        await until_shown(pilot, "✗ The logs can't be read")
        await until_shown(pilot, "Next: ")
        state.unlink()
        away.rename(state)
        await until(pilot, lambda: len(told(pilot)) > 3)
        journal = min(jobs_directory(home.settings).iterdir())
        aside = journal.with_name("aside")
        journal.rename(aside)
        journal.symlink_to(journal.name)
        await until_shown(pilot, "! The log")
        assert len(told(pilot)) > 3  # the others are still shown
        journal.unlink()
        aside.rename(journal)
        await until(pilot, lambda: "! The log" not in shown(app.screen))


@pytest.mark.parametrize("size", [(60, 20), (119, 30), (120, 30), (300, 80)])
async def test_any_size_and_resizing(home: LogHome, size: tuple[int, int]) -> None:
    app = app_on(home)
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "Protected")
        await pilot.press("4")
        pane = await settled(pilot)
        for new in [(80, 24), size, (60, 20), (160, 45), size]:
            await pilot.resize_terminal(*new)
            await until(pilot, lambda new=new: app.size == new)  # type: ignore[misc]
            assert pane.view.viewport.following
        await pilot.press("l", "g", "slash")
        await opened_again(pilot, *"up", "enter")
        assert told(pilot)[0]
