"""The thread that reads the logs for one log pane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pgconsole.errors import PgconsoleError
from pgconsole.logs.desk import Desk
from pgconsole.logs.requests import Answer, Request
from pgconsole.redact import Redactor
from pgconsole.screens.faults import fault
from pgconsole.storage.files import storage_error

_EVERY = 0.3  # seconds between two looks at the files
_PROBLEM = "The logs can't be read"


class Reader:
    """Answers requests, and answers again whenever there is something new, until it is stopped.

    A daemon thread: a disk that hangs must not keep the console from quitting.

    Args:
        desk: Knows the answers; this thread's own from now on, but for `ask`.
        deliver: Takes them, or what is wrong, in this thread.
        redact: Hides secrets in errors that nobody foresaw.
    """

    def __init__(
        self, desk: Desk, deliver: Callable[[Answer | PgconsoleError], None], redact: Redactor
    ) -> None:
        self._desk = desk
        self._deliver = deliver
        self._redact = redact
        self._wake = threading.Event()
        self._stopped = False
        self._working_since: float | None = None
        self._told: Answer | str | None = None
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask(self, request: Request) -> None:
        """Want something else."""
        self._desk.ask(request)
        self._wake.set()

    def stop(self) -> None:
        """Deliver nothing any more; waits for nobody."""
        self._stopped = True
        self._desk.close()
        self._wake.set()

    @property
    def busy(self) -> float:
        """Seconds since the answer under way was begun; 0 if none is."""
        since = self._working_since
        return 0.0 if since is None else time.monotonic() - since

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            self._working_since = time.monotonic()
            more = self._tell()
            self._working_since = None
            if not more:
                self._wake.wait(_EVERY)

    def _tell(self) -> bool:
        """Deliver an answer if it is another than the last; whether there is more to do."""
        more = False
        news: Answer | PgconsoleError
        try:
            news, more = self._desk.answer()
        except PgconsoleError as error:
            news = error
        except OSError as error:
            news = storage_error(_PROBLEM, error)
        except Exception as error:  # a thread that dies silently would look like a quiet log
            news = fault(_PROBLEM, error, self._redact)
        told = str(news) if isinstance(news, PgconsoleError) else news
        if told != self._told and not self._stopped:
            self._told = told
            try:
                self._deliver(news)
            except RuntimeError:
                self._stopped = True  # the event loop is closed: the console has quit
        return more
