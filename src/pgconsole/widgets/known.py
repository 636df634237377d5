"""What the console knows of something that lies elsewhere, and how sure it may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pgconsole.errors import PgconsoleError

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """The last answer, its age, and what became of the attempt after it.

    Attributes:
        value: The last answer; None if there was never one.
        read_at: When it was given.
        problem: Why the latest attempt failed; None if it did not.
        failed_at: When it failed.
        failing_since: When the first attempt failed since the last answer.
        asked_at: When the attempt under way began; None if none is.
        so_far: What the attempt under way has brought so far; never to be taken for the whole.
    """

    value: T | None = None
    read_at: datetime | None = None
    problem: PgconsoleError | None = None
    failed_at: datetime | None = None
    failing_since: datetime | None = None
    asked_at: datetime | None = None
    so_far: T | None = None

    def asking(self, now: datetime) -> Known[T]:
        """The same, while an attempt is under way."""
        return replace(self, asked_at=now)

    def growing(self, part: T) -> Known[T]:
        """The same, with what has come so far."""
        return replace(self, so_far=part)

    def answered(self, value: T, now: datetime) -> Known[T]:
        """A fresh answer; earlier problems are over."""
        return Known(value=value, read_at=now)

    def failed(self, problem: PgconsoleError, now: datetime) -> Known[T]:
        """A failed attempt; the last answer stays, and gets older."""
        return Known(self.value, self.read_at, problem, now, self.failing_since or now)

    def map(self, function: Callable[[T], U]) -> Known[U]:
        """The same about something that follows from the answer."""
        return Known(
            value=function(self.value) if self.value is not None else None,
            read_at=self.read_at,
            problem=self.problem,
            failed_at=self.failed_at,
            failing_since=self.failing_since,
            asked_at=self.asked_at,
            so_far=function(self.so_far) if self.so_far is not None else None,
        )

    def waiting(self, now: datetime) -> timedelta:
        """How long the attempt under way has been going on."""
        return now - self.asked_at if self.asked_at is not None else timedelta()
