"""What is done with which slot: the scheduler's rules, without a clock, a disk or a process.

- A slot that comes while the database is being worked on, or in a pause, is skipped. For what is
  soon over (pruning) a slot waits a few minutes first.
- Of the slots that nobody could take up in time, the newest is made up, once; the others were
  missed. At start-up the initial backup makes up for all of them.
- There is one initial backup between two slots, however often the scheduler is started: each takes
  a slot of retention, and a service that is restarted all night must not push out a week of them.
- A clock that is set back never makes a slot run twice. One that is set back by more than three
  hours was wrong before (cron(8)): what was only missed by the wrong clock gets its chance again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.schedule.runs import slots, slots_between
from pgconsole.schedule.state import Heartbeat, Pause

CORRECTION = timedelta(hours=3)  # a larger step back corrects a wrong clock: cron(8)
_IN_TIME = timedelta(minutes=5)  # what a busy machine may need; a later slot counts as made up
_PATIENCE = timedelta(minutes=5)  # with a job that is soon over
# A longer one was a clock that started in 1970. Its slots would only fill the disk.
_LONGEST_ABSENCE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Situation:
    """What stands in the way of a backup right now.

    Attributes:
        busy: Who works on the database, in words; empty if nobody does.
        pause: The last pause that nobody resumed; it may have ended by itself.
    """

    busy: str = ""
    pause: Pause | None = None


class Course:
    """Hands out the slots of a schedule, each once, as time goes by.

    Args:
        expression: Five cron fields, already validated.
        timezone: The schedule's time zone.
        now: The slots after this are handed out.
        ran: Slots after it that are accounted for already.

    Attributes:
        next: The slot that comes next, UTC.
    """

    def __init__(
        self,
        expression: str,
        timezone: ZoneInfo,
        now: datetime,
        ran: Collection[datetime] = (),
    ) -> None:
        self._expression = expression
        self._timezone = timezone
        self._ran = frozenset(ran)
        self._handled = now
        self._slots = slots(expression, timezone, now)
        self.next = self._following()

    def due(self, now: datetime) -> list[datetime]:
        """The slots since the last call, up to and including `now`, the oldest first, UTC."""
        if now - self._handled > _LONGEST_ABSENCE:
            self._handled = now - _LONGEST_ABSENCE
            self._slots = slots(self._expression, self._timezone, self._handled)
            self.next = self._following()
        found = []
        while self.next <= now:
            found.append(self.next)
            self._handled = self.next
            self.next = self._following()
        return found

    def is_ahead_of(self, now: datetime) -> bool:
        """Whether the clock was wrong: what was handed out last lies far ahead."""
        return self._handled - now > CORRECTION

    def _following(self) -> datetime:
        return next(slot for slot in self._slots if slot not in self._ran)


def decide(due: Sequence[datetime], now: datetime, situation: Situation) -> list[Slot]:
    """What becomes of the slots that are due, the oldest first. At most the last is started."""
    if not due:
        return []
    *older, newest = due
    late = now - newest > _IN_TIME
    last = _take_up(newest, now, situation, f"made up after {_span(now - newest)}" if late else "")
    return [
        *(_passed_by(slot, now, situation, last, "nobody was there in time") for slot in older),
        last,
    ]


def may_wait(since: datetime, now: datetime) -> bool:
    """Whether what is due may still wait for a job that is soon over.

    Args:
        since: When it began to wait. A clock that is set back meanwhile makes it wait no longer.
        now: Timezone-aware.
    """
    return abs(now - since) <= _PATIENCE


def decide_at_start(
    missed: Sequence[datetime], now: datetime, situation: Situation, fresh: datetime | None = None
) -> list[Slot]:
    """What becomes of the slots since the last scheduler's life, and of the backup at start-up.

    Args:
        missed: The slots of which nobody has said what became of them.
        now: Timezone-aware.
        situation: What stands in the way.
        fresh: When the last good backup was taken, if that `is_fresh`.
    """
    initial = _take_up(now, now, situation, "at start-up")
    if fresh is not None and initial.outcome is SlotOutcome.STARTED:
        why = f"the good backup of {fresh:%Y-%m-%d %H:%M:%S} UTC was taken since the last slot"
        initial = Slot(now, SlotOutcome.SKIPPED, why, "", now)
    absent = Situation(pause=situation.pause)  # what is busy now says nothing about then
    return [
        *(
            _passed_by(slot, now, absent, initial, "the scheduler was not running")
            for slot in missed
        ),
        initial,
    ]


def missed_slots(
    past: Sequence[Slot],
    last_life: Heartbeat | None,
    now: datetime,
    expression: str,
    timezone: ZoneInfo,
) -> list[datetime]:
    """The slots before `now` of which nobody has said what became of them, UTC.

    They are those of the schedule that the last life followed: a new one has missed nothing.

    Args:
        past: The last slots that are accounted for.
        last_life: The last sign of life of the scheduler before.
        now: When the scheduler started.
        expression: The schedule that it follows.
        timezone: And its time zone.
    """
    since = max((slot.due for slot in past if slot.due <= now), default=None)
    if since is None:
        since = last_life.at if last_life else now
    since = max(since, now - _LONGEST_ABSENCE)
    found = None
    if last_life is not None:
        # Another version of pgconsole may have known expressions or zones that we do not.
        with suppress(ValueError, KeyError, OSError):
            found = slots_between(last_life.schedule, ZoneInfo(last_life.timezone), since, now)
    if found is None:
        found = slots_between(expression, timezone, since, now)
    return [slot for slot in found if slot < now]  # the one of now is the initial backup


def is_fresh(taken: datetime, now: datetime, expression: str, timezone: ZoneInfo) -> bool:
    """Whether a backup was taken after the last slot, so that start-up needs no other one.

    The backup of the slot itself, which is named after it, does not count: restarted for once, the
    scheduler takes an initial backup.

    Args:
        taken: The time in the backup's name.
        now: Timezone-aware.
        expression: The schedule that is followed.
        timezone: And its time zone.
    """
    just_before = taken - timedelta(seconds=1)
    return taken <= now < next(slots(expression, timezone, just_before))


def accounted_ahead(past: Sequence[Slot], now: datetime) -> frozenset[datetime]:
    """The slots after `now` that must not come again: the clock was set back meanwhile."""
    return frozenset(
        slot.due
        for slot in past
        if slot.due > now
        and (slot.outcome is not SlotOutcome.MISSED or slot.due - now <= CORRECTION)
    )


def _take_up(due: datetime, now: datetime, situation: Situation, how: str) -> Slot:
    pause = situation.pause
    if pause is not None and (pause.covers(due) or not pause.ended(now)):
        return Slot(due, SlotOutcome.SKIPPED, pause.in_words(), "", now)
    if situation.busy:
        return Slot(due, SlotOutcome.SKIPPED, situation.busy, "", now)
    return Slot(due, SlotOutcome.STARTED, how, "", now)


def _passed_by(due: datetime, now: datetime, situation: Situation, later: Slot, why: str) -> Slot:
    if situation.pause is not None and situation.pause.covers(due):
        return Slot(due, SlotOutcome.SKIPPED, situation.pause.in_words(), "", now)
    if situation.busy:
        return Slot(due, SlotOutcome.SKIPPED, situation.busy, "", now)
    if later.outcome is SlotOutcome.STARTED:
        why += f"; the backup of {later.due:%Y-%m-%d %H:%M:%S} UTC makes up for it"
    return Slot(due, SlotOutcome.MISSED, why, "", now)


def _span(length: timedelta) -> str:
    import humanize  # noqa: PLC0415 - only where a slot is late

    return humanize.naturaldelta(length)
