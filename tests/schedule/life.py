"""A scheduler with real backups, whose clock is ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support import wait_until

from pgconsole.schedule import service
from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.schedule.service import Scheduler
from pgconsole.schedule.state import read_slots
from pgconsole.settings import Settings

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
STARTED, DONE, FAILED = SlotOutcome.STARTED, SlotOutcome.DONE, SlotOutcome.FAILED
SKIPPED, MISSED = SlotOutcome.SKIPPED, SlotOutcome.MISSED


class Life:
    """A scheduler, the time it is told, and what it says."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.settings = settings
        self.now = now
        self.lines: list[str] = []
        self.scheduler = Scheduler(settings, self.lines.append, lambda: self.now)

    def begin(self) -> Life:
        """Start, and see the initial backup through."""
        self.scheduler.begin()
        self.settle()
        return self

    def at(self, now: datetime) -> None:
        """It gets that late; what then runs is seen through."""
        self.now = now
        self.scheduler.step(0)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing runs."""
        wait_until(lambda: self.scheduler.step(0) and not self.runs())

    def runs(self) -> bool:
        """Whether a backup does."""
        return self.scheduler.rest() == service._LOOK_AT_JOB

    def told(self) -> list[tuple[datetime, SlotOutcome]]:
        """What is known of all slots, the oldest first."""
        return [(slot.due, slot.outcome) for slot in reversed(read_slots(self.settings, 99))]

    def last(self) -> Slot:
        """What is known of the last slot."""
        return read_slots(self.settings, 1)[0]
