"""The console ends when it is told to, or when its terminal is gone; whatever else happens."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable

_GRACE = 2.0  # seconds to restore the terminal before the process is ended anyway
_LOOK_EVERY = 1000  # milliseconds


class TerminalWatch:
    """Watches the terminal in a thread of its own.

    A terminal that is gone blocks or fails every write, so the event loop can't be trusted to
    notice it and to end; without an end the process would stay, or spin.

    Args:
        leave: Asks the app to end; callable from any thread.
    """

    def __init__(self, leave: Callable[[], object]) -> None:
        self._leave = leave
        self._leaving = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, name="terminal", daemon=True).start()

    def leave(self) -> None:
        """Ask the app to end, and end the process if it does not."""
        if self._leaving.is_set():
            return
        self._leaving.set()
        last_resort = threading.Timer(_GRACE, os._exit, args=(1,))
        last_resort.daemon = True  # an app that ended by itself is not held up
        last_resort.start()
        self._leave()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(sys.__stdin__ or 0, 0)  # hang-ups and errors only
        while not self._leaving.is_set():
            if poll.poll(_LOOK_EVERY):
                self.leave()
