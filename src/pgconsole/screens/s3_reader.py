"""Lists the bucket page by page, in a feed's thread, and shows what it has so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

from pgconsole.settings import Settings
from pgconsole.storage.base import ForeignFile, Listing, StoredBackup
from pgconsole.widgets.shelf import Shelf, again, shelf_of

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage

_MANY = 500  # backups from which on half a list is worth showing; fewer come in one page
_EVERY = 0.3  # seconds between two half lists, at least
_SHARE = 5  # a half list is prepared for at most one fifth of the time
_NEWEST = attrgetter("name.taken_at")


class S3Reader:
    """Lists the bucket. Pages are forgotten as soon as their backups are taken out of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # One for all its life: a client of boto3 takes megabytes, which come back late.
        self._storage: S3Storage | None = None
        self._shelf: Shelf | None = None

    def read(self, so_far: Callable[[Shelf], None]) -> Shelf:
        """What the bucket holds.

        Args:
            so_far: Takes half lists, each longer than the one before.

        Raises:
            StorageError: It can't be listed.
        """
        if self._storage is None:
            from pgconsole.backups.catalog import s3_storage  # noqa: PLC0415 - after the first paint

            self._storage = s3_storage(self._settings)
        backups: list[StoredBackup] = []
        foreign: list[ForeignFile] = []
        leftovers: list[str] = []
        next_at = 0.0
        for page in self._storage.listing_pages():
            backups += page.backups
            foreign += page.foreign
            leftovers += page.leftovers
            began = time.monotonic()
            if self._shelf is None and len(backups) >= _MANY and began >= next_at:
                so_far(shelf_of(_listing(backups, foreign, leftovers)))
                ended = time.monotonic()
                next_at = ended + max(_EVERY, _SHARE * (ended - began))
        listing = _listing(backups, foreign, leftovers)
        self._shelf = again(self._shelf, listing)
        return self._shelf


def _listing(
    backups: list[StoredBackup], foreign: list[ForeignFile], leftovers: list[str]
) -> Listing:
    # In place: pages come by class and key, and sorting what is nearly sorted costs little.
    backups.sort(key=_NEWEST, reverse=True)
    return Listing(tuple(backups), tuple(foreign), tuple(leftovers))
