"""SIGTERM and SIGINT as something to wait for."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import Self

_STOP = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Takes over SIGTERM and SIGINT of this process for a block, in the main thread.

    Attributes:
        count: How many there were.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        # A handler in Python runs when the waiting is over; what wakes us is that the interpreter
        # writes to the pipe from within the signal, also if it comes just before the waiting.
        self._wake, self._woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._on_signal) for number in _STOP}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._wake)
        os.close(self._woken)

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or at once when a signal comes."""
        ready, _, _ = select.select([self._wake], [], [], max(0.0, seconds))
        if ready:
            os.read(self._wake, 512)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
