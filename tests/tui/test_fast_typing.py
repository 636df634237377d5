"""Keys that come together, as they do over a slow link: what is typed behind `/` is a filter."""

from __future__ import annotations

from tests.logs.writing import LogHome
from tests.tui import inside_scenes, job_scenes
from tests.tui.driving import open_jobs, shown, until_shown
from tests.tui.log_scenes import app_on, opened
from tests.tui.scenes import SCENES
from textual import events
from textual.pilot import Pilot


def type_at_once(pilot: Pilot[None], text: str) -> None:
    """Let all these keys be there before the first one is handled."""
    driver = pilot.app._driver
    assert driver is not None
    for letter in text:
        key = "slash" if letter == "/" else letter
        event = events.Key(key, letter)
        event.set_sender(pilot.app)
        driver.send_message(event)


async def test_the_lists_of_backups() -> None:
    async with SCENES["full"]().app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "✓ complete")
        type_at_once(pilot, "/2/bXs")
        await until_shown(pilot, "/ 2/bXs")
        assert "Type yes to" not in shown(pilot.app.screen)


async def test_the_list_of_jobs() -> None:
    async with job_scenes.LISTS["full"]().app().run_test(size=(80, 24)) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "✓ done")
        type_at_once(pilot, "/sS/c")
        await until_shown(pilot, "/ sS/c")


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
