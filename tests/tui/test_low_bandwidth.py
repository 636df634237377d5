"""Bytes that the console writes to its terminal when nothing happens, and while a job runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.program import environment
from tests.conftest import MakeSettings
from tests.support import blocked_dump, wait_for_dump
from tests.tui import inside_scenes
from tests.tui.driving import until_shown
from tests.tui.scenes import SCENES, Scene, settings
from tests.tui.test_terminal import Console
from textual.widgets import Input

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer
from pgconsole.screens.pace import drawn_at, paced
from pgconsole.screens.palette import Palette
from pgconsole.settings import Settings

SETTLES, COUNTED = 14.0, 24.0  # seconds
# Two times the clock, and three times the two lines of the job strip, in 24 seconds. What is
# painted every second comes to more, however little it is.
IDLE, BUSY = 1_500, 4_000  # bytes
SLOW = {"PGCONSOLE_LOW_BANDWIDTH": "true"}


def old_backups(backup_dir: Path) -> None:
    """Backups whose ages no longer change by the minute."""
    (backup_dir / "daily").mkdir()
    for day in range(5):
        taken = datetime.now(UTC) - timedelta(days=day, hours=5, minutes=30)
        name = f"thinktank_daily_{taken:%Y%m%d_%H%M%S}.sql.gz"
        (backup_dir / "daily" / name).write_bytes(b"x" * 20)


def counted(*consoles: Console) -> list[int]:
    """What each wrote in so many seconds, once it had settled."""
    ends = time.monotonic() + SETTLES
    while time.monotonic() < ends:
        read(consoles)
    before = [len(each.output) for each in consoles]
    ends = time.monotonic() + COUNTED
    while time.monotonic() < ends:
        read(consoles)
    return [len(each.output) - was for each, was in zip(consoles, before, strict=True)]


def read(consoles: tuple[Console, ...]) -> None:
    for each in consoles:
        each._read()
    time.sleep(0.02)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def two(stack: ExitStack, where: Settings) -> tuple[Console, Console]:
    """A usual console, and one on a slow link."""
    found = []
    for more in ({}, SLOW):
        variables = environment(where) | more
        console = Console(where.backup_dir, **{k: v for k, v in variables.items() if k != "PATH"})
        stack.callback(console.process.wait)
        stack.callback(console.process.kill)
        found.append(console)
    return found[0], found[1]


@pytest.mark.slow
def test_idle(make_settings: MakeSettings, opened: ExitStack) -> None:
    where = make_settings(database="thinktank", PGHOST="127.0.0.1", PGPORT="1")
    old_backups(where.backup_dir)
    usual, slow = two(opened, where)
    for each in (usual, slow):
        each.read_until(b"never verified", 60)
    many, few = counted(usual, slow)
    assert few < IDLE
    assert many > 2 * IDLE  # the measure measures


@pytest.mark.slow
def test_while_a_job_runs(
    make_settings: MakeSettings, postgres16: PostgresServer, database: str, opened: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    where = make_settings(postgres16, database)
    with blocked_dump(postgres16, database):
        job = jobs.start(where, "backup", {}, "tests")
        wait_for_dump(postgres16, database)
        usual, slow = two(opened, where)
        for each in (usual, slow):
            each.read_until(b"so far", 60)
        many, few = counted(usual, slow)
    jobs.wait(where, job)
    assert few < BUSY
    assert many > 2 * BUSY


def slow_scene(scene: Scene) -> Scene:
    scene.settings = settings(**SLOW)
    return scene


async def test_what_ticks_otherwise_stands_still() -> None:
    app = slow_scene(SCENES["full"]()).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "04:02 UTC")
        assert app.animation_level == "none"
        await pilot.press("colon")
        await until_shown(pilot, "Search for commands")
        assert isinstance(app.screen, Palette)
        assert not app.screen.query_one(Input).cursor_blink


async def test_no_cursor_blinks_anywhere() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        for key in "brpP":
            await pilot.press(key)
            await until_shown(pilot, "Esc closes")
            assert not any(each.cursor_blink for each in app.screen.query(Input))
            await pilot.press("escape")
    inside = inside_scenes.SCENES["full"]().app()
    async with inside.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        await pilot.press("slash")
        assert not any(each.cursor_blink for each in inside.screen.query(Input))


def test_the_time_goes_in_steps_and_never_ahead() -> None:
    slow = settings(**SLOW)
    hour = datetime(2026, 2, 25, 4, tzinfo=UTC)
    shown = [drawn_at(hour + timedelta(seconds=tenth / 10), slow) for tenth in range(3 * 36_000)]
    assert len(set(shown)) == 3 * 360
    assert shown == sorted(shown)
    assert all(
        timedelta() <= hour + timedelta(seconds=at / 10) - one < timedelta(seconds=10)
        for at, one in enumerate(shown)
    )
    assert drawn_at(hour, settings()) is hour


def test_the_pace() -> None:
    assert paced(0.5, settings()) == 0.5
    assert paced(0.5, settings(**SLOW)) == 5
