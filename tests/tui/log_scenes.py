"""The main screen on logs that lie on a disk, at the other scenes' moment."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tests.logs.writing import LogHome, entry
from tests.tui.driving import is_settled, shown, until, until_shown
from tests.tui.scenes import LAST, Scene, settings
from textual.pilot import Pilot

from pgconsole.app import PgconsoleApp
from pgconsole.jobs import list_jobs
from pgconsole.logs.files import places_of
from pgconsole.report import Level
from pgconsole.screens.log_pane import LogPane

DAY = 86_400


def home_in(directory: Path) -> LogHome:
    """An empty backup directory."""
    return LogHome(settings(BACKUP_DIR=str(directory)))


def at(second: float) -> datetime:
    """So many seconds after 02:00, when the last backup began."""
    return LAST + timedelta(seconds=second)


def usual_home(directory: Path) -> LogHome:
    """Two nights of a scheduler, with a backup each; the second one is not as the first."""
    home = home_in(directory)
    for night in (-DAY, 0):
        home.say(night, "slot 02:00: a backup is due")
        job = home.job(at(night + 1))
        texts = [
            ("lock", "locked database thinktank on this host and on the server", "info"),
            ("preflight", "server 16.14 reachable, pg_dump 16.14, 41.2 GiB free", "info"),
            ("dump", "pg_dump started; the upload runs beside it", "info"),
            ("dump", "public.legacy [notes] has no primary key", "warning"),
            ("verify", "read back 126.0 MiB, every CRC right, 48 tables, 1,250,000 rows", "info"),
            ("upload", "part 7 was sent again: connection reset by minio.example.com", "warning"),
        ]  # fmt: skip
        if night == 0:
            texts[5] = ("upload", "the bucket does not answer: connection refused", "error")
        lines = [
            entry(night + 2 + n * 2.5, text, phase=phase, level=level)
            for n, (phase, text, level) in enumerate(texts)
        ]
        home.write(job, *lines)
        home.say(night + 19, "backup done after 17 s", Level.ERROR if night == 0 else Level.INFO)
    return home


def app_on(home: LogHome, **more: object) -> PgconsoleApp:
    """The console on these logs."""
    scene = Scene(
        jobs=tuple(list_jobs(home.settings)),
        logs=lambda job: places_of(home.settings, 200, job),
    )
    return replace(scene, **more).app()  # type: ignore[arg-type]


def pane_of(pilot: Pilot[None]) -> LogPane:
    """The log pane, whatever is above its screen."""
    return next(s.query_one(LogPane) for s in pilot.app.screen_stack if s.query(LogPane))


async def settled(pilot: Pilot[None]) -> LogPane:
    """Wait until the log pane shows all that it asked for."""
    pane = pane_of(pilot)
    await until(pilot, lambda: is_settled(pane))
    return pane


async def opened(pilot: Pilot[None], *keys: str) -> LogPane:
    """The log pane on the whole screen, with these keys pressed in it."""
    await until_shown(pilot, "Protected")
    await pilot.press("l")
    pane = await settled(pilot)
    for key in keys:
        await pilot.press(key)
        await settled(pilot)
    return pane


def told(pilot: Pilot[None]) -> list[str]:
    """The texts of the lines on the screen, without time, kind and phase."""
    pane = pane_of(pilot)
    region = pane.view.region
    rows = shown(pilot.app.screen).splitlines()[region.y : region.bottom]
    cells = [row[region.x + 1 : region.right - 2] for row in rows]
    head = 20 if pane.job else 29
    return [row[head:].strip() for row in cells if re.match(r"\d\d:\d\d:\d\d  ", row)]


def info(pilot: Pilot[None]) -> str:
    """What the line below the log says."""
    return str(pane_of(pilot).info.render())


async def opened_again(pilot: Pilot[None], *keys: str) -> None:
    """These keys pressed, and all that came of it."""
    for key in keys:
        await pilot.press("exclamation_mark" if key == "!" else key)
    await settled(pilot)
