"""Writes logs as the runner and the scheduler do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgconsole.logs.book import LogBook
from pgconsole.logs.segment import Place

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
