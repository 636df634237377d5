"""Arranges the lists of backups in a thread: with tens of thousands it takes a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from textual.message import Message

from pgconsole.backups.history import Dump, History, Rows, histories
from pgconsole.screens.feed import Feed
from pgconsole.settings import Settings
from pgconsole.widgets.arrangement import EVERYTHING, Arranged, Wanted, arrange
from pgconsole.widgets.backup_rows import BackupRow, Knowledge, merged
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import NO_MARKS
from pgconsole.widgets.shelf import EMPTY_SHELF, Shelf

_ONCE = 1e9  # seconds


@dataclass
class ArrangedKnown(Message):
    """The lists, or why they can't be made."""

    known: Known[Arranged]


@dataclass(frozen=True, slots=True)
class _Request:
    local: Known[Shelf]
    s3: Known[Shelf]
    wanted: Wanted


class Arranger:
    """Makes the lists anew when something about them changed.

    Args:
        settings: Whether S3 is set up, and the time zone.
        post: Takes messages from any thread.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        post: Callable[[Message], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._request = _Request(Known(), Known(), EVERYTHING)
        self._merged: tuple[Shelf, Shelf, tuple[BackupRow, ...]] | None = None
        self._knowledge: tuple[_Request, Knowledge] | None = None
        self._compared: tuple[object, object, Mapping[str, History]] | None = None

        def deliver(known: Known[Arranged]) -> None:
            if known.asked_at is None:
                post(ArrangedKnown(known))

        self._feed: Feed[Arranged] = Feed(
            "The lists of backups", lambda _: self._arrange(), deliver, every=_ONCE, now=now,
            redact=settings.redactor,
        )  # fmt: skip

    def start(self) -> None:
        """Begin."""
        self._feed.start()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._feed.stop()

    def ask(self, local: Known[Shelf], s3: Known[Shelf], wanted: Wanted) -> None:
        """Arrange anew, if something is different from what was asked for last."""
        request = _Request(local, s3, wanted)
        if _essence(request) != _essence(self._request):
            self._request = request
            self._feed.refresh()

    def _arrange(self) -> Arranged:
        request = self._request
        rows = self._rows(_shelf(request.local), _shelf(request.s3))
        known = self._known(request, rows)
        return arrange(rows, known, request.wanted, self._settings.backup_timezone)

    def _known(self, request: _Request, rows: tuple[BackupRow, ...]) -> Knowledge:
        """What the rows are judged by; the same as long as only other rows are wanted."""
        judged_by = replace(request, wanted=EVERYTHING)
        if self._knowledge is None or _essence(self._knowledge[0]) != _essence(judged_by):
            local, s3 = request.local, request.s3
            whole = local.so_far is None and s3.so_far is None  # half a list has no history
            known = Knowledge(
                local.value.marks if local.value is not None else NO_MARKS,
                self._settings.s3_enabled,
                _is_current(local),
                _is_current(s3),
                self._histories(rows, _shelf(local).rows) if whole else {},
            )
            self._knowledge = judged_by, known
        return self._knowledge[1]

    def _rows(self, local: Shelf, s3: Shelf) -> tuple[BackupRow, ...]:
        made = self._merged
        if made is None or made[0].copies is not local.copies or made[1].copies is not s3.copies:
            made = self._merged = local, s3, merged(local.copies, s3.copies)
        return made[2]

    def _histories(
        self, rows: tuple[BackupRow, ...], counts: Mapping[str, Rows]
    ) -> Mapping[str, History]:
        made = self._compared
        if made is None or made[0] is not rows or made[1] is not counts:
            dumps = (Dump(row.name, row.copies[0].size) for row in rows)
            made = self._compared = rows, counts, histories(dumps, counts)
        return made[2]


def _shelf(known: Known[Shelf]) -> Shelf:
    return known.value or known.so_far or EMPTY_SHELF


def _is_current(known: Known[Shelf]) -> bool:
    """Whether the list is whole, and the last attempt to read it went well."""
    return known.value is not None and known.problem is None


def _essence(request: _Request) -> tuple[object, ...]:
    """What makes lists different; not the time at which they were read.

    Objects are told by their identity: requests are compared that both are still held.
    """
    shelves = (_shelf(request.local), _shelf(request.s3))
    return (
        *(id(shelf.copies) for shelf in shelves), id(shelves[0].marks), id(shelves[0].rows),
        _is_current(request.local), _is_current(request.s3), request.wanted,
    )  # fmt: skip
