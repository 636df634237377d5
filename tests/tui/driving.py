"""Waits for what the console shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.pilot import Pilot
from textual.screen import Screen

from pgconsole.app import PgconsoleApp
from pgconsole.screens.job import JobScreen
from pgconsole.screens.jobs import JobsScreen
from pgconsole.screens.log_pane import LogPane


def shown(screen: Screen[object]) -> str:
    """What is on the screen, as text, line by line."""
    strips = screen._compositor.render_strips(screen.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def app_of(pilot: Pilot[None]) -> PgconsoleApp:
    app = pilot.app
    assert isinstance(app, PgconsoleApp)
    return app


async def until(pilot: Pilot[None], condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Let the app run until the condition holds; say what was on the screen if it never does."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s:\n{shown(pilot.app.screen)}")
        await asyncio.sleep(0.05)
    await pilot.pause()


HALF_A_LINE = 65_536  # bytes


def is_settled(pane: LogPane) -> bool:
    """Whether all that the log pane asked for has come."""
    talk = pane._talk
    answer = talk.answer
    return (
        answer is not None
        and answer.request == talk._request
        and answer.unread < HALF_A_LINE
        and not (answer.unseen or talk.order)
    )


async def until_shown(pilot: Pilot[None], text: str, timeout: float = 30.0) -> None:
    """Let the app run until this text is on the screen."""
    await until(pilot, lambda: text in shown(pilot.app.screen), timeout)


async def click_text(pilot: Pilot[None], text: str, times: int = 1) -> None:
    """Click on the first cell of a text, once or more often."""
    for row, line in enumerate(shown(pilot.app.screen).splitlines()):
        if text in line:
            column = line.index(text)
            widget, region = pilot.app.screen.get_widget_at(column, row)
            await pilot.click(widget, (column - region.x, row - region.y), times=times)
            return
    raise AssertionError(f"{text!r} is not on the screen")


async def say_yes(pilot: Pilot[None]) -> None:
    """Answer the question that is asked."""
    await until_shown(pilot, "Type yes to")
    await pilot.press(*"yes", "enter")


async def open_jobs(pilot: Pilot[None]) -> JobsScreen:
    """Open the list of jobs."""
    await pilot.press("J")
    await until(pilot, lambda: isinstance(pilot.app.screen, JobsScreen))
    screen = pilot.app.screen
    assert isinstance(screen, JobsScreen)
    return screen


async def open_job(pilot: Pilot[None], key: str) -> JobScreen:
    """Open a job with this key."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, JobScreen))
    screen = pilot.app.screen
    assert isinstance(screen, JobScreen)
    return screen
