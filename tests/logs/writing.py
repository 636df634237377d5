"""Writes logs as the runner and the scheduler do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgconsole.jobs import JobStatus
from pgconsole.jobs.journal import EVENTS
from pgconsole.jobs.spec import Spec, new_id, write_spec
from pgconsole.jobs.state import State, write_state
from pgconsole.jobs.store import jobs_directory
from pgconsole.logs.book import LogBook
from pgconsole.logs.segment import Place
from pgconsole.report import Level
from pgconsole.schedule.service_log import ServiceLog
from pgconsole.schedule.state import schedule_directory
from pgconsole.settings import Settings

START = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


def entry(second: float, text: str, *, phase: str = "dump", level: str = "info") -> bytes:
    """One line, as `jobs.journal` writes it."""
    time = (START + timedelta(seconds=second)).isoformat(timespec="milliseconds")
    content = {
        "seq": 1, "time": time, "phase": phase, "message": text, "level": level,
        "bytes_done": None, "bytes_expected": None, "table": None,
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass
class Logs:
    """A directory of logs, each with a job of its name."""

    directory: Path

    def places(self) -> list[Place]:
        return [Place(path, path.name, "backup") for path in sorted(self.directory.iterdir())]

    def book(self, most: int = 1_000_000) -> LogBook:
        return LogBook(self.places, most)

    def append(self, name: str, content: bytes) -> None:
        with (self.directory / name).open("ab") as file:
            file.write(content)


def take_in(book: LogBook) -> LogBook:
    """Read all there is, and work out what is wanted of it."""
    while book.read() or book.advance():
        pass
    return book


def texts(book: LogBook) -> list[str]:
    """What the wanted lines say."""
    take_in(book)
    return [line.text for line in book.lines(0, book.count)]


@dataclass
class LogHome:
    """A backup directory with the logs of jobs and of the scheduler, as they are on a disk."""

    settings: Settings

    def job(
        self, began: datetime, kind: str = "backup", *, status: JobStatus = JobStatus.DONE
    ) -> str:
        """A job that was begun then; its id."""
        job_id = new_id(kind, began)
        directory = jobs_directory(self.settings) / job_id
        directory.mkdir(parents=True)
        write_spec(directory, Spec(job_id, kind, {}, "ana", began))
        write_state(
            directory, State(status, began, 1, 1, "backup-1", finished_at=began, exit_code=0)
        )
        (directory / "lock").touch()
        return job_id

    def write(self, job_id: str, *lines: bytes) -> None:
        """Append to a job's journal."""
        with (jobs_directory(self.settings) / job_id / EVENTS).open("ab") as file:
            file.write(b"".join(lines))

    def say(self, second: float, text: str, level: Level = Level.INFO) -> None:
        """Append to the scheduler's log."""
        log = ServiceLog(schedule_directory(self.settings))
        log.append(START + timedelta(seconds=second), "schedule", level, text)
