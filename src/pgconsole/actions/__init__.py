"""Everything an operator can do by key. Keys, palette, footer and help are made from it."""

from __future__ import annotations

from enum import StrEnum

from pgconsole.actions.action import Action, Group
from pgconsole.actions.backup import BACKUP, ROWS
from pgconsole.actions.backups import BACKUPS
from pgconsole.actions.jobs import JOB, JOBS
from pgconsole.actions.log import LOG
from pgconsole.actions.main import MAIN
from pgconsole.actions.restore import RESTORE
from pgconsole.actions.welcome import WELCOME

__all__ = ["PARTS", "REGISTRY", "Action", "Group", "Where", "actions_of"]


class Where(StrEnum):
    """The screens and parts of screens that have keys."""

    MAIN = "main"
    BACKUPS = "backups"
    BACKUP = "backup"
    ROWS = "rows"
    RESTORE = "restore"
    JOBS = "jobs"
    JOB = "job"
    LOG = "log"
    WELCOME = "welcome"


PARTS = {Where.BACKUPS: (Where.MAIN,), Where.LOG: (Where.MAIN, Where.JOB)}
"""Parts of screens, whose keys hold together with those of the screen that they are in."""
REGISTRY = {
    Where.MAIN: MAIN,
    Where.BACKUPS: BACKUPS,
    Where.LOG: LOG,
    Where.BACKUP: BACKUP,
    Where.ROWS: ROWS,
    Where.RESTORE: RESTORE,
    Where.JOBS: JOBS,
    Where.JOB: JOB,
    Where.WELCOME: WELCOME,
}


def actions_of(where: Where, *, read_only: bool = False) -> tuple[Action, ...]:
    """What can be done there: in read-only mode only what changes nothing."""
    return tuple(action for action in REGISTRY[where] if not (read_only and action.mutates))
