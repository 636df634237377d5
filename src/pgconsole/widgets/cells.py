"""Text of any kind in a given number of cells of a terminal."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

_PICTURES = {
    ordinal: ordinal + 0x2400 for ordinal in range(0x20)  # ␀ ␁ … of the Unicode standard
} | {0x7F: 0x2421}  # fmt: skip


def visible(text: str) -> str:
    """Data so that every character of it can be seen and none acts: a newline is shown as `␊`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "�" for char in text.translate(_PICTURES))


def fitted(text: str, width: int, right: bool = False) -> str:
    """The text in exactly so many cells, cut at its end with `…`."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…" * min(1, width)
    space = " " * (width - length)
    return space + text if right else text + space
