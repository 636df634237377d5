"""The restore operation: from a copy of a backup to a database that was looked at.

`integrity -> connectivity -> compatibility -> confirmation -> safety backup -> restore -> check`,
DESIGN section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.report import Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """A backup to be restored.

    Attributes:
        place: Where the copy lies.
        location: Its absolute path, or its key in the bucket.
        database: The target; the settings' own database if empty.
        confirmation: What `confirm_restore` made of the operator's yes.
        without_safety_backup: Go on though the target can't be backed up; asked for in so many
            words.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    place: Place
    location: str
    database: str
    confirmation: str
    actor: str
    without_safety_backup: bool = False
    job: str = ""


def run_restore(settings: Settings, request: RestoreRequest, report: Report) -> object:
    """Restore a backup in place of what the target database holds."""
    raise NotImplementedError
