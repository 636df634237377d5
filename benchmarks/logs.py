"""`make bench-logs`: a million lines of log, read, filtered, searched, and shown in the console."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from statistics import median

import click

from pgconsole.jobs.spec import new_id
from pgconsole.jobs.store import jobs_directory
from pgconsole.logs.book import LogBook
from pgconsole.logs.desk import Desk
from pgconsole.logs.files import places_of
from pgconsole.logs.query import Query, pattern_of
from pgconsole.logs.requests import Answer, Find, Request, Save
from pgconsole.report import Level
from pgconsole.settings import Settings

_PROGRAM = Path(sys.executable).with_name("pgconsole")
_BEGAN = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
_TIMEOUT = 120.0  # seconds
_PRESSES = 40
_LOOKS = 0.15  # seconds between two keys


@dataclass(frozen=True, slots=True)
class Taken:
    """What a request took.

    Attributes:
        first: Seconds until something is shown.
        all: Seconds until all is done.
        cpu: Seconds of CPU.
        answer: The last answer.
    """

    first: float
    all: float
    cpu: float
    answer: Answer


@click.command()
@click.option("--lines", default=1_000_000, show_default=True, help="Of the log.")
def main(lines: int) -> None:
    """Measure the log pane."""
    with tempfile.TemporaryDirectory(prefix="pgconsole-bench-") as name:
        settings = Settings.model_validate({"PGDATABASE": "bench", "BACKUP_DIR": name})
        journal = _write(settings, lines)
        print(
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, "
            f"Python {platform.python_version()}: {lines:,} lines, "
            f"{2 * journal.stat().st_size / 1e6:,.0f} MB, in two jobs at a time.\n"
        )
        print("| what | seconds to the first lines | seconds to the last | CPU seconds |")
        print("|---|---|---|---|")
        _measure_desk(settings, journal, Path(name))
        print("\n| key to picture, console at 80x24 | median | slowest |")
        print("|---|---|---|")
        _measure_keys(name)


def _write(settings: Settings, lines: int) -> Path:
    """Two journals whose lines take turns; the one that is written to later."""
    paths = []
    for number in range(2):
        directory = jobs_directory(settings) / new_id("backup", _BEGAN + timedelta(seconds=number))
        directory.mkdir(parents=True)
        paths.append(directory / "events.jsonl")
    files = [path.open("wb") for path in paths]
    for number in range(lines):
        files[number % 2].write(_line(number))
    for file in files:
        file.close()
    return paths[1]


def _line(number: int) -> bytes:
    levels = {999: "error", 99: "warning"}
    content = {
        "seq": number, "phase": "dump", "bytes_done": None, "bytes_expected": None, "table": None,
        "time": (_BEGAN + timedelta(seconds=number / 35)).isoformat(timespec="milliseconds"),
        "level": levels.get(number % 1000, levels.get(number % 100, "info")),
        "message": f"line {number} of public.table_{number % 97}: "
        f"{number * 17 % 100_000} rows in {number % 50} ms",
    }  # fmt: skip
    order = ("seq", "time", "phase", "message", "level", "bytes_done", "bytes_expected", "table")
    ordered = {name: content[name] for name in order}
    return json.dumps(ordered, separators=(",", ":")).encode() + b"\n"


def _measure_desk(settings: Settings, journal: Path, scratch: Path) -> None:
    before = _resident()
    desk = Desk(LogBook(lambda: places_of(settings, 200)))
    read = _row("read all", desk, Request())
    memory = _resident() - before
    total = read.answer.total
    _row("look again, nothing is new", desk, Request())
    with journal.open("ab") as file:
        file.write(_line(total))
    _row("look again, one line is new", desk, Request())
    _row("filter by an expression (1 %)", desk, Request(Query(filter="table_96:")))
    _row("filter by level (errors, 0.1 %)", desk, Request(Query(level=Level.ERROR)))
    pattern = pattern_of("not in any line")
    _row("search, no match", desk, Request(order=Find(1, pattern, None, back=True)))
    _row("save all", desk, Request(order=Save(2, scratch / "saved.log")))
    print(f"\nMemory: {memory / 1e6:.0f} MB, {memory / total:.0f} bytes a line.")


def _row(what: str, desk: Desk, request: Request) -> Taken:
    taken = _settle(desk, request)
    print(f"| {what} | {taken.first:.3f} | {taken.all:.3f} | {taken.cpu:.3f} |", flush=True)
    return taken


def _settle(desk: Desk, request: Request) -> Taken:
    desk.ask(request)
    began, cpu = time.perf_counter(), time.process_time()
    first = 0.0
    more = True
    while more:
        answer, more = desk.answer()
        if not first and answer.lines:
            first = time.perf_counter() - began
    return Taken(first, time.perf_counter() - began, time.process_time() - cpu, answer)


def _resident() -> int:
    """Bytes of this process's memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _measure_keys(backup_dir: str) -> None:
    """`f` pauses and follows: the line below the log says one word or the other."""
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "PGHOST": "/none"}
    environment |= {"PGDATABASE": "bench", "BACKUP_DIR": backup_dir}
    process = subprocess.Popen(
        [_PROGRAM], env=environment, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
    )
    os.close(inner)
    try:
        _until(terminal, b"Local")
        os.write(terminal, b"4")
        _until(terminal, b"following")
        reading, afterwards = [], []
        words = cycle([b"PAUSED", b"following"])
        while len(afterwards) < _PRESSES:
            began = time.perf_counter()
            os.write(terminal, b"f")
            picture = _until(terminal, next(words))
            (reading if b"iB more" in picture else afterwards).append(time.perf_counter() - began)
            _drain(terminal)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    for what, taken in (("while it is read", reading), ("when all is read", afterwards)):
        if taken:
            print(f"| {what} | {median(taken) * 1000:.0f} ms | {max(taken) * 1000:.0f} ms |")


def _until(terminal: int, word: bytes) -> bytes:
    """What is written until this word has come."""
    written = b""
    while word not in written:
        if not select.select([terminal], [], [], _TIMEOUT)[0]:
            raise RuntimeError(f"{word!r} did not come:\n{written[-2000:]!r}")
        written += os.read(terminal, 65536)
    return written


def _drain(terminal: int) -> None:
    """Take what else is written for a while, as an operator looks at it."""
    until = time.monotonic() + _LOOKS
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            os.read(terminal, 65536)


if __name__ == "__main__":
    main()
