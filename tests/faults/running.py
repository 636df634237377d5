"""Something of pgconsole that runs and may be hit: a job, or a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.cli.program import PROGRAM, environment
from tests.faults.site import Site
from tests.faults.supervisor import Plan
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.jobs import Job
from pgconsole.jobs.launcher import RUNNER

ROOT = Path(__file__).parents[2]
_TAKES = 240.0  # seconds; a job that does not end by itself after a fault is a finding


class Running(ABC):
    """A process of pgconsole.

    Attributes:
        pid: The process; it leads a session of its own.
        began: When it was started, of the monotonic clock.
    """

    pid: int
    began: float

    @abstractmethod
    def ended(self) -> bool:
        """Whether it has come to its end."""

    @abstractmethod
    def phase(self) -> str:
        """Which stage it is in, as far as it says so."""

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds or it has ended, looking often."""
        give_up = time.monotonic() + _TAKES
        while not (condition() or self.ended()):
            assert time.monotonic() < give_up, "neither came to its end nor to the moment"
            time.sleep(0.001)

    def wait(self) -> None:
        """Wait for its end."""
        wait_until(self.ended, _TAKES)

    def kill(self) -> bool:
        """Kill it with -9; False if it had ended before."""
        return kill(self.pid)

    def child(self, name: str) -> int:
        """The process id of a tool that it has started, by the name of the program; 0 if none."""
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):
                for pid in task.read_text().split():
                    if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                        return int(pid)
        return 0


class RunningJob(Running):
    """A job with its runner."""

    def __init__(
        self, site: Site, kind: str, request: dict[str, Any], plan: Plan | None, **update: object
    ) -> None:
        self.began = time.monotonic()
        self._settings = site.settings.model_copy(update=update)
        more = site.laid_on | ({"plan": plan.to_json()} if plan else {})
        runner = "tests.faults.runner" if more else RUNNER
        self.id = jobs.start(self._settings, kind, request | more, "test", runner=runner)
        self.pid = _child_with(self.id)
        self._tail = jobs.Tail(self.job().directory)
        self._phase = ""

    def job(self) -> Job:
        """The job as it is now."""
        return jobs.read_job(self._settings, self.id)

    def ended(self) -> bool:
        return self.job().status.ended

    def phase(self) -> str:
        for entry in self._tail.read():
            self._phase = entry.phase
        return self._phase or "begin"


class RunningCommand(Running):
    """A command of pgconsole that does its work itself."""

    def __init__(self, site: Site, arguments: list[str], plan: Plan | None, cwd: Path) -> None:
        self.began = time.monotonic()
        self._plan = plan
        supervised = [sys.executable, "-m", "tests.faults.program"]
        program = [*supervised, plan.to_json()] if plan else [PROGRAM]
        self.process = subprocess.Popen(
            [*program, *arguments],
            env=environment(site.settings, PYTHONPATH=str(ROOT)), cwd=cwd, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.pid = self.process.pid

    def ended(self) -> bool:
        return self.process.poll() is not None

    def phase(self) -> str:
        """The last system call that it was about to make; only under a plan."""
        if self._plan is None or not Path(self._plan.log).exists():
            return "at a random moment"
        lines = Path(self._plan.log).read_text().splitlines()
        calls = [line for line in lines if not line.startswith(("killed", "E"))]
        return calls[-1].split()[0] if calls else "begin"

    def output(self) -> str:
        """What it said, once it has ended."""
        return self.process.communicate(timeout=_TAKES)[0]


def kill(pid: int) -> bool:
    """Kill a process with -9; False if there is none of this number."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _child_with(word: str) -> int:
    """The child of ours whose command line has this word."""

    def find() -> int:
        for task in Path("/proc/self/task").glob("*/children"):
            with suppress(OSError):
                for pid in task.read_text().split():
                    if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                        return int(pid)
        return 0

    # Between fork and exec it has our own command line; a job may also be over by now.
    with suppress(AssertionError):
        return wait_until(find, 2)
    return 0
