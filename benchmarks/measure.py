"""What a command costs: wall-clock, CPU and memory of all its processes, detached ones too.

A command runs under a supervisor, `measure.py FD COMMAND...`, which is the reaper
of everything that the command starts: a job that outlives the command that started it still counts,
and the clock stops when the last process has ended. CPU is what the kernel adds up for reaped
children (`RUSAGE_CHILDREN`). The servers are not below the supervisor, so their CPU does not count.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_INTERVAL = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run cost.

    Attributes:
        seconds: Wall-clock from the start to the end of the last process.
        cpu_seconds: User and system time of all processes.
        peak_bytes: The largest sum, at one moment, of the high-water marks (VmHWM) of all living
            processes. Never less than the true peak: pages that processes share count in each.
        job_peak_bytes: The same for the processes in sessions of their own, that is, the detached
            job without the command that watches it; 0 if there are none.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    job_peak_bytes: int

    def __add__(self, other: Usage) -> Usage:
        """One after the other."""
        return Usage(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_bytes, other.peak_bytes),
            max(self.job_peak_bytes, other.job_peak_bytes),
        )


def measure(command: Sequence[str | Path], environment: dict[str, str], cwd: Path) -> Usage:
    """Run a command to its end.

    Args:
        command: The program and its arguments. Its output is discarded.
        environment: All of its variables.
        cwd: Where it runs; no `.env` should lie there.

    Raises:
        RuntimeError: It failed. Carries the end of what it wrote to stderr.
    """
    os.sync()  # what earlier runs left to be written is not this run's cost
    read_fd, write_fd = os.pipe()
    supervisor = [sys.executable, "-P", __file__, str(write_fd)]
    with os.fdopen(read_fd, encoding="utf-8") as results:
        try:
            done = subprocess.run(
                [*supervisor, *map(str, command)], env=environment, pass_fds=[write_fd],
                cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
        finally:
            os.close(write_fd)
        answer = results.read()
    if done.returncode != 0:
        errors = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{errors}")
    return Usage(**json.loads(answer))


def _supervise(write_fd: int, command: list[str]) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sampler = _Sampler()
    start = time.perf_counter()
    process = subprocess.Popen(command)
    sampler.start()
    status = 0
    with suppress(ChildProcessError):  # raised when no process is left
        while True:
            pid, raw_status = os.wait()
            if pid == process.pid:
                status = os.waitstatus_to_exitcode(raw_status)
    seconds = time.perf_counter() - start
    process.returncode = status  # reaped above, not by Popen
    sampler.stop()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    usage = Usage(seconds, children.ru_utime + children.ru_stime, sampler.peak, sampler.job_peak)
    os.write(write_fd, json.dumps(asdict(usage)).encode())
    return status if status >= 0 else 128 - status


class _Sampler(threading.Thread):
    """Looks at the memory of all descendants at intervals."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.job_peak = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        session = os.getsid(0)
        while not self._ended.wait(_INTERVAL):
            marks = {pid: (sid, _high_water_mark(pid)) for pid, sid in _descendants(os.getpid())}
            self.peak = max(self.peak, sum(mark for _, mark in marks.values()))
            detached = sum(mark for sid, mark in marks.values() if sid != session)
            self.job_peak = max(self.job_peak, detached)

    def stop(self) -> None:
        """End the sampling and wait for its end."""
        self._ended.set()
        self.join()


def _descendants(root: int) -> list[tuple[int, int]]:
    """All living processes below `root`, as (pid, session id)."""
    children: dict[int, list[tuple[int, int]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # pid (name) state ppid pgrp session ...; the name may contain anything
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append((int(entry.name), int(fields[3])))
    found: list[tuple[int, int]] = []
    parents = [root]
    while parents:
        below = children.get(parents.pop(), [])
        found += below
        parents += [pid for pid, _ in below]
    return found


def _high_water_mark(pid: int) -> int:
    """The most memory the process ever had resident, in bytes; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(_supervise(int(sys.argv[1]), sys.argv[2:]))
