"""`make bench-hung`: the console's keys while what it needs hangs, and how long leaving takes."""

from __future__ import annotations

import os
import platform
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click
from tests.faults.supervisor import DISK, Plan, unavailable

from benchmarks.many import fill
from benchmarks.terminal import Console

_ROOT = Path(__file__).parents[1]
_PROGRAM = Path(sys.executable).with_name("pgconsole")
_DATABASE = "bench"
# To the panes and back; help and out of it.
_KEYS = (b"2", b"0", b"3", b"0", b"4", b"0", b"?", b"\x1b")
# Down and up; where nothing is listed they paint nothing, and the next paint is another's.
_MOVES = (b"j", b"k")


@click.command()
@click.option("--times", default=5, show_default=True, help="How often each is opened.")
def main(times: int) -> None:
    """Measure the console beside a store, a server and a disk that do not answer."""
    print(
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, "
        f"Python {platform.python_version()}: console at 80x24, 20,000 backups "
        f"(none where the disk hangs), opened {times} times.\n"
    )
    print("| what hangs | key to picture, median | slowest | quitting, slowest |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="pgconsole-bench-") as name, _silent() as port:
        scratch = Path(name)
        fill(scratch / "backups", _DATABASE)
        usual = {"PATH": os.defpath, "LANG": "C.UTF-8", "PGDATABASE": _DATABASE,
                 "BACKUP_DIR": str(scratch / "backups"), "PGHOST": "127.0.0.1"}  # fmt: skip
        server = usual | {"PGPORT": str(port)}
        store = server | {
            "S3_BACKUP_BUCKET": "backups", "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        full = b"20,000"
        _row("nothing", [_PROGRAM], usual | {"PGPORT": "1"}, scratch, times, full)
        _row("PostgreSQL (a plan asks it)", [_PROGRAM], server, scratch, times, full, b"r")
        _row("PostgreSQL and S3", [_PROGRAM], store, scratch, times, b"no answer for")
        if unavailable():
            print(f"| the disk | not measured: {unavailable()} | | |")
            return
        empty = scratch / "empty"
        empty.mkdir()
        plan = Plan(str(scratch / "calls"), str(empty), calls=DISK, delay=60.0, reading=True)
        disk = usual | {"PGPORT": "1", "BACKUP_DIR": str(empty), "PYTHONPATH": str(_ROOT)}
        watched = [sys.executable, "-m", "tests.faults.program", plan.to_json()]
        what = "the disk, each call for 60 s"
        _row(what, watched, disk, scratch, times, b"no answer for", listed=False)


def _row(
    what: str,
    command: Sequence[str | Path],
    environment: dict[str, str],
    cwd: Path,
    times: int,
    shows: bytes,
    opens: bytes = b"",
    listed: bool = True,
) -> None:
    """Measure one case and print it.

    Args:
        what: That hangs.
        command: The console.
        environment: All of its variables.
        cwd: Where it runs.
        times: How often it is opened.
        shows: What it says when all that comes has come.
        opens: The key of a screen that asks what hangs; it is left again before keys are timed.
        listed: Whether there are backups on the screen.
    """
    keys, quits = [], []
    for _ in range(times):
        with Console(command, environment, cwd) as console:
            console.painted(shows)
            if opens:
                console.press(opens)
                console.painted(b"No answer from the server for")
                console.press(b"\x1b")
            moves = _MOVES if listed else ()
            keys += [console.press(key) for key in (*moves, *_KEYS)]
            quits.append(console.quit())
    print(
        f"| {what} | {1000 * median(keys):.0f} ms | {1000 * max(keys):.0f} ms | "
        f"{max(quits):.2f} s |"
    )


@contextmanager
def _silent() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


if __name__ == "__main__":
    main()
