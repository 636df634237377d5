"""Process 1 of a container: the kernel gives it every orphan, and only it can bury them.

The scheduler runs as a child, so that nobody takes the exit statuses which it asks for itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def is_init() -> bool:
    """Whether this is process 1."""
    return os.getpid() == 1


def run_under_init(main: Callable[[], int]) -> int:
    """Run `main` in a child, hand on signals to it, and ask for the exit status of every orphan.

    Call it before there are threads. In the parent and in the child it returns the exit code of
    `main`, 128 and the signal's number if one ended it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)  # none is lost on the way
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, and from there us, once
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        return main()

    def hand_on(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):  # it has just ended, and so shall we
            os.kill(child, number)

    for number in _FORWARDED:
        signal.signal(number, hand_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    while True:
        process, status = os.wait()
        if process == child:
            break
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
