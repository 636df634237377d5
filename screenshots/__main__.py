"""Takes the pictures of this directory, and records a session, from the real console.

    make screenshots

Servers, data and backups are those of the demo, made anew at every run: times and sizes differ a
little from run to run.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from screenshots.png import write_png
from screenshots.scenes import LARGE, SCENES, SMALL, Scene
from screenshots.session import record_session
from textual.pilot import Pilot

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.demo.home import temporary_home
from pgconsole.demo.run import ready_demo
from pgconsole.demo.stopping import stop_signals
from pgconsole.screens.welcome import Welcome
from pgconsole.settings import Settings

HERE = Path(__file__).parent
_TIMEOUT = 60.0  # seconds


async def take(settings: Settings, scene: Scene) -> None:
    """Open the console, play a scene, and save what is on the screen."""
    app = PgconsoleApp(settings)
    async with app.run_test(size=scene.size) as pilot:
        await until(pilot, "local + S3")
        for keys, text in scene.steps:
            await pilot.press(*keys)
            await until(pilot, text)
        await save(pilot, scene.name)


async def take_first_screen() -> None:
    """What somebody sees who has configured nothing."""
    nothing = Settings.model_validate({})
    app = PgconsoleApp(nothing, welcome=Welcome(file=Path("/srv/app/.env"), no_demo=""))
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, "PGHOST")
        await save(pilot, "first-run")


async def take_running(settings: Settings) -> None:
    """A backup half-way."""
    app = PgconsoleApp(settings)
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, "local + S3")
        await pilot.press("b")
        await until(pilot, "Type yes")
        await pilot.press("y", "e", "s", "enter")
        await until_true(pilot, lambda: _percent(text_of(app)) >= 30)
        await save(pilot, "backup-running")
    for job in jobs.list_jobs(settings, 1):
        jobs.wait(settings, job.id)


async def take_restored(settings: Settings) -> None:
    """How a restore ended: expected and found."""
    app = PgconsoleApp(settings)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, "local + S3")
        await pilot.press("z", "1", "r")
        await until(pilot, "✓ passed")
        await pilot.press("enter", "y", "e", "s", "enter")
        await until(pilot, "as expected")
        await pilot.press("o")
        await until(pilot, "Result")
        await pilot.press("2")
        await until(pilot, "EXPECTED")
        await save(pilot, "restored")


async def save(pilot: Pilot[None], name: str) -> None:
    """Keep what is on the screen, as SVG and as PNG."""
    await pilot.pause()
    pilot.app.save_screenshot(f"{name}.svg", path=str(HERE))
    write_png(HERE / f"{name}.svg")
    print(f"screenshots/{name}.svg")


async def until(pilot: Pilot[None], text: str) -> None:
    """Wait until a text is on the screen."""
    try:
        await until_true(pilot, lambda: text in text_of(pilot.app))
    except TimeoutError:
        raise RuntimeError(f"{text!r} does not come:\n{text_of(pilot.app)}") from None


async def until_true(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: It never was.
    """

    async def wait() -> None:
        while not condition():
            await pilot.pause(0.05)

    await asyncio.wait_for(wait(), _TIMEOUT)


def text_of(app: object) -> str:
    """What the screen shows, as text, line by line."""
    assert isinstance(app, PgconsoleApp)
    strips = app.screen._compositor.render_strips()  # as Textual's own snapshots read it
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def _percent(text: str) -> int:
    """How far the progress bar is; 0 if there is none."""
    found = re.search(r"(\d+)%", text)
    return int(found[1]) if found else 0


async def take_all(settings: Settings, wanted: list[str]) -> bool:
    """The pictures, one after another; whether all could be taken."""
    failed = False
    for scene in SCENES:
        if not wanted or scene.name in wanted:
            try:
                await take(settings, scene)
            except RuntimeError as error:
                print(f"{scene.name}: {error}", file=sys.stderr)
                failed = True
    if not wanted:
        await take_first_screen()
        await take_restored(settings)
        await take_running(settings)
    return not failed


def main() -> int:
    """Prepare a demo, take the pictures, record the session, remove the demo; the exit code."""
    # The colours of a capable terminal, wherever this runs.
    os.environ |= {"COLORTERM": "truecolor", "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    os.environ.pop("NO_COLOR", None)
    wanted = sys.argv[1:]
    with stop_signals(), temporary_home() as home, ready_demo(home) as settings:
        all_taken = asyncio.run(take_all(settings, wanted))
        if not wanted or "session" in wanted:
            record_session(settings, HERE / "session.cast")
    return 0 if all_taken else 1


if __name__ == "__main__":
    sys.exit(main())
