"""Takes the pictures of this directory from the real console, on the servers of the demo.

    make screenshots

Every run prepares a demo of its own, so times and sizes differ a little from run to run.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.demo.home import temporary_home
from pgconsole.demo.run import ready_demo
from pgconsole.demo.stopping import stop_signals
from pgconsole.settings import Settings

HERE = Path(__file__).parent
SMALL, LARGE = (80, 24), (160, 45)
_TIMEOUT = 60.0  # seconds

Scene = Callable[[Pilot[None]], Awaitable[None]]


async def take(settings: Settings, name: str, size: tuple[int, int], scene: Scene) -> None:
    """Open the console, play a scene, and save what is on the screen as `name.svg`."""
    app = PgconsoleApp(settings)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "local + S3" in text_of(app))
        await scene(pilot)
        await pilot.pause()
        app.save_screenshot(f"{name}.svg", path=str(HERE))
    print(f"screenshots/{name}.svg")


def text_of(app: PgconsoleApp) -> str:
    """What the screen shows, as text."""
    return app.export_screenshot().replace("&#160;", " ")


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until something is on the screen."""

    async def wait() -> None:
        while not condition():
            await pilot.pause(0.05)

    await asyncio.wait_for(wait(), _TIMEOUT)


async def as_it_opens(pilot: Pilot[None]) -> None:
    """The main screen; the notice about the demo's last backup is dismissed."""
    await pilot.press("x")


async def asking(pilot: Pilot[None]) -> None:
    """The question before a backup."""
    await pilot.press("x", "b")
    await until(pilot, lambda: bool(pilot.app.screen.query(Input)))
    await pilot.press("y", "e")


async def running(pilot: Pilot[None]) -> None:
    """A backup half-way."""
    await pilot.press("b")
    await until(pilot, lambda: bool(pilot.app.screen.query(Input)))
    await pilot.press("y", "e", "s", "enter")
    app = pilot.app
    assert isinstance(app, PgconsoleApp)
    await until(pilot, lambda: percent_of(app) >= 30)


def percent_of(app: PgconsoleApp) -> int:
    """How far the progress bar is; 0 if there is none."""
    found = re.search(r"(\d+)%", re.sub("<style.*?</style>", "", text_of(app), flags=re.DOTALL))
    return int(found[1]) if found else 0


async def restoring(pilot: Pilot[None]) -> None:
    """The question before a restore, once the server said who is connected."""
    await pilot.press("x", "j", "r")
    app = pilot.app
    assert isinstance(app, PgconsoleApp)
    await until(pilot, lambda: "Nobody" in text_of(app) or "sessions" in text_of(app))


async def restored(pilot: Pilot[None]) -> None:
    """What a restore checked: expected and found."""
    await pilot.press("x", "r")
    await until(pilot, lambda: bool(pilot.app.screen.query(Input)))
    await pilot.press("enter", "y", "e", "s", "enter")
    app = pilot.app
    assert isinstance(app, PgconsoleApp)
    await until(pilot, lambda: "as expected" in text_of(app))
    await pilot.press("o")


async def examined(pilot: Pilot[None]) -> None:
    """All that the doctor found."""
    await pilot.press("x", "D")
    app = pilot.app
    assert isinstance(app, PgconsoleApp)
    await until(pilot, lambda: "ok" in text_of(app) and "ooking" not in text_of(app))


async def scheduled(pilot: Pilot[None]) -> None:
    """The schedule pane."""
    await pilot.press("x", "3")


async def helping(pilot: Pilot[None]) -> None:
    """The help, made from the bindings."""
    await pilot.press("x", "question_mark")


async def take_all(settings: Settings) -> None:
    """All pictures, one after another."""
    await take(settings, "main-80x24", SMALL, as_it_opens)
    await take(settings, "main-160x45", LARGE, as_it_opens)
    await take(settings, "backup-dialog", SMALL, asking)
    await take(settings, "help", SMALL, helping)
    await take(settings, "schedule", SMALL, scheduled)
    await take(settings, "restore-dialog", SMALL, restoring)
    await take(settings, "doctor", LARGE, examined)
    await take(settings, "restore-outcome", SMALL, restored)
    await take(settings, "backup-running", LARGE, running)
    for job in jobs.list_jobs(settings, 1):
        jobs.wait(settings, job.id)


def main() -> None:
    """Prepare a demo, take the pictures, remove the demo."""
    # The colours of a capable terminal, wherever this runs.
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    os.environ.pop("NO_COLOR", None)
    with stop_signals(), temporary_home() as home, ready_demo(home) as settings:
        asyncio.run(take_all(settings))


if __name__ == "__main__":
    main()
