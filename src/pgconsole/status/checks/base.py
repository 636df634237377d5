"""What a check is, and what it may find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pgconsole.status.checks.context import Context


class CheckState(StrEnum):
    """How a check came out, in the words that the operator reads."""

    OK = "ok"
    WARNING = "warning"  # works, but somebody should look at it
    FAILED = "failed"  # a backup or a restore fails, or failed, because of it
    UNKNOWN = "unknown"  # it could not be found out
    NOT_SET_UP = "not set up"  # there is nothing to check


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found. The texts are sentences without a final full stop, on one line.

    Attributes:
        name: Which check; the same in every run.
        state: How it came out.
        found: What is there.
        cause: Why it is a problem, or where it comes from; empty where nothing is wrong.
        fix: What to do now; empty where nothing is wrong.
    """

    name: str
    state: CheckState
    found: str
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check function returns; see `CheckResult`."""

    state: CheckState
    found: str
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's list.

    Attributes:
        name: In a few words; a part of the interface of `doctor --json`.
        function: Looks. A `PgconsoleError` that it raises is a failed check, a
            `NoAnswerError` an unknown one.
        cleans_up: Whether it has to be waited for, even when nobody wants its answer any more.
    """

    name: str
    function: Callable[[Context], Finding]
    cleans_up: bool = False


def ok(found: str) -> Finding:
    """Nothing is wrong."""
    return Finding(CheckState.OK, found)


def warning(found: str, cause: str, fix: str) -> Finding:
    """It works, but somebody should look at it."""
    return Finding(CheckState.WARNING, found, cause, fix)


def failed(found: str, cause: str, fix: str) -> Finding:
    """A backup or a restore fails, or failed, because of it."""
    return Finding(CheckState.FAILED, found, cause, fix)


def unknown(found: str, cause: str, fix: str) -> Finding:
    """It could not be found out."""
    return Finding(CheckState.UNKNOWN, found, cause, fix)


def not_set_up(found: str) -> Finding:
    """There is nothing to check."""
    return Finding(CheckState.NOT_SET_UP, found)
