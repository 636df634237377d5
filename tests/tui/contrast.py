"""How well text on a screen can be told from what is behind it, as WCAG 2.2 computes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.color import Color
from rich.style import Style
from textual.geometry import Region
from textual.screen import Screen

_DRAWN = (range(0x2500, 0x25A0),)  # lines, bars and blocks: no text


class Seen(NamedTuple):
    """A piece of text on a screen."""

    ratio: float
    text: str
    row: int
    colors: str


def seen(screen: Screen[object], region: Region) -> Iterator[Seen]:
    """Every piece of text in a part of a screen, with its contrast: 1 to 21."""
    strips = screen._compositor.render_strips(screen.size)
    for row in range(region.y, region.bottom):
        for segment in strips[row].crop(region.x, region.right):
            text = "".join(c for c in segment.text if not any(ord(c) in r for r in _DRAWN))
            if text.strip() and segment.style is not None:
                front, back = _colors(segment.style)
                yield Seen(ratio(front, back), text.strip(), row, f"{front} on {back}")


def _colors(style: Style) -> tuple[tuple[int, ...], tuple[int, ...]]:
    front, back = _triplet(style.color), _triplet(style.bgcolor)
    return (back, front) if style.reverse else (front, back)


def _triplet(color: Color | None) -> tuple[int, ...]:
    assert color is not None
    assert color.triplet is not None, f"{color}: depends on the terminal"
    return tuple(color.triplet)


def ratio(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The contrast of two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: tuple[int, ...]) -> float:
    red, green, blue = (
        c / 12.92 if (c := part / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
