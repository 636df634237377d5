"""What can be done by key where nothing is configured yet."""

from __future__ import annotations

from pgconsole.actions.action import Action, Group
from pgconsole.actions.shared import CONSOLE

WELCOME = (
    Action(
        "demo", ("d",), "Try the demo",
        "Open the console on servers and data of its own; nothing of yours is touched",
        Group.WORK, footer="Demo",
    ),
    Action(
        "go_on", ("c",), "Continue",
        "Go on to the console, with what is assumed where nothing is said", Group.WORK,
        footer="Continue",
    ),
    *CONSOLE,
)  # fmt: skip
