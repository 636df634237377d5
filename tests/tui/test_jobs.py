"""The list of jobs: real jobs of a real server, and however many there are."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import blocked_dump
from tests.tui.driving import open_job, open_jobs, shown, until, until_shown
from tests.tui.job_scenes import LISTS, OPENED, JobScene
from tests.tui.scenes import settings as scene_settings

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.demo.servers import PostgresServer
from pgconsole.jobs import JobStatus
from pgconsole.jobs.store import jobs_directory
from pgconsole.screens.job_list import PAGE
from pgconsole.screens.jobs import JobsScreen
from pgconsole.screens.main import MainScreen
from pgconsole.settings import Settings
from pgconsole.widgets.grid import Grid


def copies(settings: Settings, template: Path, count: int, hours: int = 1) -> None:
    """So many older jobs like one that is there."""
    for number in range(1, count + 1):
        at = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(hours=hours * number)
        directory = jobs_directory(settings) / f"{at:%Y%m%dT%H%M%S}.000000Z-backup-0000"
        directory.mkdir()
        spec = json.loads((template / "spec.json").read_text())
        spec |= {"id": directory.name, "created_at": at.isoformat()}
        (directory / "spec.json").write_text(json.dumps(spec))
        for name in ("state.json", "events.jsonl", "lock"):
            (directory / name).hardlink_to(template / name)


async def test_a_stalled_dump_says_who_blocks_it(
    real: Settings, postgres16: PostgresServer
) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(100, 30)) as pilot:
        with blocked_dump(postgres16, real.pgdatabase) as connection:
            jobs.start(real, "backup", {"database": real.pgdatabase}, "[somebody] else")
            await open_jobs(pilot)
            await until_shown(pilot, "! stalled", timeout=60)
            await until_shown(pilot, "blocked by process", timeout=60)
            blocker = connection.info.backend_pid
            await until_shown(pilot, f"{blocker}")
            await pilot.press("exclamation_mark")
            await until_shown(pilot, "only what went wrong")
            assert "! stalled" in shown(app.screen)
            await open_job(pilot, "enter")
            await until_shown(pilot, "! no byte for")
            await until_shown(pilot, f"process {blocker}")
        await until_shown(pilot, "Backup done", timeout=60)
        await pilot.press("escape")
        await until_shown(pilot, "Nothing went wrong in 1 job")


async def test_a_job_of_somebody_else_appears_and_ends_by_itself(
    real: Settings, postgres16: PostgresServer
) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "No job has run yet")
        with blocked_dump(postgres16, real.pgdatabase):
            jobs.start(real, "backup", {"database": real.pgdatabase}, "[somebody] else")
            await until_shown(pilot, "[somebody] else")
            await until_shown(pilot, "● running")
            await until_shown(pilot, "1 running, 1 job, times in UTC")
        await until_shown(pilot, "✓ done", timeout=60)
        assert "running" not in shown(app.screen)
        await pilot.press("ctrl+r", "r")  # there is no r here
        assert isinstance(app.screen, JobsScreen)


async def test_older_jobs_come_when_they_are_wanted(real: Settings) -> None:
    template = jobs.wait(real, jobs.start(real, "backup", {}, "ana")).directory
    copies(real, template, 3 * PAGE)
    total = f"{3 * PAGE + 1:,}"
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_jobs(pilot)
        await until_shown(pilot, f"of {total}; older ones come as you go down")
        grid = screen.query_one(Grid)
        read = grid.count[1]
        assert PAGE <= read < 2 * PAGE
        await pilot.press(*["pagedown"] * 6)
        await until(pilot, lambda: grid.count[1] >= read + PAGE)
        assert grid.count[1] < 3 * PAGE
        cursor = grid.selected
        await pilot.press("G")
        await until(pilot, lambda: grid.count[1] == 3 * PAGE + 1, 60)
        await until(pilot, lambda: grid.is_near_end(1))  # the end of all, not of what was read
        assert grid.selected != cursor
        await until(pilot, lambda: "older ones" not in shown(app.screen))


async def test_only_what_is_wanted(real: Settings) -> None:
    good = jobs.wait(real, jobs.start(real, "backup", {}, "ana")).directory
    copies(real, good, 2 * PAGE)
    bad = jobs.wait(real, jobs.start(real, "upload", {"filename": "no.sql.gz"}, "bob"))
    assert bad.status is JobStatus.FAILED
    app = PgconsoleApp(real)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await open_jobs(pilot)
        grid = screen.query_one(Grid)
        await until_shown(pilot, "✗ failed")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: grid.count == (1, 1))
        await until(pilot, lambda: not screen._rows.unread)  # all were looked at
        await pilot.press("escape")
        await until(pilot, lambda: grid.count[1] == 2 * PAGE + 2)
        await pilot.press("slash", *"^backup", "enter")
        await until(pilot, lambda: grid.count[0] == 2 * PAGE + 1)
        await pilot.press("slash", "ctrl+u", *"!^BACKUP", "enter")
        await until(pilot, lambda: grid.count[0] == 1)
        await until_shown(pilot, f"1 of {2 * PAGE + 2}")
        await pilot.press("escape", "s", "S", "g")
        await until_shown(pilot, "▌ 2026-")
        assert grid.selected == min(path.name for path in jobs_directory(real).iterdir())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))


async def test_leaving_ends_the_reading() -> None:
    app = JobScene(endless=True).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Reading older jobs")
        screen = app.screen
        assert isinstance(screen, JobsScreen)
        thread = screen._feed._thread
        assert thread.is_alive()
        await pilot.press("escape")
        await until(pilot, lambda: not thread.is_alive())


async def test_many_jobs_keep_keys_quick(real: Settings) -> None:
    template = jobs.wait(real, jobs.start(real, "backup", {}, "ana")).directory
    copies(real, template, 3000)
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        screen = await open_jobs(pilot)
        await until_shown(pilot, "older ones come as you go down")
        await pilot.press("G")
        grid = screen.query_one(Grid)
        await until(pilot, lambda: grid.count[1] == 3001, 90)
        took = []
        for key in ["k", "pageup", "g", "j", "s", "S", "slash", *"done", "enter", "G"]:
            began = time.process_time()
            await pilot.press(key)
            took.append(time.process_time() - began)
    # Processor time: other processes on the machine do not count. Several frames are in it.
    assert sorted(took)[len(took) // 2] < 0.15


@pytest.mark.parametrize("scene", [LISTS["full"](), OPENED["running"](), OPENED["failed"]()])
async def test_in_read_only_mode_nothing_is_cancelled_or_started(scene: JobScene) -> None:
    scene.settings = scene_settings(PGCONSOLE_READ_ONLY="true")
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "job", None) is not None)
        keys = app.screen._bindings.key_to_bindings.keys()
        assert not {"c", "R"} & keys
        assert {"j", "escape", "question_mark"} <= keys
        await pilot.press("c", "R")
        for action in ("cancel", "retry"):
            await app.screen.run_action(action)
        await pilot.pause()
        assert len(app.screen_stack) == 2  # no dialog
        footer = shown(app.screen).splitlines()[-1]
        assert "Cancel" not in footer
        assert "Retry" not in footer


async def test_the_palette_and_the_help_know_these_screens() -> None:
    app = LISTS["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("colon")
        await until_shown(pilot, "Cancel the selected job")
        await pilot.press(*"anew", "enter")
        await pilot.pause()
        await pilot.press("j", "j", "R")
        await until_shown(pilot, "Start the backup anew?")


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (250, 80)])
@pytest.mark.parametrize("scene", [LISTS["full"], OPENED["stalled"], OPENED["preflight"]])
async def test_any_size_and_resizing(scene, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    app = scene().app()
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: getattr(app.screen, "job", None) is not None)
        await pilot.resize_terminal(80, 24)
        await pilot.press("j", "k", "G")
        await until_shown(pilot, "q Quit")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert app.is_running
