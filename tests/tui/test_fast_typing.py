"""Keys that come together, as they do over a slow link: each acts before the next is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.logs.writing import LogHome
from tests.tui import inside_scenes, job_scenes
from tests.tui.driving import open_jobs, shown, until, until_shown
from tests.tui.log_scenes import app_on, opened
from tests.tui.scenes import SCENES
from textual import events
from textual.pilot import Pilot

from pgconsole.screens.jobs import JobsScreen
from pgconsole.widgets.grid import Grid

_NAMES = {"/": "slash", "\r": "enter", "\x1b": "escape", "\x0e": "down"}


def type_at_once(pilot: Pilot[None], text: str) -> None:
    """Let all these keys be there before the first one is handled."""
    driver = pilot.app._driver
    assert driver is not None
    for letter in text:
        event = events.Key(_NAMES.get(letter, letter), letter if letter.isprintable() else None)
        event.set_sender(pilot.app)
        driver.send_message(event)


@asynccontextmanager
async def jobs_listed() -> AsyncIterator[tuple[Pilot[None], Grid]]:
    """The list of jobs, when they are in it."""
    async with job_scenes.LISTS["full"]().app().run_test(size=(80, 24)) as pilot:
        grid = (await open_jobs(pilot)).query_one(Grid)
        await until(pilot, lambda: grid.count[0] > 3)
        yield pilot, grid


async def test_what_is_typed_behind_the_key_is_the_filter() -> None:
    async with SCENES["full"]().app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "✓ complete")
        type_at_once(pilot, "/2/bXs")
        await until_shown(pilot, "/ 2/bXs")
        assert "Type yes to" not in shown(pilot.app.screen)


async def test_an_opened_backup() -> None:
    async with inside_scenes.SCENES["full"]().app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        type_at_once(pilot, "/4s/v")
        await until_shown(pilot, "/ 4s/v")


async def test_the_log(home: LogHome) -> None:
    async with app_on(home).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        type_at_once(pilot, "/fgL/S")
        await until_shown(pilot, "/ fgL/S")


async def test_a_key_in_front_is_not_lost() -> None:
    async with jobs_listed() as (pilot, grid):
        order = grid.order
        type_at_once(pilot, "s/sS/c")
        await until_shown(pilot, "/ sS/c")
        assert grid.order != order


@pytest.mark.parametrize("left", ["\r", "\x0e"], ids=["enter", "down"])
async def test_what_is_typed_behind_the_filter_is_for_the_list(left: str) -> None:
    async with jobs_listed() as (pilot, grid):
        order = grid.order
        type_at_once(pilot, f"/^b{left}s")
        await until_shown(pilot, "/ ^b")
        await until(pilot, lambda: grid.order != order)
        assert "/ ^bs" not in shown(pilot.app.screen)  # nothing is hidden without a word


async def test_escape_behind_a_filter_shows_all() -> None:
    async with jobs_listed() as (pilot, grid):
        order = grid.order
        type_at_once(pilot, "/^b\x1bs")
        await until(pilot, lambda: grid.order != order)
        await until(pilot, lambda: grid.count[0] == grid.count[1])
        assert "/ ^b" not in shown(pilot.app.screen)


async def test_keys_behind_one_that_opens_a_screen_are_for_that_screen() -> None:
    async with SCENES["full"]().app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "✓ complete")
        type_at_once(pilot, "J/sX")
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsScreen))
        await until_shown(pilot, "/ sX")
