"""What can be done by key in the main screen."""

from __future__ import annotations

from dataclasses import replace

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import BACK, CANCEL, CONSOLE, DISMISS, MOVE, RELOAD

MAIN = (
    Action(
        "backup",
        ("b",),
        "Back up now",
        "Back up now; asks for a typed yes",
        Group.WORK,
        footer="Backup",
        work="backup",
    ),
    Action(
        "open",
        ("enter",),
        "Look into the selected copy",
        "Open the selected copy: its tables, what has changed, its rows and its SQL",
        Group.WORK,
        shown="Enter",
    ),
    Action(
        "verify",
        ("v",),
        "Verify the selected copy",
        "Read the selected copy whole, here or in S3, and note what was found; asks for yes",
        Group.WORK,
        footer="Verify",
        work="verify",
    ),
    Action(
        "restore",
        ("r",),
        "Restore the selected copy",
        "Put the selected copy back into a database; asks for a typed yes",
        Group.WORK,
        footer="Restore",
        work="restore",
    ),
    replace(CANCEL, footer="Cancel job"),
    Action(
        "upload",
        ("u",),
        "Upload the selected backup to S3",
        "Copy the selected backup to S3; asks for a typed yes",
        Group.WORK,
        work="upload",
    ),
    Action(
        "pin",
        ("p",),
        "Pin or unpin the selected backup",
        "Pin the selected backup: retention keeps it; again: unpin it",
        Group.WORK,
        work="pin",
    ),
    Action(
        "pause",
        ("P",),
        "Pause or resume",
        "Pause the schedule with a reason; again: resume it",
        Group.WORK,
        work="pause",
    ),
    Action(
        "prune",
        (),
        "Apply retention now",
        "Apply retention now; shows each file that goes, with its reason, first",
        Group.WORK,
        shown=": apply",
        work="prune",
    ),
    Action("doctor", ("D",), "Doctor", "Look at everything that a backup needs", Group.WORK),
    Action(
        "outcome",
        ("o",),
        "Outcome of the job in the log",
        "How the job in the log, or the last one, ended: what it checked, expected and found",
        Group.WORK,
    ),
    DISMISS,
    RELOAD,
    Action(
        "next_pane",
        ("tab",),
        "Next pane",
        "Go to the next pane; shift+tab goes back",
        Group.MOVE,
    ),
    Action("previous_pane", ("shift+tab",), "Previous pane", "Go to the pane before", Group.MOVE),
    Action("pane('local')", ("1",), "Local backups", "Go to the local backups", Group.MOVE),
    Action("pane('s3')", ("2",), "S3 backups", "Go to the backups in S3", Group.MOVE),
    Action("pane('schedule')", ("3",), "Schedule", "Go to the schedule", Group.MOVE),
    Action("pane('log')", ("4",), "Log", "Go to the log", Group.MOVE),
    *MOVE,
    Action(
        "log_full",
        ("l",),
        "Log on the whole screen",
        "Show the log on the whole screen; again: back",
        Group.LOG,
        footer="Log",
    ),
    replace(BACK, help="From the log on the whole screen back to all panes", footer=""),
    *CONSOLE,
)
