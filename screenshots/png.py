"""Textual's SVG pictures as PNG, for those who look at them where SVG is not shown."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import resvg_py

_WIDTH = 1600  # pixels
_FONT = "DejaVu Sans Mono"  # has all glyphs of the console, and comes with matplotlib


def write_png(svg: Path) -> Path:
    """Draw a picture beside it, under the same name.

    Args:
        svg: As Textual has saved it.

    Returns:
        The PNG's path.

    Raises:
        OSError: It can't be read or written.
    """
    text = svg.read_text()
    # Textual's pictures name fonts that a browser would fetch.
    text = re.sub(r"@font-face \{.*?\}", "", text, flags=re.DOTALL).replace("Fira Code", _FONT)
    drawn = resvg_py.svg_to_bytes(
        svg_string=text, font_dirs=[str(_fonts())], monospace_family=_FONT, width=_WIDTH
    )
    png = svg.with_suffix(".png")
    png.write_bytes(bytes(drawn))
    return png


def _fonts() -> Path:
    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
