"""Colours: which are taken, and that every text is told well from what is behind it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.tui import inside_scenes
from tests.tui.contrast import Seen, seen
from tests.tui.driving import until, until_shown
from tests.tui.pictures import LARGE, PATIENCE, SMALL, Snap, still
from tests.tui.scenes import SCENES, UNREACHABLE, Scene, settings
from tests.tui.test_snapshots import drawn
from textual.geometry import Region
from textual.notifications import SeverityLevel
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen

from pgconsole.app import PgconsoleApp
from pgconsole.memory import Memory
from pgconsole.widgets.theme import ANSI, OWN_VARIABLES, THEMES

# WCAG 2.2, 1.4.3 (AA) and 1.4.6 (AAA), for text of usual size.
LEAST = {"dark": 4.5, "light": 4.5, "high-contrast": 7.0}
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])


def app_with(theme: str, scene: Scene) -> PgconsoleApp:
    scene.settings = scene.settings.model_copy(update={"theme": theme})
    return scene.app()


def part_of_interest(screen: Screen[Any]) -> Region:
    """What is on top: what a dialog covers is dimmed on purpose."""
    if not isinstance(screen, ModalScreen):
        return screen.region
    boxes = screen.query("#dialog, .reading, CommandInput, CommandList")
    return Region.from_union([box.region for box in boxes if box.region])


async def too_faint(pilot: Pilot[Any]) -> list[tuple[str, Seen]]:
    """The texts that can't be read well, in each theme."""
    found = []
    for theme, least in LEAST.items():
        pilot.app.theme = THEMES[theme].name
        await still(pilot)

        def faint(least: float = least) -> list[Seen]:
            return _fainter_than(least, pilot.app.screen)

        with suppress(AssertionError):  # a busy machine paints the new colours late
            await until(pilot, lambda faint=faint: not faint(), PATIENCE)
        found += [(theme, each) for each in faint()]
    return found


def _fainter_than(least: float, screen: Screen[Any]) -> list[Seen]:
    texts = list(seen(screen, part_of_interest(screen)))
    assert len(texts) > 3
    return [each for each in texts if each.ratio < least]


@pytest.mark.parametrize(
    "scene", ["running", "failed", "foreign", "damaged", "s3_unreachable", "loading", "paused"]
)
async def test_the_main_screen_can_be_read(scene: str) -> None:
    app = SCENES[scene]().app()
    async with app.run_test(size=LARGE) as pilot:
        await still(pilot)
        assert not await too_faint(pilot)
        await pilot.press("2")  # the cursor of the other list is another one then
        assert not await too_faint(pilot)


async def test_stale_backups_can_be_read() -> None:
    scene = SCENES["full"]()
    app = scene.app()
    async with app.run_test(size=LARGE) as pilot:
        await until_shown(pilot, "here ✓ complete")
        scene.local = UNREACHABLE
        await pilot.press("ctrl+r")
        await until_shown(pilot, "Below is what was there")
        assert not await too_faint(pilot)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["b"], "Type yes"), (["b", "n", "enter"], "“n” is not yes"), (["p"], "Pin this backup"),
        (["question_mark"], "Esc closes"), (["o"], "1 Course"), (["colon"], "Apply retention now"),
        (["colon", "r", "e"], "Restore the selected copy"),
    ],
)  # fmt: skip
async def test_dialogs_help_and_palette_can_be_read(keys: list[str], text: str) -> None:
    app = SCENES["failed"]().app()
    async with app.run_test(size=LARGE) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await pilot.press(*keys)
        await until_shown(pilot, text)
        assert not await too_faint(pilot)


@pytest.mark.parametrize(
    ("scene", "keys", "text"),
    [
        ("full", ["slash", "u"], " of 4"),
        ("full", ["2"], "sessions"),
        ("full", ["4", "enter"], "database dump"),
        ("full", ["enter"], "document 1"),
        ("error", [], "can't be reached"),
        ("no_manifest", [], "verifies it"),
    ],
)
async def test_an_opened_backup_can_be_read(scene: str, keys: list[str], text: str) -> None:
    app = inside_scenes.SCENES[scene]().app()
    async with app.run_test(size=LARGE) as pilot:
        await still(pilot)
        await pilot.press(*keys)
        await until_shown(pilot, text)
        assert not await too_faint(pilot)


