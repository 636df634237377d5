"""What a process takes: memory, descriptors, threads, children, processor time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Gauge:
    """A process at one moment.

    Attributes:
        memory: Resident bytes.
        peak: The most it ever had resident, bytes.
        descriptors: Open ones.
        threads: Those of Python and others.
        children: Its own, zombies included.
    """

    memory: int
    peak: int
    descriptors: int
    threads: int
    children: int

    def __str__(self) -> str:
        return (
            f"{self.memory / MIB:.0f} MB, {self.descriptors} descriptors, {self.threads} threads, "
            f"{self.children} children"
        )


def gauge(pid: int) -> Gauge | None:
    """A process now; None once it is gone."""
    base = Path(f"/proc/{pid}")
    with suppress(OSError, KeyError):
        lines = (base / "status").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        tasks = list((base / "task").iterdir())
        children = sum(len((task / "children").read_text().split()) for task in tasks)
        return Gauge(
            int(found["VmRSS"].split()[0]) << 10,
            int(found["VmHWM"].split()[0]) << 10,
            len(os.listdir(base / "fd")),  # noqa: PTH208 - often
            len(tasks),
            children,
        )
    return None


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def most(gauges: Sequence[Gauge]) -> Gauge:
    """Of each figure the largest."""
    return Gauge(
        max(one.memory for one in gauges),
        max(one.peak for one in gauges),
        max(one.descriptors for one in gauges),
        max(one.threads for one in gauges),
        max(one.children for one in gauges),
    )


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that has ended.

    Attributes:
        code: Its exit code.
        out: What it printed.
        peak: Its most resident memory, bytes.
        seconds: Wall time.
    """

    code: int
    out: str
    peak: int
    seconds: float


def run(argv: Sequence[str], environment: Mapping[str, str], output: Path) -> Ran:
    """Run a program to its end, and watch its memory.

    Not by `ru_maxrss`, which begins with the size of the process that started this one.
    """
    began = time.monotonic()
    peak = 0
    with output.open("wb") as file:
        process = subprocess.Popen(argv, env=dict(environment), stdout=file, stderr=sys.stderr)
    while process.poll() is None:
        peak = max(peak, now.peak if (now := gauge(process.pid)) else 0)
        time.sleep(0.01)  # sampling: VmHWM never falls
    return Ran(process.returncode, output.read_text(), peak, time.monotonic() - began)
