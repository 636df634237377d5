"""What all tests with pictures share: the sizes, and when a screen has come to rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from pytest_textual_snapshot import normalize_svg
from tests.tui.driving import until
from textual.pilot import Pilot
from textual.strip import Strip

SMALL, MEDIUM, LARGE = (80, 24), (100, 30), (160, 45)
EACH_SIZE = (
    pytest.param(SMALL, id="80x24"),
    # Between the two others: it takes as long as they do, and tells least.
    pytest.param(MEDIUM, id="100x30", marks=pytest.mark.slow),
    pytest.param(LARGE, id="160x45"),
)
SIZES = pytest.mark.parametrize("size", EACH_SIZE)
Snap = Callable[..., bool]
Draw = Callable[[Pilot[Any]], Awaitable[None]]
PATIENCE = 15.0  # seconds; a machine that four tests share has answered after 3


async def still(pilot: Pilot[Any]) -> None:
    """Wait until the picture is the same four times in a row."""
    before: list[Strip] = []
    same = 0
    while same < 3:
        await pilot.pause(0.08)
        now = pilot.app.screen._compositor.render_strips()
        before, same = now, same + 1 if now == before else 0


def becomes(expected: str | None, draw: Draw) -> Draw:
    """Draw, then wait until the picture is the one expected, or `PATIENCE` is at its end."""

    async def run(pilot: Pilot[Any]) -> None:
        def is_there() -> bool:
            return normalize_svg(pilot.app.export_screenshot(simplify=True)) == expected

        await draw(pilot)
        if expected is not None:
            with suppress(AssertionError):  # comparing tells what differs
                await until(pilot, is_there, PATIENCE)

    return run
