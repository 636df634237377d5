"""What the scheduler leaves for others to read, in `state_dir/schedule/`.

`heartbeat.json` and `pause.json` are replaced at once; `slots.jsonl` (see `history`) only grows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pgconsole import durable, jobs
from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.jobs.texts import JSON, json_line, one_line
from pgconsole.schedule.history import Slot, SlotOutcome, last_slots
from pgconsole.settings import Settings
from pgconsole.untrusted import parse_time, read_whole

__all__ = [
    "Heartbeat",
    "Pause",
    "Slot",
    "SlotOutcome",
    "last_pause",
    "pause",
    "read_heartbeat",
    "read_pause",
    "read_slots",
    "resume",
    "schedule_directory",
    "write_heartbeat",
]

SCHEDULE = "schedule"
_HEARTBEAT = "heartbeat.json"
_PAUSE = "pause.json"

T = TypeVar("T")


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

    def ended(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return self.until is not None and now >= self.until

    def covers(self, due: datetime) -> bool:
        """Whether a slot lies in it."""
        return self.since <= due and not self.ended(due)

    def in_words(self) -> str:
        """For a slot's `why` and for the log."""
        end = f", until {self.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.until else ""
        return f"paused by {self.by}{end}: {self.reason}"


def schedule_directory(settings: Settings) -> Path:
    """Where the scheduler's files lie."""
    return settings.state_dir / SCHEDULE


def read_heartbeat(settings: Settings) -> Heartbeat | None:
    """The last sign of life, or None: no scheduler ever ran on this directory.

    Raises:
        StorageError: It can't be read.
    """
    return _read(schedule_directory(settings) / _HEARTBEAT, _heartbeat)


def write_heartbeat(settings: Settings, heartbeat: Heartbeat) -> None:
    """Replace the last sign of life.

    Raises:
        OSError: It can't be written.
    """
    _write(
        schedule_directory(settings) / _HEARTBEAT,
        {
            "at": heartbeat.at.isoformat(),
            "started_at": heartbeat.started_at.isoformat(),
            "host": heartbeat.host,
            "pid": heartbeat.pid,
            "schedule": heartbeat.schedule,
            "timezone": heartbeat.timezone,
            "stopped": heartbeat.stopped,
        },
    )


def last_pause(settings: Settings) -> Pause | None:
    """The last pause that nobody resumed; it may have ended by itself.

    Raises:
        StorageError: It can't be read.
    """
    return _read(schedule_directory(settings) / _PAUSE, _pause)


def read_pause(settings: Settings, now: datetime) -> Pause | None:
    """The pause that is in force at `now`, or None.

    Raises:
        StorageError: It can't be read.
    """
    found = last_pause(settings)
    # Not `since <= now`: a clock that was set back must not end a pause.
    return None if found is None or found.ended(now) else found


def read_slots(settings: Settings, limit: int) -> list[Slot]:
    """The last `limit` slots with their last known outcome, the newest first.

    Raises:
        StorageError: They can't be read.
    """
    return last_slots(schedule_directory(settings), limit)


def pause(settings: Settings, reason: str, until: datetime | None, actor: str) -> Pause:
    """Skip the slots from now on; audited. A pause that is in force is replaced.

    Raises:
        ReadOnlyError: This is read-only mode.
        ConfigurationError: The reason is empty, or the end is past.
        StorageError: It can't be written.
    """
    jobs.permit(settings, actor, "pause", settings.backup_schedule)
    reason = one_line(reason, settings.redactor)
    now = datetime.now(UTC)
    if not reason:
        raise ConfigurationError(
            "A pause needs a reason",
            cause="others will see that no backups are taken, and have to know why",
            fix="pgconsole pause --reason 'moving to the new server'",
        )
    if until is not None and until <= now:
        raise ConfigurationError(
            f"The pause would have ended at {until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC already",
            cause=f"it is {now:%Y-%m-%d %H:%M:%S} UTC",
            fix="give an end that lies ahead, or none",
        )
    made = Pause(actor, reason, now, until.astimezone(UTC) if until else None)
    try:
        _write(
            schedule_directory(settings) / _PAUSE,
            {
                "by": made.by,
                "reason": made.reason,
                "since": made.since.isoformat(),
                "until": made.until.isoformat() if made.until else None,
            },
        )
        jobs.audit(settings, actor, "pause schedule", settings.backup_schedule, made.in_words())
    except OSError as error:
        raise _unwritable(settings, "paused", error) from error
    return made


def resume(settings: Settings, actor: str) -> None:
    """End the pause; audited. One that can't be read is ended as well.

    Raises:
        ReadOnlyError: This is read-only mode.
        ConfigurationError: It is not paused.
        StorageError: It can't be written.
    """
    jobs.permit(settings, actor, "resume", settings.backup_schedule)
    path = schedule_directory(settings) / _PAUSE
    try:
        paused = read_pause(settings, datetime.now(UTC))
    except StorageError:
        words = "paused by a file that could not be read"
    else:
        if paused is None:
            raise ConfigurationError(
                "The schedule is not paused", fix="`pgconsole status` shows whether it runs"
            )
        words = paused.in_words()
    try:
        path.unlink(missing_ok=True)
        durable.sync_directory(path.parent)
        jobs.audit(settings, actor, "resume schedule", settings.backup_schedule, f"was {words}")
    except OSError as error:
        raise _unwritable(settings, "resumed", error) from error


def _heartbeat(content: dict[str, Any]) -> Heartbeat:
    return Heartbeat(
        at=parse_time(content["at"]),
        started_at=parse_time(content["started_at"]),
        host=str(content["host"]),
        pid=int(content["pid"]),
        schedule=str(content["schedule"]),
        timezone=str(content["timezone"]),
        stopped=content["stopped"] is True,
    )


def _pause(content: dict[str, Any]) -> Pause:
    until = content["until"]
    return Pause(
        by=str(content["by"]),
        reason=str(content["reason"]),
        since=parse_time(content["since"]),
        until=None if until is None else parse_time(until),
    )


def _read(path: Path, parse: Callable[[dict[str, Any]], T]) -> T | None:
    try:
        return parse(json.loads(read_whole(path)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise StorageError(
            f"{path} can't be read",
            cause=str(error),
            fix="check its permissions; if it is damaged, remove it",
        ) from error


def _write(path: Path, content: Mapping[str, JSON]) -> None:
    durable.make_directory(path.parent)
    durable.replace(path, json_line(content))


def _unwritable(settings: Settings, what: str, error: OSError) -> StorageError:
    return StorageError(
        f"The schedule can't be {what}",
        cause=str(error),
        fix=f"see that {settings.state_dir} can be written by this user and is not full",
    )
