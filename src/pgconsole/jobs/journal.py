"""`events.jsonl`: written by the runner, one line an event; read by everybody as it grows."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pgconsole.durable import open_to_append
from pgconsole.jobs.texts import json_line, one_line
from pgconsole.redact import Redactor
from pgconsole.report import Event, Level
from pgconsole.untrusted import is_count, parse_time

EVENTS = "events.jsonl"
END = "end"  # the phase of what the runner says after the operation


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of a job's journal.

    Attributes:
        seq: 1, 2, 3, ... within the job.
        time: UTC, to the millisecond.
        phase: The stage of the operation, or `end`.
        message: One line without secrets and control characters; empty for progress only.
        level: How much attention it wants.
        bytes_done: Raw bytes so far in this phase.
        bytes_expected: An estimate of the phase's total.
        table: The table whose rows are passing.
    """

    seq: int
    time: datetime
    phase: str
    message: str = ""
    level: Level = Level.INFO
    bytes_done: int | None = None
    bytes_expected: int | None = None
    table: str | None = None


class Journal:
    """Appends events, from any thread. A journal that can't be written never stops the work.

    Args:
        directory: The job's directory.
        redact: Hides secrets in messages and names.

    Raises:
        OSError: The file can't be opened.
    """

    def __init__(self, directory: Path, redact: Redactor) -> None:
        self._fd = open_to_append(directory / EVENTS)
        self._redact = redact
        self._lock = threading.Lock()
        self._seq = 0
        self._torn = False
        self.phase = ""

    def append(self, event: Event) -> None:
        """Write one event as one line."""
        message = one_line(event.message, self._redact)
        table = event.table and one_line(event.table, self._redact)
        with self._lock:
            self._seq += 1
            self.phase = event.phase
            line = json_line(
                {
                    "seq": self._seq,
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "phase": event.phase,
                    "message": message,
                    "level": event.level,
                    "bytes_done": event.bytes_done,
                    "bytes_expected": event.bytes_expected,
                    "table": table,
                }
            )
            self._write(line)

    def close(self) -> None:
        """Bring everything to the disk, as far as it takes it, and close."""
        try:
            with suppress(OSError):
                os.fsync(self._fd)
        finally:
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        if self._torn:  # a full disk took half a line: only that one is lost
            line = b"\n" + line
        try:
            written = os.write(self._fd, line)
        except OSError:
            return
        self._torn = written < len(line)


def parse_line(line: bytes) -> JournalEntry | None:
    """The entry of one line, or None for one that is none."""
    try:
        content = json.loads(line)
        entry = JournalEntry(
            **content
            | {
                "time": parse_time(content["time"]),
                "level": Level(content["level"]),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    counts = (entry.bytes_done, entry.bytes_expected)
    fits = (
        is_count(entry.seq)
        and isinstance(entry.phase, str)
        and isinstance(entry.message, str)
        and isinstance(entry.table, str | None)
        and all(count is None or is_count(count) for count in counts)
    )
    return entry if fits else None
