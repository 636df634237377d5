"""The first screen: says what to set, at every size, and leads on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.driving import click_text, shown, until, until_shown
from tests.tui.pictures import LARGE, SMALL, Snap, still
from tests.tui.scenes import SCENES

from pgconsole.actions.keymap import KeyMap
from pgconsole.app import PgconsoleApp
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.main import MainScreen
from pgconsole.screens.welcome import Choice, Welcome, WelcomeScreen
from pgconsole.settings import Settings

TINY = (60, 20)
NO_DEMO = "the embedded PostgreSQL is missing: pip install 'pgconsole[demo]'"


def welcoming(no_demo: str = "", **more: object) -> PgconsoleApp:
    usual = SCENES["empty"]().app()
    return PgconsoleApp(
        Settings.model_validate({}), sources=usual._sources, now=usual._now,
        welcome=Welcome(Path("/home/ana/[work]/.env"), no_demo), **more,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("size", [TINY, SMALL, LARGE], ids=["60x20", "80x24", "160x45"])
def test_pictures(snap_compare: Snap, size: tuple[int, int]) -> None:
    assert snap_compare(welcoming(), terminal_size=size, run_before=still)


def test_picture_without_colours(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(welcoming(NO_DEMO), terminal_size=TINY, run_before=still)


@pytest.mark.parametrize("size", [TINY, SMALL, LARGE])
async def test_all_is_in_view(size: tuple[int, int]) -> None:
    app = welcoming()
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "Nothing is configured yet")
        text = shown(app.screen)
        for essential in (
            "PGHOST=", "PGPASSWORD=", "BACKUP_DIR=", "/home/ana/[work]/.env", "pgconsole doctor",
            "d  Try the demo", "c  Continue with postgres:5432 and /backups", "q  Quit",
            "d Demo", "c Continue", "? Help", "q Quit",
        ):  # fmt: skip
            assert essential in text, essential


async def test_c_goes_on_to_the_console() -> None:
    app = welcoming()
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Nothing is configured yet")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))
        await until_shown(pilot, "no backup yet")
        assert len(app.screen_stack) == 2
    assert app.choice is Choice.GO_ON


async def test_d_leaves_for_the_demo() -> None:
    app = welcoming()
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "Nothing is configured yet")
        await pilot.press("d")
        await until(pilot, lambda: app.choice)
    assert app.choice is Choice.DEMO


async def test_without_its_packages_the_demo_says_what_to_install() -> None:
    app = welcoming(NO_DEMO)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until_shown(pilot, "d  Try the demo: not installed")
        await pilot.press("d")
        await until_shown(pilot, "pip install 'pgconsole[demo]'")
        await until_shown(pilot, "make demo")
        assert isinstance(app.screen, WelcomeScreen)
    assert app.choice is None


async def test_help_palette_and_other_keys_work_here_too() -> None:
    app = welcoming(key_map=KeyMap({"demo": ("x",)}))
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "x  Try the demo")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until_shown(pilot, "Go on to the console")
        await pilot.press("escape", "colon")
        await until_shown(pilot, "Try the demo  x")


async def test_its_keys_can_be_clicked() -> None:
    app = welcoming()
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "c Continue")
        await click_text(pilot, "c Continue")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))
