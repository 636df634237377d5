"""Questions asked in parallel, each with a deadline; whoever hangs keeps nobody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

from pgconsole.errors import NoAnswerError, PgconsoleError, StorageError
from pgconsole.status.facts import Answer

T = TypeVar("T")


class Pending(Generic[T]):
    """A function that runs in a thread of its own, which never keeps the process from ending.

    Args:
        function: What to ask. Its own timeouts should be shorter than the one of `result`.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._answer: T | None = None
        self._error: Exception | None = None
        # Not a pool of futures: Python waits for those at its end, however long they hang.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self, deadline: float) -> T:
        """What the function returned, waiting for it until the deadline at most.

        Args:
            deadline: Of `time.monotonic()`.

        Raises:
            TimeoutError: There is no answer yet.
            Exception: What the function raised.
        """
        if not self.ended(deadline):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._answer  # type: ignore[return-value]  # the function returned it

    def ended(self, deadline: float) -> bool:
        """Whether the function ended, waiting for it until the deadline at most."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._answer = self._function()
        except Exception as error:
            self._error = error


def answer(what: str, pending: Pending[T], deadline: float, patience: float) -> Answer[T]:
    """What was asked, or why there is no answer. Nothing is raised.

    Args:
        what: Whom was asked, as the beginning of a sentence.
        pending: The question.
        deadline: Of `time.monotonic()`.
        patience: How many seconds that was from the beginning.
    """
    try:
        return Answer(pending.result(deadline), datetime.now(UTC))
    except TimeoutError:
        problem: PgconsoleError = NoAnswerError(
            f"{what} did not answer within {patience:.0f} s",
            fix="look whether the disk or the network hangs",
        )
    except PgconsoleError as error:
        problem = error
    except Exception as error:  # a fault of ours must not look like an answer
        problem = StorageError(
            f"{what} can't be judged: a fault in pgconsole",
            cause=f"{type(error).__name__}: {error}",
            fix="report it",
        )
    return Answer(problem=problem)


class Once(Generic[T]):
    """An answer that several threads want and that is asked for once; all wait for it.

    Args:
        function: What to ask.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._asked = False
        self._answer: T | None = None
        self._error: Exception | None = None

    def __call__(self) -> T:
        """The answer, or what the function raised, the same for all."""
        with self._lock:
            if not self._asked:
                self._asked = True
                try:
                    self._answer = self._function()
                except Exception as error:
                    self._error = error
        if self._error is not None:
            raise self._error
        return self._answer  # type: ignore[return-value]  # the function returned it
