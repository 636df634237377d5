"""Rate, share and remaining time of a running job, from its journal alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pgconsole.backups.stall import SILENT, reason_in

if TYPE_CHECKING:
    from pgconsole.jobs import JournalEntry

_WINDOW = timedelta(seconds=8)  # short enough to follow a change, long enough to be calm
_MOST_SHOWN = 0.99  # the total is an estimate: only the end of the phase is 100 %


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. All but the phase may be unknown.

    Attributes:
        phase: The stage the job is in.
        table: The table whose rows are passing.
        done: Bytes so far in this phase.
        expected: An estimate of the phase's total.
        rate: Bytes a second over the last seconds.
        still_since: When the last byte came.
        reason: Why none has come since, as far as the job said.
    """

    phase: str = ""
    table: str | None = None
    done: int | None = None
    expected: int | None = None
    rate: float | None = None
    still_since: datetime | None = None
    reason: str = ""

    def silence(self, now: datetime) -> float:
        """Seconds without a byte, if they are many and more is to come; else 0."""
        if self.still_since is None or self.done == self.expected:
            return 0.0
        seconds = (now - self.still_since).total_seconds()
        return seconds if seconds >= SILENT else 0.0

    @property
    def share(self) -> float | None:
        """0 to 0.99; None if there is no estimate."""
        if self.done is None or not self.expected:
            return None
        return min(self.done / self.expected, _MOST_SHOWN)

    @property
    def remaining(self) -> timedelta | None:
        """An estimate of an estimate; None once the phase outran its estimate."""
        if self.done is None or not self.expected or not self.rate or self.done >= self.expected:
            return None
        return timedelta(seconds=(self.expected - self.done) / self.rate)


class ProgressMeter:
    """Reads a job's journal as it grows."""

    def __init__(self) -> None:
        self._points: deque[tuple[datetime, int]] = deque()
        self._now = Progress()

    def feed(self, entry: JournalEntry) -> None:
        """Take in the next entry."""
        if entry.phase != self._now.phase:
            self._points.clear()
            self._now = Progress(phase=entry.phase)
        if reason := reason_in(entry.message):
            self._now = replace(self._now, reason=reason)
        if entry.bytes_done is None:
            return
        still = entry.bytes_done == self._now.done
        self._points.append((entry.time, entry.bytes_done))
        while len(self._points) > 2 and entry.time - self._points[0][0] > _WINDOW:
            self._points.popleft()
        self._now = Progress(
            phase=entry.phase,
            table=entry.table or None,
            done=entry.bytes_done,
            expected=entry.bytes_expected or self._now.expected,
            rate=self._rate(),
            still_since=self._now.still_since if still else entry.time,
            reason=self._now.reason if still else "",
        )

    @property
    def progress(self) -> Progress:
        """How far the job is."""
        return self._now

    def _rate(self) -> float | None:
        (first, before), (last, after) = self._points[0], self._points[-1]
        seconds = (last - first).total_seconds()
        return (after - before) / seconds if seconds > 0.2 and after >= before else None
