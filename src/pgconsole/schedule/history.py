"""`slots.jsonl`: what became of every slot, one line for each thing that was learned.

Only the scheduler writes it, so the last line about a slot is what is known of it. It is read from
its end: however long the schedule has been running, a look at the last slots costs the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

from pgconsole.durable import make_directory, open_to_append, sync_directory
from pgconsole.errors import StorageError
from pgconsole.jobs.texts import json_line
from pgconsole.untrusted import open_regular, parse_time

SLOTS = "slots.jsonl"
_CHUNK = 1 << 16
_MOST_READ = 64 << 20  # bytes from the end; what anybody asks for lies in far fewer
_LONGEST_LINE = 1 << 17  # bytes; a `why` is at most 16,384 characters of up to 4 bytes, escaped


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


# A line of one of these is the first about its slot, so their order is that of the slots. Lines
# that say how a job ended come later, between those of younger slots.
_FIRST = frozenset({SlotOutcome.STARTED, SlotOutcome.SKIPPED, SlotOutcome.MISSED})


def append_slots(directory: Path, slots: Sequence[Slot]) -> None:
    """Write down what became of these slots, down to the disk.

    Raises:
        OSError: It can't be written. Some of the lines may be there; writing them again is no harm.
    """
    make_directory(directory)
    path = directory / SLOTS
    is_new = not path.exists()
    lines = b"".join(map(_line, slots))
    fd = open_to_append(path)
    try:
        view = memoryview(b"\n" + lines if is_torn(path) else lines)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    if is_new:
        sync_directory(directory)


def last_slots(directory: Path, limit: int) -> list[Slot]:
    """The last `limit` slots, the newest first, each as its last line has it.

    Lines that are none of ours (half-written ones) are passed over.

    Raises:
        StorageError: They can't be read.
    """
    path = directory / SLOTS
    found: dict[datetime, Slot] = {}
    firsts: set[datetime] = set()
    try:
        for line in _lines_from_the_end(path):
            slot = _parse(line)
            if slot is None:
                continue
            found.setdefault(slot.due, slot)
            if slot.outcome in _FIRST:
                firsts.add(slot.due)
                if len(firsts) > limit:  # the line after says so, e.g. a STARTED with its job
                    break
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(
            f"The past slots in {path} can't be read",
            cause=error.strerror or str(error),
            fix="run pgconsole as the user that owns the backup directory",
        ) from error
    newest_first = sorted(found.values(), key=lambda slot: slot.due, reverse=True)
    return newest_first[:limit]


def _line(slot: Slot) -> bytes:
    return json_line(
        {
            "due": slot.due.isoformat(),
            "outcome": slot.outcome,
            "why": slot.why,
            "job": slot.job,
            "at": slot.at.isoformat(),
        }
    )


def _parse(line: bytes) -> Slot | None:
    try:
        content = json.loads(line)
        return Slot(
            due=parse_time(content["due"]),
            outcome=SlotOutcome(content["outcome"]),
            why=str(content["why"]),
            job=str(content["job"]),
            at=parse_time(content["at"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(open_regular(path), "rb")


def is_torn(path: Path) -> bool:
    """Whether the last line has no end: its writer was killed, or the disk was full."""
    with _opened(path) as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _lines_from_the_end(path: Path) -> Iterator[bytes]:
    with _opened(path) as file:
        position = file.seek(0, os.SEEK_END)
        stop = max(0, position - _MOST_READ)
        rest = b""
        while position > stop:
            start = max(0, position - _CHUNK)
            file.seek(start)
            first, *lines = (file.read(position - start) + rest).split(b"\n")
            yield from reversed(lines)
            # What is longer than any line of ours is not worth keeping whole.
            rest, position = first[-_LONGEST_LINE:], start
        yield rest
