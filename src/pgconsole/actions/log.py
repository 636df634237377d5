"""What can be done by key in a log."""

from __future__ import annotations

from dataclasses import replace

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import FILTER, MOVE

LOG = (
    *MOVE,
    Action(
        "follow", ("f", "space"), "Pause or follow the log",
        "Pause the log where it is, or follow its end again", Group.LOG, shown="f Space",
    ),
    replace(FILTER, footer=""),
    Action(
        "search", ("ctrl+f",), "Search the log",
        "Search for an expression; then go through its matches", Group.LOG,
    ),
    Action("next_match", ("n",), "Next match", "To the next line with a match", Group.LOG),
    Action("previous_match", ("N",), "Match before", "To the line with a match before", Group.LOG),
    Action(
        "level", ("L",), "Only warnings and errors",
        "Show warnings and errors only; again: errors only; again: all", Group.LOG,
    ),
    Action(
        "window", ("T",), "Only a window of time",
        "Show a window of time only: 15m, 2h, 02:00, 02:00..03:30", Group.LOG,
    ),
    Action(
        "older_job", ("left_square_bracket",), "Only the job before",
        "Show one job only: the newest; again: the one before it", Group.LOG, shown="[",
    ),
    Action(
        "newer_job", ("right_square_bracket",), "Only the job after",
        "Show the job after; after the newest: all logs", Group.LOG, shown="]",
    ),
    Action("all_jobs", ("a",), "All logs", "Show all jobs and the scheduler again", Group.LOG),
    Action(
        "wrap", ("w",), "Wrap long lines", "Wrap long lines, or cut them: then ← → scroll",
        Group.LOG,
    ),
    Action("shift('left')", ("left",), "Log to the left", "Scroll cut lines back", Group.LOG,
           shown="←"),
    Action("shift('right')", ("right",), "Log to the right", "Scroll cut lines on", Group.LOG,
           shown="→"),
    Action(
        "copy", ("y",), "Copy lines of the log",
        "Mark a line; moves and clicks mark more; again: copy them", Group.LOG,
    ),
    Action(
        "save", ("S", "ctrl+s"), "Save the log", "Save what is shown to a file; asks which",
        Group.LOG,
    ),
    Action(
        "clear", ("escape",), "Show more of the log again",
        "Take back one by one: marks, search, filter, window, level, job", Group.LOG, shown="Esc",
    ),
)  # fmt: skip
