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
    is_fresh,
    may_wait,
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
        others: When somebody restored.
        prunes: When somebody pruned.
        waited: The slots whose backup began after pruning.
        good: The times in the names of the good backups.
        spared: The starts without an initial backup, and the good one that made it needless.
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
    prunes: list[tuple[datetime, datetime]] = field(default_factory=list)
    waiting_since: datetime | None = None
    waited: list[Slot] = field(default_factory=list)
    good: list[datetime] = field(default_factory=list)
    spared: dict[datetime, datetime] = field(default_factory=dict)

    def live_until(self, end: datetime) -> None:
        """One scheduler after the other."""
        while self.now < end:
            crashes = self.chance.random() < 0.5
            lasts = 0.1 if crashes else self.chance.uniform(0.1, 900)
            alive = self._life(min(end, self.now + lasts * HOUR))
            absences = [9 * HOUR, 60 * HOUR, 500 * HOUR]
            self.now += MINUTE if crashes else self.chance.choice(absences)
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
        self.waiting_since = None
        begun = self._begin(missed)
        while True:
            awake, pause, others_until = self.now, self.pause, self.others_until
            self._until_something_happens(course)
            if self.now > killed:
                self.now = max(awake, killed)
                if self.pause is not pause:  # that was to come later, and did not
                    self.pause = pause
                    self.pauses.pop()
                if self.others_until is not others_until:
                    self.others_until = others_until
                    self.others.pop()
                break
            self._look_at_the_backup()
            if not begun:
                begun = self._begin(missed)
            elif course.next <= self.now and not self._waits():
                self._act(decide(course.due(self.now), self.now, self._situation()))
        self._look_at_the_backup()
        if self.running is not None:  # its job dies with the container
            self.backups.append((self.running.at, self.now, self.running.due))
            self.running = None
        append_slots(self.book, self.unwritten)
        self.unwritten.clear()
        return awake

    def _begin(self, missed: list[datetime]) -> bool:
        """Take the initial backup, unless that waits."""
        if self._waits():
            return False
        good = max((taken for taken in self.good if taken <= self.now), default=None)
        fresh = good if good and is_fresh(good, self.now, self.expression, self.zone) else None
        decided = decide_at_start(missed, self.now, self._situation(), fresh)
        if fresh and decided[-1].why.startswith("the good backup"):
            self.spared[self.now] = fresh
        self._act(decided)
        return True

    def _waits(self) -> bool:
        if self.running is None and any(since <= self.now < end for since, end in self.prunes):
            self.waiting_since = self.waiting_since or self.now
            if may_wait(self.waiting_since, self.now):
                return True
        return False

    def _until_something_happens(self, course: Course) -> None:
        before, chance = self.now, self.chance
        wakes = max(course.next, self.now) + timedelta(seconds=chance.uniform(0, 30))
        if self.ends is not None and self.ends < wakes:
            wakes = self.ends
        if chance.random() < 0.05:  # mostly for seconds, as it gets due
            pruned = wakes + timedelta(seconds=chance.choice([2, 20, 200, 2000]))
            self.prunes.append((before, pruned))
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
        if not busy and any(since <= self.now < until for since, until in self.prunes):
            busy = "prune by alice"
        return Situation(busy, self.pause)

    def _look_at_the_backup(self) -> None:
        if self.running is not None and self.ends is not None and self.ends <= self.now:
            self.backups.append((self.running.at, self.ends, self.running.due))
            self.good.append(self.running.at if self.running.why else self.running.due)
            self._write(replace(self.running, outcome=SlotOutcome.DONE, at=self.now))
            self.running = self.ends = None

    def _act(self, decided: list[Slot]) -> None:
        for slot in decided:
            self._write(slot)
            if slot.outcome is SlotOutcome.STARTED and self.waiting_since is not None:
                self.waited.append(slot)
        self.waiting_since = None
        for slot in decided:
            if slot.outcome is SlotOutcome.STARTED:
                assert self.running is None
                takes = self.chance.choice([1, 1, 1, 1, 1, 1, 40, 300])
                self.running, self.ends = slot, self.now + takes * MINUTE

    def _write(self, slot: Slot) -> None:
        self.unwritten.append(slot)
