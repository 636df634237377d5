"""What can be done by key in the lists of backups."""

from __future__ import annotations

from dataclasses import replace

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import FILTER, SORT

BACKUPS = (
    replace(FILTER, footer=""),
    *SORT,
    Action(
        "wrong", ("exclamation_mark",), "Only what is wrong",
        "Show only what is damaged, empty, odd in size or rows, different, or missing in S3; "
        "again: all", Group.LIST, shown="!",
    ),
    Action(
        "mark", ("space",), "Mark the backup",
        "Mark the backup, or take its mark off: verify, download, delete take all marked",
        Group.LIST,
    ),
    Action(
        "mark_all", ("asterisk",), "Mark all",
        "Mark all that are shown; again: none", Group.LIST, shown="*",
    ),
    Action(
        "copy_location", ("y",), "Copy path or key",
        "Send the path here, or the URL in S3, to the terminal's clipboard", Group.LIST,
    ),
    Action(
        "show_all", ("escape",), "Show all again", "Take off filter and marks", Group.LIST,
        shown="Esc",
    ),
)  # fmt: skip
