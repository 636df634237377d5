"""A year of a scheduler's lives: its rules and its real book, in a world of chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pgconsole.schedule.course import (
    Course,
    Situation,
    accounted_ahead,
    decide,
    decide_at_start,
    missed_slots,
)
from pgconsole.schedule.history import Slot, SlotOutcome, append_slots, last_slots
from pgconsole.schedule.state import Pause

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def slots_by_hand(
    matches: Callable[[datetime], bool], every_hour: bool, zone: ZoneInfo, year: int
) -> list[datetime]:
    """The slots of a year, found by looking at the clock on the wall every five minutes.

    Args:
        matches: Whether the schedule wants this local time.
        every_hour: Whether the hour field is `*`.
        zone: Of the clock on the wall.
        year: Which year.
    """
    step = timedelta(minutes=5)  # all expressions and all offsets are multiples of it
    found = []
    now = datetime(year, 1, 1, tzinfo=UTC)
    seen = _on_the_wall(now - step, zone)  # the latest time that was ever on the wall
    while now.year == year:
        shown = _on_the_wall(now, zone)
        jumped_over = seen + step
        due = False
        while jumped_over < shown:
            due |= matches(jumped_over)
            jumped_over += step
        due |= matches(shown) and (shown > seen or every_hour)
        if due:
            found.append(now)
        seen = max(seen, shown)
        now += step
    return found


def _on_the_wall(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(tzinfo=None)


@dataclass
class World:
    """What happens around the schedulers, and to them. The true time only goes forward.

    Attributes:
        expression: The schedule.
        zone: And its time zone.
        book: The directory of `slots.jsonl`.
        now: What the clock says.
        chance: Decides everything.
        backups: From when to when a backup ran, and for which slot.
        down: From when to when no scheduler was there, or none got to run.
        pauses: All there were.
    """

    expression: str
    zone: ZoneInfo
    book: Path
    now: datetime
    chance: random.Random
    pause: Pause | None = None
    others_until: datetime | None = None
    running: Slot | None = None
    ends: datetime | None = None
    unwritten: list[Slot] = field(default_factory=list)
    backups: list[tuple[datetime, datetime, datetime]] = field(default_factory=list)
    down: list[tuple[datetime, datetime]] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    others: list[tuple[datetime, datetime]] = field(default_factory=list)

    def live_until(self, end: datetime) -> None:
        """One scheduler after the other."""
        while self.now < end:
            alive = self._life(min(end, self.now + self.chance.uniform(0.1, 900) * HOUR))
            self.now += self.chance.choice([MINUTE, 9 * HOUR, 60 * HOUR, 500 * HOUR])
            self.down.append((alive, self.now))

    def _life(self, killed: datetime) -> datetime:
        """A scheduler from its start until it is killed, perhaps in the middle of a backup.

        Returns:
            When it was last awake.
        """
        past = last_slots(self.book, 10_000)
        missed = missed_slots(past, None, self.now, self.expression, self.zone)
        for slot in past:
            if slot.outcome is SlotOutcome.STARTED:
                self._write(replace(slot, outcome=SlotOutcome.FAILED, why="interrupted"))
        course = Course(self.expression, self.zone, self.now, accounted_ahead(past, self.now))
        self._act(decide_at_start(missed, self.now, self._situation()))
        while True:
            awake = self.now
            self._until_something_happens(course)
            if self.now > killed:
                break
            self._look_at_the_backup()
            self._act(decide(course.due(self.now), self.now, self._situation()))
        self._look_at_the_backup()
        if self.running is not None:  # its job dies with the container
            self.backups.append((self.running.at, self.now, self.running.due))
            self.running = None
        append_slots(self.book, self.unwritten)
        self.unwritten.clear()
        return awake

    def _until_something_happens(self, course: Course) -> None:
        before, chance = self.now, self.chance
        wakes = max(course.next, self.now) + timedelta(seconds=chance.uniform(0, 30))
        if self.ends is not None and self.ends < wakes:
            wakes = self.ends
        self.now = wakes
        dice = chance.random()
        if dice < 0.002:  # the host was asleep, or somebody moved the clock
            self.now += chance.uniform(0, 40) * HOUR
            self.down.append((before, self.now))
        elif dice < 0.004:
            self.now -= chance.uniform(0, 1.5) * HOUR
        elif dice < 0.006:
            until = self.now + chance.choice([2, 30, 200]) * HOUR
            self.pause = Pause("alice", "moving", self.now, until)
            self.pauses.append((self.now, until))
        elif dice < 0.012:
            self.others_until = self.now + chance.uniform(0, 8) * HOUR
            self.others.append((self.now, self.others_until))

    def _situation(self) -> Situation:
        busy = "backup is running" if self.running else ""
        if self.others_until is not None and self.now < self.others_until:
            busy = "restore by alice"
        return Situation(busy, self.pause)

    def _look_at_the_backup(self) -> None:
        if self.running is not None and self.ends is not None and self.ends <= self.now:
            self.backups.append((self.running.at, self.ends, self.running.due))
            self._write(replace(self.running, outcome=SlotOutcome.DONE, at=self.now))
            self.running = self.ends = None

    def _act(self, decided: list[Slot]) -> None:
        for slot in decided:
            self._write(slot)
            if slot.outcome is SlotOutcome.STARTED:
                assert self.running is None
                takes = self.chance.choice([1, 1, 1, 1, 1, 1, 40, 300])
                self.running, self.ends = slot, self.now + takes * MINUTE

    def _write(self, slot: Slot) -> None:
        self.unwritten.append(slot)
