"""Where an opened backup's data comes from. Every function here runs in a feed's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from pgconsole.backups.looking import Look, look_from_front, open_source
from pgconsole.backups.opened import Comparison, OpenedBackup, compare, find_backup, open_backup
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.objects import SqlObject
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup

MOST_OBJECTS = 50_000
_MOST_SQL = 1 << 17  # characters that are shown of an object
_EVERY = 0.5  # seconds between two half lists


@dataclass(frozen=True, slots=True)
class Inside:
    """One function for each thing that is shown of an opened backup."""

    open: Callable[[], OpenedBackup]
    compare: Callable[[OpenedBackup], Comparison]
    look: Callable[[Manifest], Look]
    front: Callable[[Callable[[Manifest], None]], Manifest]


def inside_of(
    settings: Settings, backup: StoredBackup, others: Sequence[StoredBackup] | None
) -> Inside:
    """The real ones.

    Args:
        settings: Where the copy is.
        backup: The copy.
        others: All backups of its place, as far as they are known.
    """

    def front(so_far: Callable[[Manifest], None]) -> Manifest:
        return look_from_front(open_source(settings, backup), backup, so_far)

    def opened() -> OpenedBackup:
        # As it lies there now: it may have got a manifest, or be another one.
        return open_backup(settings, find_backup(settings, backup.place, backup.location))

    return Inside(
        open=opened,
        compare=lambda opened: compare(settings, opened, others),
        look=lambda manifest: Look(open_source(settings, backup), manifest),
        front=front,
    )


def read_objects(
    look: Look, so_far: Callable[[tuple[SqlObject, ...]], None]
) -> tuple[SqlObject, ...]:
    """The objects of a dump, at most 50,000.

    Args:
        look: The opened copy.
        so_far: Takes half lists.
    """
    found: list[SqlObject] = []
    due = time.monotonic() + _EVERY
    for one in islice(look.objects(), MOST_OBJECTS):
        found.append(one)
        if time.monotonic() >= due:
            so_far(tuple(found))
            due = time.monotonic() + max(_EVERY, len(found) / 20_000)
    return tuple(found)


def read_sql(look: Look, found: SqlObject) -> tuple[str, bool]:
    """The SQL of an object or its beginning, and whether that is all of it."""
    text = ""
    for piece in look.sql(found):
        text += piece
        if len(text) > _MOST_SQL:
            return text[:_MOST_SQL], False
    return text, True
