"""The runner of a job with a handicap that its request names: a plan, a limit, no privileges."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

from tests.faults.clock import CLOCK, clock_environment, under
from tests.faults.supervisor import supervised

from pgconsole.jobs import runner
from pgconsole.jobs.spec import read_spec

_DROPPED = "dropped"
_CAPBSET_DROP = 24  # linux/prctl.h
_OVERRIDES = (1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER


def as_any_owner() -> None:
    """Be a root whom permissions bind: what it may do without asking is lost with the next exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        if libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    os.execv(sys.executable, [sys.executable, "-m", "tests.faults.runner", *sys.argv[1:], _DROPPED])


if __name__ == "__main__":
    request = read_spec(Path(sys.argv[1])).request
    if request.get("as_any_owner") and sys.argv[-1] != _DROPPED and os.geteuid() == 0:
        as_any_owner()
    clock = str(request.get(CLOCK, ""))
    if clock and not under(clock):
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.faults.runner", *sys.argv[1:]],
            os.environ | clock_environment(clock),
        )
    if limit := request.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(str(limit)), int(str(limit))))
    if "plan" in request:
        supervised(str(request["plan"]))
    sys.exit(runner.main(sys.argv[1:3]))
