"""What the scheduler writes down for others: slots and heartbeat. A full disk does not stop it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

from pgconsole.errors import StorageError
from pgconsole.report import Level
from pgconsole.schedule.history import Slot, append_slots
from pgconsole.schedule.log import Log
from pgconsole.schedule.state import (
    Heartbeat,
    Pause,
    last_pause,
    read_heartbeat,
    read_slots,
    schedule_directory,
    write_heartbeat,
)
from pgconsole.settings import Settings

HEARTBEAT = timedelta(seconds=30)
_REMEMBERED = 10_000  # slots: those among which an unfinished one can be


class Signs:
    """Reads and writes the scheduler's files; what goes wrong with them is said in the log.

    Backups matter more than the book-keeping on them: nothing here raises.

    Args:
        settings: Where the files are, and which schedule is followed.
        log: Where to complain.
        started_at: When this life of the scheduler began, UTC.
    """

    def __init__(self, settings: Settings, log: Log, started_at: datetime) -> None:
        self._settings = settings
        self._log = log
        self._started_at = started_at
        self._beat_at: datetime | None = None
        self._unwritten: list[Slot] = []

    def past(self) -> list[Slot]:
        """The last slots, the newest first."""
        try:
            return read_slots(self._settings, _REMEMBERED)
        except StorageError as error:
            self._log.say(str(error), Level.ERROR)
            return []

    def last_life(self) -> Heartbeat | None:
        """The last sign of life before the first of this life."""
        try:
            return read_heartbeat(self._settings)
        except StorageError as error:
            self._log.say(str(error), Level.WARNING)
            return None

    def pause(self) -> Pause | None:
        """The last pause that nobody resumed."""
        try:
            return last_pause(self._settings)
        except StorageError as error:
            # One backup too many harms nobody.
            self._log.say(f"taken as not paused: {error}", Level.WARNING)
            return None

    def write(self, slots: Sequence[Slot] = ()) -> None:
        """Write down what became of slots, and what could not be written down before."""
        self._unwritten += slots
        if not self._unwritten:
            return
        try:
            append_slots(schedule_directory(self._settings), self._unwritten)
        except OSError as error:
            text = f"what became of the slots can't be written down, is tried again: {error}"
            self._log.complain("slots", text)
        else:
            self._unwritten = []
            self._log.complain("slots", "")

    def beat(self, now: datetime, *, stopped: bool = False) -> None:
        """Give a sign of life, if it is time or the last one."""
        if self._beat_at is not None and abs(now - self._beat_at) < HEARTBEAT and not stopped:
            return
        heartbeat = Heartbeat(
            at=now,
            started_at=self._started_at,
            host=socket.gethostname(),
            pid=os.getpid(),
            schedule=self._settings.backup_schedule,
            timezone=str(self._settings.backup_timezone),
            stopped=stopped,
        )
        try:
            write_heartbeat(self._settings, heartbeat)
        except OSError as error:
            self._log.complain("heartbeat", f"no sign of life can be given: {error}")
        else:
            self._beat_at = now
            self._log.complain("heartbeat", "")
