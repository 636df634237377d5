"""Pictures of the plan of a restore, in each of its states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.tui.driving import until, until_shown
from tests.tui.pictures import SIZES, SMALL, Snap, still
from tests.tui.restore_scenes import SCENES
from textual.pilot import Pilot

from pgconsole.screens.restore import RestoreScreen

# What is on the screen when all has come that comes.
SETTLED = {
    "full": "public.documents 310",
    "loading": "Asking db.example.com",
    "counting": "public.documents 310",
    "unreachable": "What would be lost is not known",
    "no_database": "does not exist on the server",
    "new_database": "has no tables",
    "nothing_in_common": "nothing of what is in",
    "failed": "too little free space",
    "held": "PostgreSQL would refuse",
    "damaged": "found damaged 1 h ago",
    "protected": "public.documents 310",
    "from_s3": "public.documents 310",
    "s3_unreachable": "any of them may be lost",
    "no_manifest": "any of them may be lost",
    "plan_only": "public.documents 310",
    "read_only": "public.documents 310",
}


def drawn(scene: str, keys: tuple[str, ...] = ()) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait until all has come, press keys, wait until nothing changes."""

    async def run(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, RestoreScreen))
        await until_shown(pilot, SETTLED[scene])
        if scene != "loading":
            await until(pilot, lambda: " to come" not in _tabs(pilot))
        await pilot.press(*keys)
        await still(pilot)

    return run


def _tabs(pilot: Pilot[Any]) -> str:
    screen = pilot.app.screen
    assert isinstance(screen, RestoreScreen)
    return str(screen._pages["checks"].border_title)


def compare(snap: Snap, scene: str, size: tuple[int, int], *keys: str) -> bool:
    return snap(SCENES[scene]().app(), terminal_size=size, run_before=drawn(scene, keys))


def test_every_state_has_its_pictures() -> None:
    assert SETTLED.keys() == SCENES.keys()


@SIZES
@pytest.mark.parametrize("scene", list(SETTLED))
def test_states(snap_compare: Snap, scene: str, size: tuple[int, int]) -> None:
    assert compare(snap_compare, scene, size)


@pytest.mark.parametrize(
    ("scene", "keys"),
    [
        ("full", ("tab", "tab", "tab")),
        ("full", ("shift+tab",)),
        ("full", ("shift+tab", "pagedown")),
        ("held", ("tab", "tab", "tab")),
        ("no_manifest", ("tab", "tab", "tab")),
        ("from_s3", ("shift+tab",)),
        ("full", ("enter", *"Yes", "enter")),
        ("failed", ("enter", *"yes", "enter")),
        ("full", ("tab", "tab", "slash", *"doc")),
        ("full", ("tab", "tab", "question_mark")),
    ],
    ids=[
        "checks", "course", "course-end", "held-checks", "no-manifest-checks", "s3-course",
        "wrong-word", "refused", "filter", "help",
    ],
)  # fmt: skip
def test_pages_at_80x24(snap_compare: Snap, scene: str, keys: tuple[str, ...]) -> None:
    assert compare(snap_compare, scene, SMALL, *keys)


@pytest.mark.parametrize("scene", ["full", "held"])
def test_at_60x20(snap_compare: Snap, scene: str) -> None:
    assert compare(snap_compare, scene, (60, 20))


@pytest.mark.parametrize("scene", ["full", "failed", "protected"])
def test_without_colours(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, scene: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert compare(snap_compare, scene, SMALL)


@SIZES
def test_in_the_terminals_own_colours(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.setenv("TERM", "linux")
    assert compare(snap_compare, "protected", size)
