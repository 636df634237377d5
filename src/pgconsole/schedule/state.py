"""What the scheduler leaves for others to read, in `state_dir/schedule/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgconsole.settings import Settings


class SlotOutcome(StrEnum):
    """What became of a slot."""

    STARTED = "started"  # its job runs, or was cut off; the job knows
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # a backup was running, or the schedule was paused
    MISSED = "missed"  # nobody was there, and a later slot was made up instead


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which the schedule wanted a backup (or the backup at start-up), and what happened.

    Attributes:
        due: When, UTC.
        outcome: What became of it.
        why: Why it was skipped, missed or failed; or how it came about (`at start-up`,
            `made up after 3 h`). A sentence without a final full stop; may be empty.
        job: The id of its job, or empty.
        at: When this was written, UTC.
    """

    due: datetime
    outcome: SlotOutcome
    why: str
    job: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The scheduler's last sign of life.

    Attributes:
        at: When, UTC.
        started_at: When it started, UTC.
        host: Where it runs.
        pid: Its process there.
        schedule: The expression that it follows (the console's own may differ).
        timezone: And the time zone.
        stopped: Whether it said good-bye: it was ended in an orderly way.
    """

    at: datetime
    started_at: datetime
    host: str
    pid: int
    schedule: str
    timezone: str
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """The schedule is paused: slots are skipped and recorded.

    Attributes:
        by: Who paused it.
        reason: Why.
        since: From when, UTC.
        until: When it ends by itself, UTC; None: when somebody resumes it.
    """

    by: str
    reason: str
    since: datetime
    until: datetime | None


def read_heartbeat(settings: Settings) -> Heartbeat | None:
    """The last sign of life, or None: no scheduler ever ran on this directory.

    Raises:
        StorageError: It can't be read.
    """
    raise NotImplementedError


def read_pause(settings: Settings, now: datetime) -> Pause | None:
    """The pause that is in force at `now`, or None.

    Raises:
        StorageError: It can't be read.
    """
    raise NotImplementedError


def read_slots(settings: Settings, limit: int) -> list[Slot]:
    """The last `limit` slots with their last known outcome, the newest first.

    Raises:
        StorageError: They can't be read.
    """
    raise NotImplementedError


def pause(settings: Settings, reason: str, until: datetime | None, actor: str) -> Pause:
    """Skip the slots from now on; audited.

    Raises:
        ConfigurationError: The reason is empty, or the end is past.
        StorageError: It can't be written.
    """
    raise NotImplementedError


def resume(settings: Settings, actor: str) -> None:
    """End the pause; audited.

    Raises:
        ConfigurationError: It is not paused.
        StorageError: It can't be written.
    """
    raise NotImplementedError
