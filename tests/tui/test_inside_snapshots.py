"""Pictures of an opened backup's states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.tui.driving import until, until_shown
from tests.tui.inside_scenes import SCENES
from tests.tui.pictures import SIZES, SMALL, Snap, still
from textual.pilot import Pilot

from pgconsole.screens.backup import BackupScreen

FULL = {
    "tables": ("", "public.users"),
    "changes": ("2", "sessions"),
    "evidence": ("3", "no longer counts"),
    "objects": ("4", "documents_title"),
    "rows": ("enter", "document 1"),
}


def drawn(scene: str, keys: tuple[str, ...], text: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait for what is known of the copy, press keys, wait for a text that says all is there."""

    async def run(pilot: Pilot[Any]) -> None:
        app = pilot.app
        await until(pilot, lambda: isinstance(app.screen, BackupScreen))
        if scene not in ("loading", "error"):
            await until(pilot, lambda: app.screen._state.opened.value is not None)  # type: ignore[attr-defined]
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until_shown(pilot, text)
        await still(pilot)

    return run


def compare(
    snap: Snap, scene: str, size: tuple[int, int], keys: tuple[str, ...], text: str
) -> bool:
    app = SCENES[scene]().app()
    return snap(app, terminal_size=size, run_before=drawn(scene, keys, text))


@SIZES
@pytest.mark.parametrize("view", list(FULL))
def test_full(snap_compare: Snap, view: str, size: tuple[int, int]) -> None:
    key, text = FULL[view]
    assert compare(snap_compare, "full", size, (key,) if key else (), text)


@SIZES
def test_without_manifest(snap_compare: Snap, size: tuple[int, int]) -> None:
    assert compare(snap_compare, "no_manifest", size, (), "f reads the file")


@pytest.mark.parametrize(
    ("scene", "keys", "text"),
    [
        ("loading", (), "Reading the manifest of"),
        ("error", (), "ctrl+r reads again"),
        ("no_manifest", ("f",), "public.users"),
        ("nothing_before", ("2",), "connection refused"),
        ("comparing", ("2",), "Looking for the backup before"),
        ("unreadable", ("4",), "connection refused"),
        ("unreadable", ("enter",), "connection refused"),
        ("silent", ("enter",), "Reading …"),
        ("unproven", ("3",), "Nobody has verified"),
        ("full", ("j", "enter"), "not markup"),
        ("full", ("j", "j", "enter"), "The table is empty"),
        ("full", ("j", "enter", "j", "enter"), "Row 2 of"),
        ("full", ("4", "j", "j", "enter"), "RETURN NEW"),
        ("full", ("slash", "exclamation_mark", "p", "u", "b"), "1 of 4"),
        ("full", ("s", "s", "slash", "left_parenthesis"), "unterminated"),
        ("full", ("enter", "question_mark"), "Help"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_states_at_80x24(snap_compare: Snap, scene: str, keys: tuple[str, ...], text: str) -> None:
    assert compare(snap_compare, scene, SMALL, keys, text)


@pytest.mark.parametrize("view", ["changes", "rows"])
def test_without_colours(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    key, text = FULL[view]
    assert compare(snap_compare, "full", SMALL, (key,), text)
