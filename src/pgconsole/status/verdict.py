"""The answer to the question whether the backups are good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """The answer in a word."""

    FRESH = "fresh"
    STALE = "stale"  # what the schedule promised is not there
    FAILED = "failed"  # the last backup, or its copy, is not what it should be
    UNKNOWN = "unknown"  # it can't be said; never taken for fresh

    @property
    def exit_code(self) -> int:
        """Of `pgconsole status`: 0 fresh, 1 stale or failed, 2 unknown."""
        return {State.FRESH: 0, State.UNKNOWN: 2}.get(self, 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, in words.

    Attributes:
        state: The answer in a word.
        text: The answer in a sentence, which begins with Protected, At risk or Unknown.
        detail: What else is known of it, for those who have room; may be empty.
        loss: What would be lost if the database died now, in a sentence; empty if unknown.
        lost_since: A restore now would lose what changed after this moment; None if unknown.
        job: Id of the failed job whose cause the sentence tells, or empty.
    """

    state: State
    text: str
    detail: str = ""
    loss: str = ""
    lost_since: datetime | None = None
    job: str = ""

    @property
    def sentence(self) -> str:
        """The answer, and what would be lost."""
        return f"{self.text} {self.loss}" if self.loss else self.text
