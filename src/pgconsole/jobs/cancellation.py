"""SIGTERM and SIGINT become `Cancelled` in the operation, once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from pgconsole.errors import Cancelled

_STOP = (signal.SIGTERM, signal.SIGINT)


class Cancellation:
    """Takes over the signals of this process. Create it in the main thread.

    Outside of `arm` and `disarm` a signal is remembered; after the first one all are ignored, so
    that nothing disturbs the cleaning up. SIGHUP is ignored, also by the children.

    Args:
        announce: Told at the first signal that interrupts the operation, in a thread of its own:
            the interrupted code may hold any lock.
    """

    def __init__(self, announce: Callable[[], None]) -> None:
        self._announce = announce
        self._announcer: threading.Thread | None = None
        self._armed = False
        self._requested = False
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in _STOP:
            signal.signal(number, self._on_signal)
        # A console that starts us may have blocked them, and children inherit that.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)

    def arm(self) -> None:
        """From now on a signal interrupts.

        Raises:
            Cancelled: There was one already.
        """
        self._armed = True
        if self._requested:
            self._interrupt()

    def disarm(self) -> None:
        """From now on no signal interrupts. Returns when `announce` has returned."""
        self._armed = False
        if self._announcer is not None:
            self._announcer.join()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        first, self._requested = not self._requested, True
        if first and self._armed:
            self._interrupt()

    def _interrupt(self) -> None:
        self._announcer = threading.Thread(target=self._announce, name="announce cancellation")
        self._announcer.start()
        raise Cancelled
