"""What is told about a restore while it runs: how far it is, and who blocks it."""

from __future__ import annotations

import time

from pgconsole.backups.psql_session import RestoreSession
from pgconsole.report import Event, Level, Report

PHASE = "restore"
_PROGRESS_EVERY = 0.2  # seconds
_STILL = 2.0  # seconds without a move until somebody looks what psql waits for
_LOOK_EVERY = 3.0  # seconds
_LOST_AFTER = 2  # looks in a row at a session that waits for us


class Progress:
    """Turns bytes into events, not too many.

    Args:
        report: Told of them.
        expected: Uncompressed bytes of the dump.
    """

    def __init__(self, report: Report, expected: int) -> None:
        self._report = report
        self._expected = expected
        self._done = 0
        self._table: str | None = None
        self._due = 0.0

    def passed(self, done: int, table: str | None) -> None:
        """So many bytes have been handed over; the rows of this table pass."""
        self._done, self._table = done, table
        self.say()

    def say(self) -> None:
        """Say how far it is, if it is time."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _PROGRESS_EVERY
            self._report(
                Event(
                    PHASE,
                    bytes_done=self._done,
                    bytes_expected=self._expected,
                    table=self._table,
                )
            )


class Watch:
    """Looks at the server's side when nothing moves.

    Attributes:
        session: The session that restores, once it is known.
    """

    def __init__(self, report: Report) -> None:
        self.session: RestoreSession | None = None
        self._report = report
        self._moved = time.monotonic()
        self._due = 0.0
        self._said: list[str] = []
        self._idle = 0

    def moved(self) -> None:
        """Something was handed over."""
        self._moved = time.monotonic()
        self._idle = 0

    def look(self) -> None:
        """See who blocks the restore, now and then, and say who it is."""
        now = time.monotonic()
        if self.session is None or now < max(self._due, self._moved + _STILL):
            return
        blockers = self.session.blockers()
        self._idle = 0 if blockers or not self.session.idle() else self._idle + 1
        self._due = time.monotonic() + _LOOK_EVERY
        if blockers != self._said:
            self._said = blockers
            for blocker in blockers:
                self._report(Event(PHASE, f"waits for a lock of {blocker}", Level.WARNING))

    def lost(self) -> bool:
        """Whether the server has long been waiting for psql."""
        return self._idle >= _LOST_AFTER
