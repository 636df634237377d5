"""What all tests with pictures share: the sizes, and when a screen has come to rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
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


async def still(pilot: Pilot[Any]) -> None:
    """Wait until the picture is the same four times in a row."""
    before: list[Strip] = []
    same = 0
    while same < 3:
        await pilot.pause(0.08)
        now = pilot.app.screen._compositor.render_strips()  # a picture would take 0.1 s
        before, same = now, same + 1 if now == before else 0
