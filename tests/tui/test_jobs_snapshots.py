"""Pictures of the list of jobs and of an opened job, in each of their states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.tui.driving import is_settled, until, until_shown
from tests.tui.job_scenes import LISTS, OPENED, JobScene
from tests.tui.pictures import SIZES, SMALL, Snap, still
from textual.pilot import Pilot

from pgconsole.screens.job import JobScreen
from pgconsole.screens.jobs import JobsScreen


def named(value: object) -> str | None:
    """Keys as a name."""
    return "-".join(value) if isinstance(value, tuple) else None


def drawn(text: str, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait for a text, press keys, wait until nothing changes."""

    async def run(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, JobsScreen | JobScreen))
        await until_shown(pilot, text)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if isinstance(screen := pilot.app.screen, JobScreen):
            await until(pilot, lambda: is_settled(screen._log))
        await still(pilot)

    return run


def compare(snap: Snap, scene: JobScene, size: tuple[int, int], text: str, *keys: str) -> bool:
    return snap(scene.app(), terminal_size=size, run_before=drawn(text, *keys))


@SIZES
@pytest.mark.parametrize(
    ("scene", "text"),
    [
        ("full", "● running"),
        ("empty", "No job has run yet"),
        ("loading", "Reading the jobs"),
        ("error", "ctrl+r reads again"),
        ("stalled", "! stalled"),
        ("many", "Reading older jobs"),
    ],
    ids=list(LISTS)[:6],
)
def test_list(snap_compare: Snap, scene: str, text: str, size: tuple[int, int]) -> None:
    assert compare(snap_compare, LISTS[scene](), size, text)


@pytest.mark.parametrize(
    ("scene", "text", "keys"),
    [
        ("full", "running", ("j", "j")),
        ("full", "running", ("exclamation_mark",)),
        ("all_well", "done", ("exclamation_mark",)),
        ("full", "running", ("slash", *"^exp")),
        ("full", "running", ("s", "s", "s", "s", "g")),
        ("full", "running", ("question_mark",)),
        ("full", "running", ("j", "j", "R")),
        ("full", "running", ("c",)),
    ],
    ids=named,
)
def test_keys_in_the_list(snap_compare: Snap, scene: str, text: str, keys: tuple[str, ...]) -> None:
    assert compare(snap_compare, LISTS[scene](), SMALL, text, *keys)


@SIZES
@pytest.mark.parametrize(
    ("scene", "text"),
    [
        ("running", "ETA"),
        ("stalled", "5 lines · following"),
        ("done", "Backup done"),
        ("restored", "EXPECTED"),
        ("failed", "Backup failed"),
        ("preflight", "postgresql-client-16"),
        ("partly_failed", "partly failed"),
        ("cancelled", "was cancelled"),
        ("interrupted", "was interrupted"),
        ("damaged", "spec.json of job"),
        ("strange", "Export failed"),
        ("loading", "Reading job"),
        ("error", "There is no job"),
    ],
    ids=list(OPENED),
)
def test_job(snap_compare: Snap, scene: str, text: str, size: tuple[int, int]) -> None:
    assert compare(snap_compare, OPENED[scene](), size, text)


@pytest.mark.parametrize(
    ("scene", "text", "keys"),
    [
        ("partly_failed", "partly failed", ("R",)),
        ("strange", "Export failed", ("3",)),
        ("done", "Backup done", ("2",)),
        ("done", "Backup done", ("3",)),
        ("done", "Backup done", ("l",)),
        ("running", "ETA", ("2",)),
        ("running", "ETA", ("c",)),
    ],
    ids=named,
)
def test_keys_in_a_job(snap_compare: Snap, scene: str, text: str, keys: tuple[str, ...]) -> None:
    assert compare(snap_compare, OPENED[scene](), SMALL, text, *keys)


@pytest.mark.parametrize("terminal", ["no-colours", "ansi"])
@pytest.mark.parametrize("which", ["list", "job"])
def test_few_colours_and_none(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, which: str, terminal: str
) -> None:
    if terminal == "ansi":
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("COLORTERM")
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    if which == "list":
        assert compare(snap_compare, LISTS["full"](), SMALL, "running", "j", "j")
    else:
        assert compare(snap_compare, OPENED["done"](), SMALL, "Backup done")


def test_few_colours_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM")
    assert LISTS["full"]().app().theme == "pgconsole-ansi"
