"""The mouse does what the keys do: tabs, rows, panes, footer, palette."""

from __future__ import annotations

import pytest
from tests.tui import inside_scenes
from tests.tui.driving import click_text, shown, until, until_shown
from tests.tui.scenes import SCENES
from textual.pilot import Pilot

from pgconsole.screens.confirm import ConfirmScreen
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.main import MainScreen
from pgconsole.screens.rows import RowsScreen


def main_of(pilot: Pilot[None]) -> MainScreen:
    assert isinstance(pilot.app.screen, MainScreen)
    return pilot.app.screen


async def test_tabs_and_rows_of_the_main_screen() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await click_text(pilot, "2026-02-21 02:00")
        assert main_of(pilot)._panes.backups.active.table.cursor == 5
        for text, pane in (("2 S3", "s3"), ("3 Schedule", "schedule"), ("4 Log", "log"),
                           ("1 Local", "local"), ("0 All", "all")):  # fmt: skip
            await click_text(pilot, text)
            await until(pilot, lambda pane=pane: main_of(pilot)._panes.active == pane)  # type: ignore[misc]


async def test_a_click_into_a_pane_of_a_wide_window_goes_there() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "~ intact")
        await pilot.press("1")
        await until_shown(pilot, "~ intact 26 h")
        for text, pane in (("~ intact 26 h", "s3"), ("Next runs", "schedule"),
                           ("✓ complete 26 h", "local")):  # fmt: skip
            await click_text(pilot, text)
            await until(pilot, lambda pane=pane: main_of(pilot)._panes.active == pane)  # type: ignore[misc]
        assert main_of(pilot)._panes.backups.active.table.cursor == 1


@pytest.mark.parametrize(
    ("text", "screen"), [("b Backup", ConfirmScreen), ("v Verify", ConfirmScreen),
                         ("? Help", HelpScreen)],
)  # fmt: skip
async def test_keys_in_the_footer(text: str, screen: type) -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await click_text(pilot, text)
        await until(pilot, lambda: isinstance(app.screen, screen))


async def test_a_key_that_can_do_nothing_does_nothing() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await click_text(pilot, "c Cancel job")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)


async def test_quit_in_the_footer() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await click_text(pilot, "q Quit")
        await until(pilot, lambda: app._exit)
    assert app.return_code == 0


async def test_an_entry_of_the_palette() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await pilot.press("colon", *"verify")
        await until_shown(pilot, "Verify the selected copy")
        await click_text(pilot, "Verify the selected copy")
        await until_shown(pilot, "Type yes to verify")


async def test_tabs_and_rows_of_an_opened_backup() -> None:
    app = inside_scenes.SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        await click_text(pilot, "3 Evidence")
        await until_shown(pilot, "damaged")
        await click_text(pilot, "1 Tables")
        await until_shown(pilot, "public.users")
        await click_text(pilot, "public.users", times=2)
        await until(pilot, lambda: isinstance(app.screen, RowsScreen))
        await until_shown(pilot, "of 2")
        await click_text(pilot, "esc Back")
        await until(pilot, lambda: not isinstance(app.screen, RowsScreen))
        assert "public.users" in shown(app.screen)