async def test_toasts_can_be_read() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        severities: tuple[SeverityLevel, ...] = ("information", "warning", "error")
        for severity in severities:
            app.notify("what happened", title=f"a {severity}", severity=severity, timeout=60)
        await until_shown(pilot, "a warning")
        assert not await too_faint(pilot)


async def test_a_protected_header_is_red_and_can_be_read() -> None:
    scene = Scene(settings=settings(PGCONSOLE_PROTECTED="true", PGCONSOLE_READ_ONLY="true"))
    app = scene.app()
    async with app.run_test(size=SMALL) as pilot:
        await until_shown(pilot, "here ✓ complete")
        assert not await too_faint(pilot)
        for theme in LEAST:
            app.theme = THEMES[theme].name
            await pilot.pause()
            red, green, blue = app.screen.query_one("#header").styles.background.rgb
            assert red > 2 * max(green, blue), theme
        app.theme = ANSI.name
        await pilot.pause()
        assert app.screen.query_one("#header").styles.background.ansi == 1  # its own red


def test_the_measure_of_contrast_is_the_standard_s() -> None:
    """Black on white is 21, and #767676 is the lightest grey that has 4.5 on white."""
    from tests.tui.contrast import ratio

    assert ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert ratio((0x76,) * 3, (255,) * 3) > 4.5 > ratio((0x77,) * 3, (255,) * 3)


def test_every_theme_sets_what_textual_does_not_know() -> None:
    assert all(set(OWN_VARIABLES) <= set(theme.variables) for theme in THEMES.values())


class TestChoice:
    @pytest.mark.parametrize("theme", THEMES)
    def test_the_variable_decides(self, theme: str) -> None:
        memory = Memory()
        memory.set("theme", "light")
        app = PgconsoleApp(settings(PGCONSOLE_THEME=theme), memory=memory)
        assert app.theme == THEMES[theme].name

    @pytest.mark.parametrize(
        ("remembered", "taken"), [("light", "pgconsole-light"), ("[pink]", "pgconsole")]
    )
    def test_else_what_was_chosen_last(self, remembered: str, taken: str) -> None:
        memory = Memory()
        memory.set("theme", remembered)
        assert PgconsoleApp(settings(), memory=memory).theme == taken

    @pytest.mark.parametrize(
        "variables", [{"NO_COLOR": "1"}, {"TERM": "linux", "COLORTERM": ""}, {"TERM": "vt100"}]
    )
    async def test_a_terminal_of_few_colours_wins(
        self, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("COLORTERM")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        app = app_with("light", SCENES["full"]())
        assert app.theme == ANSI.name
        async with app.run_test(size=SMALL, notifications=True) as pilot:
            await pilot.press("ctrl+t")
            await until_shown(pilot, "few colours")
            assert app.theme == ANSI.name

    async def test_the_key_goes_round_and_says_what_decides(self) -> None:
        app = app_with("dark", SCENES["full"]())
        taken = []
        async with app.run_test(size=SMALL, notifications=True) as pilot:
            for _ in THEMES:
                await pilot.press("ctrl+t")
                taken.append(app.theme)
            await until_shown(pilot, "PGCONSOLE_THEME decides when the console is opened")
        wanted = [theme.name for theme in THEMES.values()]
        assert taken == [*wanted[1:], wanted[0]]


@SIZES
@pytest.mark.parametrize("theme", THEMES)
def test_main(snap_compare: Snap, theme: str, size: tuple[int, int]) -> None:
    name: Callable[[], Scene] = SCENES["failed" if size == SMALL else "running"]
    scene = name()
    protected = {"theme": theme, "protected": size == SMALL}
    scene.settings = scene.settings.model_copy(update=protected)
    assert snap_compare(scene.app(), terminal_size=size, run_before=drawn(scene))
