"""Keys that the operator gave: they work, and help, palette, footer and hints show them."""

from __future__ import annotations

from tests.tui import inside_scenes
from tests.tui.driving import shown, until, until_shown
from tests.tui.scenes import SCENES, settings
from textual.pilot import Pilot

from pgconsole.actions.keymap import KeyMap
from pgconsole.app import PgconsoleApp
from pgconsole.errors import ConfigurationError
from pgconsole.screens.confirm import ConfirmScreen
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.main import MainScreen

KEYS = KeyMap(
    {
        "backup": ("v",), "verify": ("b",), "prune": ("f5",), "move.down": ("t", "down"),
        "help": ("f1",), "quit": ("x",), "dismiss_notice": ("plus",), "resize.more": ("f7",),
    }
)  # fmt: skip


def remapped(scene: str, keys: KeyMap = KEYS) -> PgconsoleApp:
    """A prepared scene with these keys."""
    usual = SCENES[scene]().app()
    return PgconsoleApp(usual.settings, sources=usual._sources, now=usual._now, key_map=keys)


async def asked(pilot: Pilot[None], key: str, title: str) -> None:
    """Press a key, see the question, and leave it."""
    await pilot.press(key)
    await until_shown(pilot, title)
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))


async def test_keys_do_what_they_were_given_and_nothing_else() -> None:
    app = remapped("full")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        await asked(pilot, "v", "Back up thinktank now?")
        await asked(pilot, "b", "Verify this copy?")
        for key in ("question_mark", "j", "q"):
            await pilot.press(key)
        assert app.is_running
        assert isinstance(app.screen, MainScreen)
        table = app.screen._panes.backups.active.table
        assert table.cursor == 0
        await pilot.press("t", "down")
        assert table.cursor == 2
        await pilot.press("f5")  # has no key of its own
        await until(pilot, lambda: app._notifications)
        await pilot.press("x")
    assert app.return_code == 0


async def test_help_palette_and_footer_show_them() -> None:
    app = remapped("failed")
    async with app.run_test(size=(80, 60)) as pilot:
        await until_shown(pilot, "+ dismisses this")
        footer = shown(app.screen).splitlines()[-1]
        assert " ".join(footer.split()) == (
            "v Backup b Verify r Restore c Cancel job l Log f1 Help x Quit"
        )
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until_shown(pilot, "t ↓          One row down")
        assert "v            Back up now" in shown(app.screen)
        assert "Esc closes · t k scroll · x quits" in shown(app.screen)
        await pilot.press("t", "f1")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))
        await pilot.press("colon")
        await until_shown(pilot, "Back up now  v")
        await until_shown(pilot, "Apply retention now  f5")


async def test_ctrl_q_always_quits() -> None:
    app = remapped("full")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("ctrl+q")
    assert app.return_code == 0


async def test_one_map_serves_all_places() -> None:
    scene = inside_scenes.SCENES["full"]()
    app = scene.app()
    app.key_map = KeyMap({"reverse": ("R",), "sort": ("o",), "back": ("backspace",)})
    app.set_keymap({name: ",".join(keys) for name, keys in app.key_map.keys.items()})
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        await pilot.press("o")
        await until_shown(pilot, "TABLE ▲")
        await pilot.press("R")
        await until_shown(pilot, "TABLE ▼")
        assert "⌫ Back" in shown(app.screen)
        await pilot.press("slash", "o", "enter")
        await until_shown(pilot, "/ o")
        await pilot.press("backspace")  # clears the filter first, as Esc did
        await until(pilot, lambda: "/ o" not in shown(app.screen))


async def test_hints_name_the_key_that_is_in_use() -> None:
    app = inside_scenes.SCENES["no_manifest"]().app()
    app.key_map = KeyMap({"verify": ("V",), "front": ("F",)})
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "V verifies it: that reads it whole")
        await until_shown(pilot, "F reads the file from its front")


async def test_a_broken_map_locks_nobody_out() -> None:
    problem = ConfigurationError(
        "/home/[ana]/keys.toml is not used", cause="verfy: no action has this name",
        fix="correct it",
    )  # fmt: skip
    app = PgconsoleApp(settings(), problems=[problem])
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "/home/[ana]/keys.toml is not used")
        await until_shown(pilot, "verfy: no action has this name")
        await until_shown(pilot, "Next: correct it")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
