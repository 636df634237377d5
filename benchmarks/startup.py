"""How long a start takes: `pgconsole list` to its end, the console to its first picture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.terminal import Console

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
    with Console([program], environment, cwd) as console:
        return console.painted(_FIRST_PAINT)
