"""Everything an operator can do by key. Keys, palette, footer and help are made from it."""

from __future__ import annotations

from enum import StrEnum

from pgconsole.actions.action import Action, Group
from pgconsole.actions.backup import BACKUP, ROWS
from pgconsole.actions.log import LOG
from pgconsole.actions.main import MAIN

__all__ = ["REGISTRY", "Action", "Group", "Where", "actions_of"]


class Where(StrEnum):
    """The screens and parts of screens that have keys."""

    MAIN = "main"
    BACKUP = "backup"
    ROWS = "rows"
    LOG = "log"


REGISTRY = {Where.MAIN: MAIN, Where.BACKUP: BACKUP, Where.ROWS: ROWS, Where.LOG: LOG}


def actions_of(where: Where, *, read_only: bool = False) -> tuple[Action, ...]:
    """What can be done there: in read-only mode only what changes nothing."""
    return tuple(action for action in REGISTRY[where] if not (read_only and action.mutates))
