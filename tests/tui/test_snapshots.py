"""Pictures of the main screen's states. `pytest tests/tui --snapshot-update` takes new ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.tui.driving import is_settled, until
from tests.tui.pictures import LARGE, SIZES, SMALL, Snap, still
from tests.tui.scenes import SCENES, Scene
from textual.pilot import Pilot

from pgconsole.screens.main import MainScreen


def drawn(scene: Scene, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait until all that will be answered was, press keys, wait until nothing changes."""

    async def run(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, MainScreen)
        told = sum(bool(entry.message) for entry in scene.journal)
        panes = screen._panes

        def answered() -> bool:
            places = [(scene.local, screen._local)]
            if scene.settings.s3_enabled:
                places.append((scene.s3, screen._s3))
            return (
                all(value is None or known.value or known.problem for value, known in places)
                and (scene.s3_so_far is None or screen._s3.so_far is not None)
                and panes.schedule.known.value is not None
                and screen._board.jobs == scene.jobs
                and screen._log.view.viewport.count == told
                and is_settled(screen._log)
            )

        await until(pilot, answered)
        await still(pilot)
        if keys:
            await pilot.press(*keys)
            await still(pilot)

    return run


def compare(snap: Snap, name: str, size: tuple[int, int], *keys: str) -> bool:
    scene = SCENES[name]()
    return snap(scene.app(), terminal_size=size, run_before=drawn(scene, *keys))


@SIZES
@pytest.mark.parametrize(
    "scene",
    ["full", "empty", "loading", "stale", "running", "failed", "damaged", "s3_unreachable"],
)
def test_main(snap_compare: Snap, scene: str, size: tuple[int, int]) -> None:
    assert compare(snap_compare, scene, size, *{"stale": ("ctrl+r",)}.get(scene, ()))


@pytest.mark.parametrize(
    ("scene", "keys"),
    [
        ("s3_unreachable", "2"),
        ("s3_off", "2"),
        ("full", "3"),
        ("scheduled", "3"),
        ("paused", "3"),
        ("scheduler_gone", "3"),
        ("other_schedule", "3"),
        ("damaged", "1"),
        ("damaged", "jj"),
        ("full", "jjjjj"),
        ("reading", "2"),
        ("running", "l"),
        ("loading", "2"),
        ("foreign", "G"),
    ],
)
def test_panes_at_80x24(snap_compare: Snap, scene: str, keys: str) -> None:
    assert compare(snap_compare, scene, SMALL, *keys)


@pytest.mark.parametrize(
    ("scene", "keys"),
    [
        ("full", ("b",)),
        ("full", ("v",)),
        ("full", ("p",)),
        ("full", ("P",)),
        ("paused", ("P",)),
        ("full", ("b", "y", "enter")),
        ("running", ("c",)),
        ("full", ("question_mark",)),
    ],
    ids=[
        "backup",
        "verify",
        "pin",
        "pause",
        "resume",
        "wrong-answer",
        "cancel",
        "help",
    ],
)
def test_dialogs_at_80x24(snap_compare: Snap, scene: str, keys: tuple[str, ...]) -> None:
    assert compare(snap_compare, scene, SMALL, *keys)


def test_backup_dialog_at_160x45(snap_compare: Snap) -> None:
    assert compare(snap_compare, "full", LARGE, "b")


def test_without_colours(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert compare(snap_compare, "failed", SMALL, "j")
