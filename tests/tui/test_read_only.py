"""Read-only mode and protected servers, in the console."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.tui.driving import shown, until, until_shown
from tests.tui.pictures import LARGE, SMALL, Snap, still
from tests.tui.scenes import NOW, RUNNING, SCENES, STYLES, Scene, settings
from textual.app import ComposeResult
from textual.events import Mount

from pgconsole import jobs
from pgconsole.actions import REGISTRY, Where, actions_of
from pgconsole.app import PgconsoleApp
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.main import MainScreen
from pgconsole.settings import Settings
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.strips import HeaderStrip

ACTIONS = REGISTRY[Where.MAIN]
READ_ONLY = {"PGCONSOLE_READ_ONLY": "true"}
PROTECTED = {"PGCONSOLE_PROTECTED": "true"}
CHANGING = {"backup", "restore", "cancel", "upload", "pin", "pause", "prune"}
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])


class HeaderOnly(PgconsoleApp):
    """The console's colours, and of its main screen the header."""

    CSS_PATH = STYLES

    def __init__(self, ours: Settings) -> None:
        super().__init__(ours)
        self._header = HeaderStrip(ours)

    def compose(self) -> ComposeResult:
        yield self._header

    def on_mount(self, event: Mount) -> None:  # type: ignore[override]
        event.prevent_default()  # no main screen above it
        self._header.tick(NOW)


def read_only_scene() -> Scene:
    return Scene(settings=settings(**READ_ONLY), jobs=(RUNNING,))


def test_what_changes_something_is_not_offered() -> None:
    offered = actions_of(Where.MAIN, read_only=True)
    left_out = {action.id for action in ACTIONS} - {each.id for each in offered}
    assert left_out >= CHANGING
    assert not {"verify", "plan"} & left_out
    assert actions_of(Where.MAIN) == ACTIONS


async def test_keys_that_change_something_are_none() -> None:
    app = read_only_scene().app()
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await until(pilot, lambda: "Backup running" in shown(app.screen))
        assert isinstance(app.screen, MainScreen)
        changing = [action for action in ACTIONS if action.mutates]
        keys = {key for action in changing for key in action.keys}
        assert not keys & app.screen._bindings.key_to_bindings.keys()
        assert not keys & app.screen.active_bindings.keys()
        await pilot.press(*keys)
        for action in changing:
            await app.screen.run_action(action.id)
        await pilot.pause()
        assert len(app.screen_stack) == 2  # no dialog
        footer = shown(app.screen).splitlines()[-1]
        assert "Verify" in footer
        assert not any(action.footer in footer for action in changing if action.footer)
        assert len(bindings(ACTIONS)) > len(bindings(actions_of(Where.MAIN, read_only=True)))


async def test_help_and_palette_leave_them_out() -> None:
    app = read_only_scene().app()
    async with app.run_test(size=(160, 80)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until_shown(pilot, "Read the selected copy whole")
        text = shown(app.screen)
        assert not [a.help for a in ACTIONS if a.mutates and a.help[:40] in text]
        await pilot.press("escape", "colon")
        await until_shown(pilot, "Verify the selected copy")
        text = shown(app.screen)
        assert not [a.label for a in ACTIONS if a.mutates and a.label in text]
        await pilot.press(*"retention")
        await until_shown(pilot, "No matches found")


async def test_otherwise_all_are_there() -> None:
    """The same looks find them where nothing is refused: the tests above can fail."""
    app = SCENES["full"]().app()
    async with app.run_test(size=(160, 80)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        assert "READ-ONLY" not in shown(app.screen)
        await pilot.press("question_mark")
        await until_shown(pilot, "Back up now; asks for a typed yes")
        await pilot.press("escape", "colon")
        await until_shown(pilot, "Pause or resume")
        await pilot.press(*"retention")
        await until_shown(pilot, "Apply retention now")


@SIZES
@pytest.mark.parametrize(
    "variables", [READ_ONLY, PROTECTED, READ_ONLY | PROTECTED], ids=["read", "protected", "both"]
)
def test_header(snap_compare: Snap, size: tuple[int, int], variables: dict[str, str]) -> None:
    assert snap_compare(HeaderOnly(settings(**variables)), terminal_size=size, run_before=still)


def test_header_without_colours(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = HeaderOnly(settings(**READ_ONLY, **PROTECTED))
    assert snap_compare(app, terminal_size=SMALL, run_before=still)


async def test_a_long_name_leaves_room_for_the_words() -> None:
    named = settings(PGDATABASE="a" * 60, **READ_ONLY, **PROTECTED)
    app = Scene(settings=named).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "✓ complete")
        header = shown(app.screen).splitlines()[0]
    assert " READ-ONLY " in header
    assert " PROTECTED " in header
    assert header.endswith("UTC")


async def test_the_real_console_in_read_only_mode_starts_nothing(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    real = make_settings(**READ_ONLY)
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "READ-ONLY")
        await pilot.press("b", *"yes", "enter")
        await pilot.pause()
    assert jobs.list_jobs(real) == []
