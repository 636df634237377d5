"""What can be done by key in the list of jobs, and in an opened job."""

from __future__ import annotations

from dataclasses import replace

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import (
    BACK,
    CANCEL,
    CONSOLE,
    FILTER,
    LOG_FULL,
    MOVE,
    RELOAD,
    SORT,
)

_RETRY = Action(
    "retry", ("R",), "Start it anew",
    "Start the same work anew; asks for a typed yes. A restore is asked for from the beginning",
    Group.WORK, footer="Retry", work="retry",
)  # fmt: skip

JOBS = (
    Action(
        "open", ("enter",), "Open the selected job",
        "Open the selected job: its phases, log, what it checked, the commands it ran",
        Group.WORK, shown="Enter",
    ),
    replace(
        CANCEL, label="Cancel the selected job",
        help="Cancel the selected job; asks for a typed yes", footer="Cancel",
    ),
    _RETRY,
    RELOAD,
    *MOVE,
    FILTER,
    Action(
        "wrong", ("exclamation_mark",), "Only what went wrong",
        "Show only jobs that failed, were cancelled, or stall; again: all", Group.LIST,
        footer="Wrong", shown="!",
    ),
    *SORT,
    BACK,
    *CONSOLE,
)  # fmt: skip

JOB = (
    replace(
        CANCEL, label="Cancel this job", help="Cancel this job; asks for a typed yes",
        footer="Cancel",
    ),
    _RETRY,
    RELOAD,
    Action("next_tab", ("tab",), "Next tab", "Go to the next tab; shift+tab goes back", Group.MOVE),
    Action("previous_tab", ("shift+tab",), "Previous tab", "Go to the tab before", Group.MOVE),
    Action("tab('course')", ("1",), "Course", "Its phases, its throughput, its log", Group.MOVE),
    Action("tab('result')", ("2",), "Result", "What it made, checked and met", Group.MOVE),
    Action("tab('commands')", ("3",), "Commands", "The commands it ran", Group.MOVE),
    *MOVE,
    replace(LOG_FULL, footer="Log"),
    BACK,
    *CONSOLE,
)  # fmt: skip
