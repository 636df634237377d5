"""What can be done in many places, with the same keys in each."""

from __future__ import annotations

from pgconsole.actions.action import Action, Group

CONSOLE = (
    Action(
        "palette", ("colon", "ctrl+p"), "All commands", "Search all commands by name",
        Group.CONSOLE, shown=": ctrl+p",
    ),
    Action(
        "theme", ("ctrl+t",), "Other colours",
        "Take the next colours: dark, light, high contrast, the terminal's own", Group.CONSOLE,
    ),
    Action("help", ("question_mark",), "Help", "Show this help", Group.CONSOLE, "Help", "?"),
    Action(
        "quit", ("q", "ctrl+q"), "Quit", "Quit at any time; jobs go on. In dialogs: ctrl+q",
        Group.CONSOLE, footer="Quit",
    ),
)  # fmt: skip
# Of every screen above the main one.
BACK = Action(
    "back", ("escape",), "Back", "Back to where it was opened; clears a filter first",
    Group.CONSOLE, footer="Back", shown="Esc",
)  # fmt: skip
MOVE = (
    Action("move('down')", ("j", "down"), "Down", "One row down", Group.MOVE, shown="j ↓"),
    Action("move('up')", ("k", "up"), "Up", "One row up", Group.MOVE, shown="k ↑"),
    Action("move('top')", ("g", "home"), "First row", "To the first row", Group.MOVE),
    Action("move('bottom')", ("G", "end"), "Last row", "To the last row", Group.MOVE),
    Action("move('page_down')", ("pagedown",), "Page down", "One page down", Group.MOVE),
    Action("move('page_up')", ("pageup",), "Page up", "One page up", Group.MOVE),
)
FILTER = Action(
    "filter", ("slash",), "Filter",
    "Show rows in which an expression is found; with ! in front, the others", Group.LIST,
    footer="Filter", shown="/",
)  # fmt: skip
SORT = (
    Action("sort", ("s",), "Sort", "Sort by the next column", Group.LIST),
    Action("reverse", ("S",), "Reverse", "Turn the order round", Group.LIST),
)
LOG_FULL = Action(
    "log_full", ("l",), "Log on the whole screen", "Show the log on the whole screen; again: back",
    Group.LOG,
)  # fmt: skip
RELOAD = Action(
    "reload", ("ctrl+r",), "Read everything again", "Read everything again now", Group.WORK
)
CANCEL = Action(
    "cancel", ("c",), "Cancel the running job", "Cancel the running job; asks for a typed yes",
    Group.WORK, work="cancel",
)  # fmt: skip
DISMISS = Action(
    "dismiss_notice", ("z",), "Dismiss the notice about the last job",
    "Dismiss the notice about an ended job", Group.WORK,
)  # fmt: skip
