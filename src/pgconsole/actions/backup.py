"""What can be done by key in an opened backup, and in the rows of a table."""

from __future__ import annotations

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import BACK, CANCEL, CONSOLE, DISMISS, FILTER, MOVE, RELOAD, SORT

BACKUP = (
    Action(
        "open", ("enter",), "Open the selected row",
        "Show the rows of the selected table, or the SQL of the selected object", Group.WORK,
        footer="Open", shown="Enter",
    ),
    Action(
        "export", ("x",), "Export the selected table",
        "Write all rows of the selected table to a CSV file; asks which", Group.WORK,
        footer="Export",
    ),
    Action(
        "verify", ("v",), "Verify this copy",
        "Read this copy whole and note what was found; asks for yes", Group.WORK,
        footer="Verify", work="verify",
    ),
    Action(
        "front", ("f",), "Read it from the front",
        "Without a manifest: read the whole file to find its tables; nothing is kept of that",
        Group.WORK,
    ),
    Action(
        "copy_location", ("y",), "Copy path or key",
        "Send its path here, or its URL in S3, to the terminal's clipboard", Group.WORK,
    ),
    CANCEL,
    DISMISS,
    RELOAD,
    Action("next_tab", ("tab",), "Next tab", "Go to the next tab; shift+tab goes back", Group.MOVE),
    Action("previous_tab", ("shift+tab",), "Previous tab", "Go to the tab before", Group.MOVE),
    Action("tab('tables')", ("1",), "Tables", "Go to the tables", Group.MOVE),
    Action("tab('changes')", ("2",), "Changes", "Compare with the backup before", Group.MOVE),
    Action("tab('evidence')", ("3",), "Evidence", "What was proven of this copy", Group.MOVE),
    Action("tab('objects')", ("4",), "Objects", "Go to the objects and their SQL", Group.MOVE),
    *MOVE,
    FILTER,
    *SORT,
    BACK,
    *CONSOLE,
)  # fmt: skip

ROWS = (
    Action(
        "open", ("enter",), "Show the row", "Show the selected row, one column a line, whole",
        Group.WORK, footer="Row", shown="Enter",
    ),
    Action(
        "export", ("x",), "Export the table", "Write all rows to a CSV file; asks which",
        Group.WORK, footer="Export",
    ),
    CANCEL,
    DISMISS,
    Action("reload", ("ctrl+r",), "Read again", "Read these rows again", Group.WORK),
    *MOVE,
    Action(
        "move('right')", ("l", "right"), "Right", "The next column", Group.MOVE, shown="l →"
    ),
    Action("move('left')", ("h", "left"), "Left", "The column before", Group.MOVE, shown="h ←"),
    BACK,
    *CONSOLE,
)  # fmt: skip
