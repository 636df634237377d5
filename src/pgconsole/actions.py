"""Everything an operator can do by key. Keys, palette, footer and help are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pgconsole.mutations import mutates


class Group(StrEnum):
    """The headings of the help screen, in its order."""

    WORK = "Work"
    MOVE = "Move"
    LOG = "Log"
    CONSOLE = "Console"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Attributes:
        id: Its name in key maps, and of the method `action_<id>` that does it.
        keys: Its keys as Textual names them, the first one shown first; none: palette only.
        label: Its name in the palette.
        help: What it does, in a sentence without a final full stop.
        group: Where the help lists it.
        footer: Its shorter name in the footer; empty if it is not there. At most seven have one.
        shown: How the keys are written, if not as they are named.
        work: What it has done, as `mutations.mutates` knows it; empty if it only shows something.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: Group
    footer: str = ""
    shown: str = ""
    work: str = ""

    @property
    def mutates(self) -> bool:
        """Whether it changes something, so that read-only mode does not have it."""
        return bool(self.work) and mutates(self.work)

    @property
    def key_text(self) -> str:
        """The keys as an operator reads them."""
        return self.shown or " ".join(self.keys)


ACTIONS = (
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
    Action(
        "cancel",
        ("c",),
        "Cancel the running job",
        "Cancel the running job; asks for a typed yes",
        Group.WORK,
        footer="Cancel job",
        work="cancel",
    ),
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
        "How the job in the log ended: what it checked, expected and found",
        Group.WORK,
    ),
    Action(
        "dismiss_notice",
        ("x",),
        "Dismiss the notice about the last job",
        "Dismiss the notice about an ended job",
        Group.WORK,
    ),
    Action(
        "reload",
        ("ctrl+r",),
        "Read everything again",
        "Read everything again now",
        Group.WORK,
    ),
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
    Action("move('down')", ("j", "down"), "Down", "One row down", Group.MOVE, shown="j ↓"),
    Action("move('up')", ("k", "up"), "Up", "One row up", Group.MOVE, shown="k ↑"),
    Action("move('top')", ("g", "home"), "First row", "To the first row", Group.MOVE),
    Action("move('bottom')", ("G", "end"), "Last row", "To the last row", Group.MOVE),
    Action("move('page_down')", ("pagedown",), "Page down", "One page down", Group.MOVE),
    Action("move('page_up')", ("pageup",), "Page up", "One page up", Group.MOVE),
    Action(
        "log_full",
        ("l",),
        "Log on the whole screen",
        "Show the log on the whole screen; again: back",
        Group.LOG,
        footer="Log",
    ),
    Action(
        "follow",
        ("f",),
        "Pause or follow the log",
        "Pause the log where it is, or follow its end again",
        Group.LOG,
    ),
    Action(
        "older_job",
        ("left_square_bracket",),
        "Log of the job before",
        "Show the log of the job before",
        Group.LOG,
        shown="[",
    ),
    Action(
        "newer_job",
        ("right_square_bracket",),
        "Log of the job after",
        "Show the log of the job after; then of whatever runs",
        Group.LOG,
        shown="]",
    ),
    Action(
        "palette",
        ("colon", "ctrl+p"),
        "All commands",
        "Search all commands by name",
        Group.CONSOLE,
        shown=": ctrl+p",
    ),
    Action("help", ("question_mark",), "Help", "Show this help", Group.CONSOLE, "Help", "?"),
    Action(
        "quit",
        ("q", "ctrl+q"),
        "Quit",
        "Quit at any time; jobs go on. In dialogs: ctrl+q",
        Group.CONSOLE,
        footer="Quit",
    ),
)


def offered(*, read_only: bool) -> tuple[Action, ...]:
    """The actions that there are: in read-only mode those that change nothing."""
    return tuple(action for action in ACTIONS if not (read_only and action.mutates))
