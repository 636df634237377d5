"""How long a start takes: `pgconsole list` to its end, the console to its first picture."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

_TIMEOUT = 30.0  # seconds
_FIRST_PAINT = b"Local"  # the title of the pane of local backups
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")

_EAGER = """
import json, sys
from pgconsole.cli import cli
cli(["list"], standalone_mode=False)
unwanted = {"textual", "boto3", "botocore"}
print("\\n" + json.dumps(sorted(unwanted & sys.modules.keys())))
"""


def list_starts(program: Path, environment: dict[str, str], cwd: Path, starts: int) -> list[float]:
    """Seconds from the start to the end of `pgconsole list`, warm; the first one is left out."""
    taken = []
    for _ in range(starts + 1):
        start = time.perf_counter()
        subprocess.run([program, "list"], env=environment, cwd=cwd, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return taken[1:]


def eager_modules(environment: dict[str, str], cwd: Path) -> list[str]:
    """Which of Textual and boto3 `pgconsole list` imported."""
    done = subprocess.run(
        [sys.executable, "-c", _EAGER], env=environment, cwd=cwd, check=True, capture_output=True
    )
    modules: list[str] = json.loads(done.stdout.splitlines()[-1])
    return modules


def console_starts(
    program: Path, environment: dict[str, str], cwd: Path, starts: int
) -> tuple[list[float], list[float]]:
    """Seconds from the start of `pgconsole` to its first picture in a terminal of 80x24.

    Args:
        program: The console.
        environment: All of its variables.
        cwd: Where it runs.
        starts: How many warm ones; half as many cold ones.

    Returns:
        Cold starts (the kernel's page cache was dropped; none if we are not root) and warm ones.
    """
    cold = []
    if os.access(_DROP_CACHES, os.W_OK):
        for _ in range(starts // 2):
            os.sync()
            _DROP_CACHES.write_text("3")
            cold.append(first_paint(program, environment, cwd))
    first_paint(program, environment, cwd)
    return cold, [first_paint(program, environment, cwd) for _ in range(starts)]


def first_paint(program: Path, environment: dict[str, str], cwd: Path) -> float:
    """Start the console in a terminal of its own, wait for its first picture, end it.

    Raises:
        RuntimeError: It showed nothing in time, or ended. Carries what it wrote.
    """
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    start = time.perf_counter()
    process = subprocess.Popen(
        [program], env=environment | {"TERM": "xterm-256color"}, cwd=cwd,
        stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    try:
        written = b""
        while _FIRST_PAINT not in written:
            left = start + _TIMEOUT - time.perf_counter()
            if not select.select([terminal], [], [], max(0.0, left))[0]:
                raise RuntimeError(f"no picture within {_TIMEOUT} s:\n{written[-2000:]!r}")
            try:
                written += os.read(terminal, 65536)
            except OSError as error:  # Linux's way to say that the other side is closed
                raise RuntimeError(f"the console ended:\n{written[-2000:]!r}") from error
        return time.perf_counter() - start
    finally:
        _end(process, terminal)


def _end(process: subprocess.Popen[bytes], terminal: int) -> None:
    process.terminate()
    with suppress(OSError):
        while select.select([terminal], [], [], _TIMEOUT)[0] and os.read(terminal, 65536):
            pass  # it can't leave while its last picture waits to be read
    process.wait(_TIMEOUT)
    os.close(terminal)
