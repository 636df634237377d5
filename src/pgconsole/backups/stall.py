"""Says why no byte comes: who blocks pg_dump, asked beside it and without making it wait."""

from __future__ import annotations

import threading
import time

from pgconsole.errors import PgconsoleError
from pgconsole.postgres.blocking import Wait, wait_of
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings

SILENT = 10.0  # seconds without a byte until somebody asks; a large catalog takes pg_dump less
_ASK_EVERY = 10.0  # seconds
_ANSWER_WITHIN = 12.0  # seconds, connecting included
_BEGINNING = "no byte for "


class Stall:
    """Watches one run of a tool whose output passes through our hands.

    The question is asked by a thread: a server that hangs must not keep a dump that goes on from
    being read. At most one is on its way, and it never keeps the process from ending.

    Args:
        settings: The server.
        report: Told why nothing comes, and when it goes on.
        phase: The stage that it is reported as.
        tool: Its name, e.g. `pg_dump`.
        application: The application name of its session.
    """

    def __init__(
        self, settings: Settings, report: Report, phase: str, tool: str, application: str
    ) -> None:
        self._settings = settings
        self._report = report
        self._phase = phase
        self._tool = tool
        self._application = application
        self._bytes = 0
        self._moved = self._asked = time.monotonic()
        self._question: _Question | None = None
        self._said = ""
        self._say_again = 0.0  # seconds of silence

    def look(self, done: int) -> None:
        """Take in how many bytes have come so far; call it some times a second."""
        now = time.monotonic()
        if done != self._bytes:
            self._goes_on(now, done)
        elif self._question is not None and self._waits_for_answer(self._question, now):
            pass
        elif now >= max(self._moved + SILENT, self._asked + _ASK_EVERY):
            self._asked = now
            if self._question is None or not self._question.is_alive():
                self._question = _Question(self._settings, self._tool, self._application)
                self._question.start()

    def _goes_on(self, now: float, done: int) -> None:
        if self._said:
            text = f"{self._tool} goes on after {now - self._moved:.0f} s without a byte"
            self._report(Event(self._phase, text))
        self._bytes, self._moved = done, now
        self._said, self._say_again = "", 0.0

    def _waits_for_answer(self, question: _Question, now: float) -> bool:
        """See whether the answer has come, or is overdue, and pass it on."""
        if question.asked_at < self._moved:  # of an earlier silence
            if not question.is_alive():
                self._question = None
            return False
        if question.answer is not None:
            self._question = None
            self._say(*question.answer, now)
        elif now - question.asked_at > _ANSWER_WITHIN:
            self._say("the server does not answer", Level.WARNING, now)
            return False
        return True

    def _say(self, reason: str, level: Level, now: float) -> None:
        """Say it if it is news, or after twice the time."""
        silent = now - self._moved
        if reason != self._said or silent >= self._say_again:
            self._said, self._say_again = reason, 2 * silent
            self._report(Event(self._phase, f"{_BEGINNING}{silent:.0f} s: {reason}", level))


class _Question(threading.Thread):
    """Asks the server once.

    Attributes:
        asked_at: Monotonic time.
        answer: What to say and how loud, once it is known.
    """

    def __init__(self, settings: Settings, tool: str, application: str) -> None:
        super().__init__(name="stall", daemon=True)
        self._settings = settings
        self._tool = tool
        self._application = application
        self.asked_at = time.monotonic()
        self.answer: tuple[str, Level] | None = None

    def run(self) -> None:
        try:
            wait = wait_of(self._settings, self._application)
        except PgconsoleError as error:
            self.answer = (f"the server does not say why: {error}", Level.WARNING)
        except Exception as error:  # a watch that fails must not look like a server that hangs
            self.answer = (f"asking why failed: {type(error).__name__}: {error}", Level.WARNING)
        else:
            self.answer = self._in_words(wait)

    def _in_words(self, wait: Wait | None) -> tuple[str, Level]:
        if wait is None:
            return f"the server has no session of {self._tool}", Level.WARNING
        return wait.in_words(self._tool), Level.WARNING if wait.blockers else Level.INFO


def reason_in(message: str) -> str:
    """Why no byte comes, from a message that `Stall` has reported; else empty."""
    beginning, _, reason = message.partition(": ")
    return reason if beginning.startswith(_BEGINNING) else ""
