"""A window of any size, at any moment: nothing breaks, and what matters stays in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.tui import inside_scenes
from tests.tui.driving import shown, until, until_shown
from tests.tui.scenes import SCENES
from tests.tui.test_welcome import welcoming
from textual.app import App
from textual.widgets import Input

pytestmark = pytest.mark.slow  # see `make test-slow`

# From the smallest to the largest, across every breakpoint of width and height, and askew.
WALK = ((80, 24), (60, 20), (300, 80), (119, 30), (120, 29), (60, 80), (300, 20), (160, 45))

READ = "here ✓ complete"  # both lists are there
OPENED = "public.documents"
# What opens a screen; what is there before its keys are pressed; its keys; what is there then; and
# what has to be seen at every size.
Case = tuple[Callable[[], App[Any]], str, list[str], str, tuple[str, ...]]


def main(scene: str, ready: str, keys: list[str], there: str, *essentials: str) -> Case:
    return SCENES[scene]().app, ready, keys, there, ("pgconsole", "thinktank", *essentials)


def over(scene: str, key: str, there: str, *essentials: str) -> Case:
    return SCENES[scene]().app, READ, [key], there, essentials


def inside(scene: str, ready: str, keys: list[str], there: str, *essentials: str) -> Case:
    return inside_scenes.SCENES[scene]().app, ready, keys, there, essentials


ASKED = ("Type yes to", "Esc closes")
CASES: dict[str, Case] = {
    "full": main("full", READ, [], READ, "✓ Protected"),
    "empty": main("empty", "No backups", [], "No backups", "! At risk"),
    "running": main("running", "Backup running", [], "Backup running", "● Backup running"),
    "failed": main("failed", READ, [], READ, "✗ At risk"),
    "unreachable": main("s3_unreachable", "? Unknown", ["2"], "can't be reached", "? Unknown"),
    "schedule": main("scheduled", READ, ["3"], "0 2 * * *", "✓ Protected"),
    "log": main("running", "Backup running", ["4"], "preflight", "● Backup running"),
    "log alone": main("running", "Backup running", ["l"], "preflight", "● Backup running"),
    "backup?": over("full", "b", "Type yes", *ASKED),
    "cancel?": over("running", "c", "Type yes", *ASKED),
    "restore?": over("full", "r", "Type yes", "Into database", *ASKED),
    "pin?": over("full", "p", "Esc closes", "Esc closes"),
    "pause?": over("full", "P", "Esc closes", "Esc closes"),
    "help": over("full", "question_mark", "Esc closes", "Help", "Esc closes"),
    "job": over("restored", "o", "1 Course", "1 Course", "Back"),
    "palette": over("full", "colon", "Search for", "Search for"),
    "tables": inside("full", OPENED, [], OPENED, "thinktank_daily", "✓ complete", OPENED),
    "changes": inside("full", OPENED, ["2"], "sessions", "thinktank_daily", "sessions"),
    "objects": inside("full", OPENED, ["4"], "touch()", "thinktank_daily", "touch()"),
    "error": inside("error", "can't be", [], "can't be", "can't be reached"),
    "rows": inside("full", OPENED, ["enter"], "document 1", "of 300"),
    "sql": inside("full", OPENED, ["4", "enter"], "database dump", "Esc closes"),
    "export?": inside("full", OPENED, ["x"], "File:", "File:", "Esc closes"),
    "welcome": (welcoming, "Nothing is", [], "Nothing is", ("PGHOST=", "BACKUP_DIR=", "Quit")),
}


@pytest.mark.parametrize("case", CASES)
async def test_walk(case: str) -> None:
    make, ready, keys, there, essentials = CASES[case]
    app = make()
    async with app.run_test(size=WALK[0], notifications=True) as pilot:
        await until_shown(pilot, ready)
        await pilot.press(*keys)
        await until_shown(pilot, there)
        for size in WALK:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: all(text in shown(app.screen) for text in essentials))
            assert app.screen.size == size
            if isinstance(app.focused, Input):  # what is typed can be seen
                assert app.screen.region.contains_region(app.focused.region), size


async def test_sizes_that_change_faster_than_they_are_drawn() -> None:
    app = SCENES["running"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Backup running")
        for number in range(12):
            await pilot.resize_terminal(60 + number * 20, 20 + number * 5)
            await pilot.press("tab" if number % 3 else "l")
        await until_shown(pilot, "Backup running")
