"""Two consoles on one backup directory say the same, at most two seconds apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.conftest import MakeSettings
from tests.tui.driving import shown, until, until_shown
from tests.tui.test_console import old_files
from textual.pilot import Pilot

from pgconsole.app import PgconsoleApp
from pgconsole.settings import Settings

_AGREE = 2.0  # seconds, as the issue of this console wants it


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    settings = make_settings()
    old_files(settings.backup_dir, 3)
    return settings


@asynccontextmanager
async def two(settings: Settings) -> AsyncIterator[tuple[Pilot[None], Pilot[None]]]:
    """Two consoles that have read everything once."""
    first, second = PgconsoleApp(settings), PgconsoleApp(settings)
    async with (
        first.run_test(size=(160, 45)) as one,
        second.run_test(size=(160, 45)) as other,
    ):
        for pilot in (one, other):
            await until_shown(pilot, "· listed")
            await until_shown(pilot, "Next runs")
        yield one, other


async def agree(one: Pilot[None], other: Pilot[None], on: Callable[[str], bool]) -> float:
    """Wait until the first says it, then for the other; how much later that was."""
    await until(one, lambda: on(shown(one.app.screen)))
    began = time.monotonic()
    while not on(shown(other.app.screen)):
        assert time.monotonic() - began < 30, shown(other.app.screen)
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_a_pin_and_a_pause(settings: Settings) -> None:
    async with two(settings) as (one, other):
        await one.press("p")
        await until_shown(one, "Pin this backup?")
        await one.press(*"why", "enter")
        assert await agree(one, other, lambda text: "★ pinned by" in text) < _AGREE
        await one.press("P")
        await until_shown(one, "Pause the schedule?")
        await one.press(*"moving", "enter", "enter")
        assert await agree(one, other, lambda text: "Schedule · paused" in text) < _AGREE


async def test_files_that_come_and_go(settings: Settings) -> None:
    async with two(settings) as (one, other):
        files = sorted(settings.backup_dir.glob("daily/*.gz"))
        files[0].unlink()
        assert await agree(one, other, lambda text: "Local backups · 2" in text) < _AGREE
        (settings.backup_dir / "daily" / files[0].name).write_bytes(b"x")
        assert await agree(one, other, lambda text: "Local backups · 3" in text) < _AGREE


async def test_a_job_and_what_it_found(settings: Settings) -> None:
    async with two(settings) as (one, other):
        await one.press("v")
        await until_shown(one, "Type yes to")
        await one.press(*"yes", "enter")
        assert await agree(one, other, lambda text: "Verify" in text) < _AGREE
        damaged = "✗ damaged"
        assert await agree(one, other, lambda text: damaged in text) < _AGREE
