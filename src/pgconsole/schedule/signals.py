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
        # A pipe wakes the one who waits, also if the signal comes just before the waiting.
        self._wake, self._woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._before = {number: signal.signal(number, self._on_signal) for number in _STOP}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._wake)
        os.close(self._woken)

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or at once when a signal comes."""
        ready, _, _ = select.select([self._wake], [], [], max(0.0, seconds))
        if ready:
            os.read(self._wake, 512)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count < 100:  # the pipe has room for more, and nobody needs them
            os.write(self._woken, b"!")
