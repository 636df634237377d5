"""Twenty thousand backups: the console stays quick."""

from __future__ import annotations

import time

import pytest
from tests.conftest import MakeSettings
from tests.tui.driving import shown, until, until_shown
from tests.tui.scenes import SCENES, Scene, listing, local_shelf
from tests.tui.test_console import old_files

from pgconsole.app import PgconsoleApp
from pgconsole.storage.base import Place
from pgconsole.widgets.backup_table import BackupTable
from pgconsole.widgets.panes import Panes
from pgconsole.widgets.shelf import shelf_of

PANES = {"0": "all", "1": "local", "2": "s3", "3": "schedule", "4": "log"}


async def test_twenty_thousand_backups(make_settings: MakeSettings) -> None:
    settings = make_settings()
    old_files(settings.backup_dir, 20_000)
    app = PgconsoleApp(settings)
    async with app.run_test(size=(160, 45)) as pilot:
        began = time.process_time()
        await until_shown(pilot, "1 Local backups · 20,000")
        opened = time.process_time() - began
        await pilot.press("1")
        table = app.screen.query_one("#local-table", BackupTable)
        took = []
        for key in ["G", "k", "k", "pageup", "g", "j", "j", "pagedown"]:
            began = time.process_time()
            await pilot.press(key)
            took.append(time.process_time() - began)
        assert table.cursor == 2 + table.size.height - 2
    # Processor time: other processes on the machine do not count.
    assert opened < 3
    # A key to its paint, several frames included.
    assert sorted(took)[len(took) // 2] < 0.15


async def test_navigation() -> None:
    app = Scene(
        local=local_shelf(listing(Place.LOCAL, 60)), s3=shelf_of(listing(Place.S3, 60))
    ).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "local + S3")
        await pilot.press("1")
        table = app.screen.query_one("#local-table", BackupTable)
        last = len(listing(Place.LOCAL, 60).backups) - 1
        await pilot.press("G")
        assert table.cursor == last
        await pilot.press("j", "down")
        assert table.cursor == last
        assert "▌  2025-12" in shown(app.screen)
        await pilot.press("g")
        assert table.cursor == 0
        await pilot.press("j", "down", "k", "up", "k")
        assert table.cursor == 0
        await pilot.click("#local-table", offset=(5, 4))
        assert table.cursor == 3
        await pilot.press("tab")
        await until_shown(pilot, "[2 S3 ·")
        await pilot.press("tab", "tab")
        await until_shown(pilot, "[4 Log")
        await pilot.press("tab")
        await until_shown(pilot, "[0 All ·")
        await pilot.press("shift+tab")
        await until_shown(pilot, "[4 Log")
        await pilot.click("#tab-schedule")
        await until_shown(pilot, "[3 Schedule ·")


async def test_of_quick_keys_the_last_one_counts() -> None:
    app = Scene(local=local_shelf(listing(Place.LOCAL, 3))).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[0 All ·")
        for keys in ("24", "31", "4230", "14"):
            for key in keys:
                app.simulate_key(key)
            await pilot.pause()
            assert app.screen.query_one(Panes).active == PANES[keys[-1]]


async def test_a_click_into_a_pane_gives_it_the_keys() -> None:
    app = Scene(local=local_shelf(listing(Place.LOCAL, 3))).app()
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "0 All backups · 27")
        await pilot.press("1")
        await until_shown(pilot, "1 Local backups · 3")
        for pane in ("s3", "log", "schedule", "local"):
            await pilot.click(f"#{pane}", offset=(20, 3))
            await pilot.pause()
            assert app.screen.query_one(Panes).active == pane


async def test_palette_offers_the_registry() -> None:
    app = Scene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "local + S3")
        await pilot.press("colon")
        await until_shown(pilot, "Cancel the running job")
        await pilot.press(*"sched")
        await until_shown(pilot, "Go to the schedule")
        await pilot.press("enter")
        await until_shown(pilot, "[3 Schedule")


async def test_footer_fits_in_80_columns() -> None:
    app = Scene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "local + S3")
        await until(pilot, lambda: shown(app.screen).splitlines()[-1].endswith("q Quit"))


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (119, 30), (120, 30), (250, 80)])
async def test_any_size_and_resizing(size: tuple[int, int]) -> None:
    app = SCENES["failed"]().app()
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "At risk")
        await pilot.resize_terminal(80, 24)
        await until_shown(pilot, "[0 All · 27]")
        await pilot.resize_terminal(*size)
        await pilot.press("b")
        await until_shown(pilot, "Type yes")
