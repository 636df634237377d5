"""How a table was sorted and filtered, from one time to the next."""

from __future__ import annotations

import re
from contextlib import suppress

from pgconsole.memory import Memory
from pgconsole.settings import Settings
from pgconsole.widgets.grid import Grid


def recall(memory: Memory, name: str, grid: Grid, *, of: Settings) -> str:
    """Sort and filter a table as the last time.

    Args:
        memory: Somebody may have written anything into its file: what is no column and no
            expression changes nothing.
        name: Of the table, such as `backup.tables`.
        grid: The table.
        of: Whose backups it is about.

    Returns:
        The filter, to be shown: nothing is hidden silently.
    """
    column, descending = grid.order
    grid.order_by(
        memory.get(f"{name}.sort", column, of=of),
        memory.get(f"{name}.descending", descending, of=of),
    )
    text = memory.get(f"{name}.filter", "", of=of)
    with suppress(re.error):
        grid.filter(text)
        return text
    return ""


def remember(memory: Memory, name: str, grid: Grid, text: str, *, of: Settings) -> None:
    """Keep it for `recall`; the arguments are the same, and `text` the filter."""
    column, descending = grid.order
    memory.set(f"{name}.sort", column, of=of)
    memory.set(f"{name}.descending", descending, of=of)
    memory.set(f"{name}.filter", text, of=of)
