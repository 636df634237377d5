"""What can be done by key in an opened backup: the part of the registry that its screens use."""

from __future__ import annotations

from pgconsole.actions import Action, Group

_LEAVE = (
    Action(
        "back", ("escape",), "Back", "Back to where it was opened; clears a filter first",
        Group.CONSOLE, footer="Back", shown="Esc",
    ),
    Action(
        "palette", ("colon", "ctrl+p"), "All commands", "Search all commands by name",
        Group.CONSOLE, shown=": ctrl+p",
    ),
    Action("help", ("question_mark",), "Help", "Show this help", Group.CONSOLE, "Help", "?"),
    Action(
        "quit", ("q", "ctrl+q"), "Quit", "Quit at any time; jobs go on. In dialogs: ctrl+q",
        Group.CONSOLE, footer="Quit",
    ),
)  # fmt: skip
_MOVE = (
    Action("move('down')", ("j", "down"), "Down", "One row down", Group.MOVE, shown="j ↓"),
    Action("move('up')", ("k", "up"), "Up", "One row up", Group.MOVE, shown="k ↑"),
    Action("move('top')", ("g", "home"), "First row", "To the first row", Group.MOVE),
    Action("move('bottom')", ("G", "end"), "Last row", "To the last row", Group.MOVE),
    Action(
        "move('page_down')", ("pagedown", "space"), "Page down", "One page down", Group.MOVE,
        shown="pagedown",
    ),
    Action("move('page_up')", ("pageup",), "Page up", "One page up", Group.MOVE),
)  # fmt: skip
_JOBS = (
    Action(
        "cancel", ("c",), "Cancel the running job", "Cancel the running job; asks for a typed yes",
        Group.WORK, work="cancel",
    ),
    Action(
        "dismiss_notice", ("d",), "Dismiss the notice about the last job",
        "Dismiss the notice about an ended job", Group.WORK,
    ),
)  # fmt: skip

BACKUP_ACTIONS = (
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
    *_JOBS,
    Action(
        "reload", ("ctrl+r",), "Read everything again", "Read everything again now", Group.WORK
    ),
    Action("next_tab", ("tab",), "Next tab", "Go to the next tab; shift+tab goes back", Group.MOVE),
    Action("previous_tab", ("shift+tab",), "Previous tab", "Go to the tab before", Group.MOVE),
    Action("tab('tables')", ("1",), "Tables", "Go to the tables", Group.MOVE),
    Action("tab('changes')", ("2",), "Changes", "Compare with the backup before", Group.MOVE),
    Action("tab('evidence')", ("3",), "Evidence", "What was proven of this copy", Group.MOVE),
    Action("tab('objects')", ("4",), "Objects", "Go to the objects and their SQL", Group.MOVE),
    *_MOVE,
    Action(
        "filter", ("slash",), "Filter",
        "Show rows in which an expression is found; with ! in front, the others", Group.MOVE,
        footer="Filter", shown="/",
    ),
    Action("sort", ("s",), "Sort", "Sort by the next column", Group.MOVE),
    Action("reverse", ("S",), "Reverse", "Turn the order round", Group.MOVE),
    *_LEAVE,
)  # fmt: skip

ROWS_ACTIONS = (
    Action(
        "open", ("enter",), "Show the row", "Show the selected row, one column a line, whole",
        Group.WORK, footer="Row", shown="Enter",
    ),
    Action(
        "export", ("x",), "Export the table", "Write all rows to a CSV file; asks which",
        Group.WORK, footer="Export",
    ),
    *_JOBS,
    Action("reload", ("ctrl+r",), "Read again", "Read these rows again", Group.WORK),
    *_MOVE,
    Action(
        "move('right')", ("l", "right"), "Right", "The next column", Group.MOVE, shown="l →"
    ),
    Action("move('left')", ("h", "left"), "Left", "The column before", Group.MOVE, shown="h ←"),
    *_LEAVE,
)  # fmt: skip
