"""What the scheduler says: plain lines with the time, for `docker logs` and log collectors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from pgconsole.jobs import JournalEntry
from pgconsole.jobs.texts import one_line
from pgconsole.redact import Redactor
from pgconsole.report import Level
from pgconsole.schedule.service_log import ServiceLog

Write = Callable[[str], None]
"""Writes one line; may raise OSError."""


class Log:
    """Writes lines. A log that nobody takes any more never stops the scheduler.

    Args:
        write: Takes each line.
        redact: Hides secrets.
        kept: Keeps the scheduler's own lines for the console.
    """

    def __init__(self, write: Write, redact: Redactor, kept: ServiceLog) -> None:
        self._write = write
        self._redact = redact
        self._kept = kept
        self._complaints: dict[str, str] = {}

    def say(self, text: str, level: Level = Level.INFO) -> None:
        """One line about the scheduler itself."""
        time, message = datetime.now(UTC), one_line(text, self._redact)
        self._line(time, "schedule", level, message)
        with suppress(OSError):  # the disk is full: then backups have other worries
            self._kept.append(time, "schedule", level, message)

    def show(self, entry: JournalEntry) -> None:
        """One line of a job, if the entry has something to say."""
        if entry.message:
            self._line(entry.time, entry.phase, entry.level, entry.message)

    def complain(self, about: str, text: str) -> None:
        """Say once what stays wrong for a while; an empty text says that it is well again."""
        if text and text != self._complaints.get(about):
            self.say(text, Level.ERROR)
        self._complaints[about] = text

    def _line(self, time: datetime, phase: str, level: Level, message: str) -> None:
        attention = "" if level is Level.INFO else f"{level.upper()}: "
        with suppress(OSError):
            self._write(f"{time:%Y-%m-%dT%H:%M:%SZ} {phase}: {attention}{message}")
