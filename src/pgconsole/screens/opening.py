"""The screen of a backup that is opened, on the real places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pgconsole.screens.backup import BackupScreen
from pgconsole.screens.base import screen_for
from pgconsole.screens.inside import inside_of
from pgconsole.screens.sources import Sources
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.marks import Marks


def opened(
    settings: Settings,
    backup: StoredBackup,
    others: Sequence[StoredBackup] | None,
    sources: Sources,
    marks: Marks,
    now: Callable[[], datetime],
) -> BackupScreen:
    """Look into a copy.

    Args:
        settings: Where it is.
        backup: The copy.
        others: All backups of its place, as far as they are known.
        sources: Where the news about jobs comes from.
        marks: What was proven of it so far.
        now: The clock.
    """
    inside = inside_of(settings, backup, others)
    screen = screen_for(BackupScreen, settings)
    return screen(settings, backup, sources, now, inside=inside, marks=marks)
