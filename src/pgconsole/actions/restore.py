"""What can be done by key in the plan of a restore, and in the question below it."""

from __future__ import annotations

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import BACK, CONSOLE, FILTER, MOVE, RELOAD, SORT

RESTORE = (
    Action(
        "next_field", ("tab",), "Next part",
        "From the target to the question, the tables, the checks, and on; shift+tab goes back",
        Group.MOVE, footer="Next part",
    ),
    Action("previous_field", ("shift+tab",), "Previous part", "To the part before", Group.MOVE),
    Action(
        "question", ("enter",), "From the target to the question",
        "In the target: go on to the question; there: answer it", Group.WORK, shown="Enter",
        first=True,
    ),
    RELOAD,
    Action("page('tables')", ("1",), "Tables", "Rows now against rows in the backup", Group.MOVE),
    Action("page('checks')", ("2",), "Checks", "What stands in the way", Group.MOVE),
    Action(
        "page('course')", ("3",), "What happens", "What is done, to what, for how long", Group.MOVE
    ),
    *MOVE,
    FILTER,
    *SORT,
    BACK,
    *CONSOLE,
)  # fmt: skip
