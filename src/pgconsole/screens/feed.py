"""Loads something again and again in a thread of its own, and hands over what is known of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from pgconsole.errors import PgconsoleError
from pgconsole.redact import Redactor
from pgconsole.screens.faults import fault
from pgconsole.widgets.known import Known

T = TypeVar("T")


class Feed(Generic[T]):
    """One source of data.

    A thread of its own and not one of the event loop's: those are waited for at the end of the
    program, so that a server that does not answer would keep the console from quitting. There is
    one thread a source, so that two attempts never run beside each other.

    Args:
        name: Of the thread.
        load: Gets the data; may take long, and may raise. What it has so far it may hand to the
            function that it is given.
        deliver: Takes what is known, in the feed's thread.
        every: Seconds between two attempts.
        now: The clock.
        redact: Hides secrets in errors that nobody foresaw.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[Callable[[T], None]], T],
        deliver: Callable[[Known[T]], None],
        *,
        every: float,
        now: Callable[[], datetime],
        redact: Redactor,
    ) -> None:
        self._load = load
        self._deliver = deliver
        self._every = every
        self._now = now
        self._redact = redact
        self._known: Known[T] = Known()
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def refresh(self) -> None:
        """Load again as soon as the attempt under way, if there is one, has ended."""
        self._wake.set()

    def stop(self) -> None:
        """Deliver nothing any more. Does not wait for the attempt under way."""
        self._stopped = True
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._stopped:  # asked after clearing: `stop` may come at any moment
                return
            self._tell(self._known.asking(self._now()))
            self._tell(self._attempt())
            self._wake.wait(self._every)

    def _attempt(self) -> Known[T]:
        try:
            value = self._load(self._so_far)
        except PgconsoleError as error:
            return self._known.failed(error, self._now())
        except Exception as error:  # a thread that dies silently would look like fresh data
            problem = fault(f"{self._thread.name} can't be read", error, self._redact)
            return self._known.failed(problem, self._now())
        return self._known.answered(value, self._now())

    def _so_far(self, part: T) -> None:
        self._tell(self._known.growing(part))

    def _tell(self, known: Known[T]) -> None:
        self._known = known
        if self._stopped:
            return
        try:
            self._deliver(known)
        except RuntimeError:
            self._stopped = True  # the event loop is closed: the console has quit
