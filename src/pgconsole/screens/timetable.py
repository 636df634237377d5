"""Reads what the scheduler left behind, and works out what comes next. In a feed's thread."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pgconsole.errors import PgconsoleError
from pgconsole.jobs import JobStatus, read_job
from pgconsole.schedule.state import (
    Slot,
    SlotOutcome,
    read_heartbeat,
    read_pause,
    read_slots,
)
from pgconsole.settings import Settings
from pgconsole.status.scheduler import followed
from pgconsole.widgets.schedule_text import Timetable

_RUNS = 5
_SLOTS = 30


def read_timetable(settings: Settings, now: datetime) -> Timetable:
    """The schedule that is followed: the living scheduler's, else this console's own.

    Raises:
        StorageError: What the scheduler left behind can't be read.
    """
    # croniter and cron_descriptor after the first paint
    from pgconsole.schedule import in_words, next_runs  # noqa: PLC0415

    heartbeat = read_heartbeat(settings)
    expression, zone = followed(settings, heartbeat, now)
    return Timetable(
        expression=expression,
        zone=zone,
        words=in_words(expression),
        runs=tuple(next_runs(expression, zone, now, _RUNS)),
        heartbeat=heartbeat,
        pause=read_pause(settings, now),
        slots=tuple(_as_it_ended(settings, slot) for slot in read_slots(settings, _SLOTS)),
    )


def _as_it_ended(settings: Settings, slot: Slot) -> Slot:
    """A slot whose scheduler was killed says `started` for ever: its job knows better."""
    if slot.outcome is not SlotOutcome.STARTED or not slot.job:
        return slot
    try:
        job = read_job(settings, slot.job)
    except PgconsoleError:
        return replace(slot, outcome=SlotOutcome.FAILED, why="its job is gone")
    if not job.status.ended:
        return slot
    if job.status is JobStatus.DONE:
        return replace(slot, outcome=SlotOutcome.DONE)
    why = job.problem or job.status.replace("_", " ")
    return replace(slot, outcome=SlotOutcome.FAILED, why=why)
