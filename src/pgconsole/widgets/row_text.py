"""What is known of the backup under the cursor, in a few lines. Pure."""

from __future__ import annotations

from datetime import datetime

from pgconsole.widgets.backup_columns import trend_text
from pgconsole.widgets.backup_rows import BackupRow, Knowledge, View
from pgconsole.widgets.copy_text import PINNED, copy_text, pin_text
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import clean

_ROOMY = 110  # cells; in fewer, two copies tell only what was proven, not what that means


def row_text(row: BackupRow, view: View, known: Knowledge, now: datetime, width: int) -> list[Part]:
    """A line for each copy that the list is about, then what is odd, then who pinned it.

    Args:
        row: The backup.
        view: Which list it is.
        known: What is known of it.
        now: The time.
        width: Cells of a line.
    """
    lines: list[list[Part]] = []
    for one, label in ((View.LOCAL, "here "), (View.S3, "S3   ")):
        copy = row.local if one is View.LOCAL else row.s3
        if copy is None or view not in (View.ALL, one):
            continue
        two = view is View.ALL and known.s3_enabled
        named: list[Part] = [(label, "$muted")] if two else []
        briefly = two and width < _ROOMY
        lines.append([*named, *copy_text(*known.standing(row, one), now, briefly=briefly)])
    history = known.history(row)
    if history.oddity:
        lines.append([("! odd", "$text-warning bold"), f": {clean(history.oddity)}"])
    elif history.trend is not None and len(lines) == 1:
        change = trend_text(history.trend)
        same = "as large as" if change == "=" else f"{change} against"
        lines[-1].append((f" · {same} the one before", "$muted"))
    pin = known.pin(row)
    if pin is not None:
        lines.append([(f"{PINNED} pinned", "bold"), f" {pin_text(pin, now)}"])
    parts: list[Part] = []
    for number, line in enumerate(lines):
        parts += ["\n", *line] if number else line
    return parts
