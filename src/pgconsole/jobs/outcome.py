"""What became of an operation, as its state, exit code and last words."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from pgconsole.errors import (
    Cancelled,
    ExitCode,
    PartlyFailedError,
    PgconsoleError,
    PreflightError,
    PruneError,
    VerifyError,
)
from pgconsole.jobs.state import JobStatus, Problem
from pgconsole.report import Level

_NO_TROUBLE = Problem("")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        status: One that has ended.
        exit_code: Of the runner.
        level: Of the last event.
        trouble: What went wrong; empty if nothing did.
        problems: Each obstacle, where there are several.
        result: What the operation returned, or would have returned.
    """

    status: JobStatus
    exit_code: ExitCode
    level: Level
    trouble: Problem = _NO_TROUBLE
    problems: tuple[Problem, ...] = ()
    result: object = None

    def message(self, kind: str) -> str:
        """The last words, e.g. `backup failed: ...`."""
        words = f"{kind} {self.status.replace('_', ' ')}"
        if self.status is JobStatus.CANCELLED:
            return f"{words}: {self.trouble.cause}"
        return f"{words}: {self.trouble}" if self.trouble.problem else words


def done(result: object) -> Outcome:
    """The operation returned."""
    return Outcome(JobStatus.DONE, ExitCode.OK, Level.INFO, result=result)


def cancelled(by: str, kind: str) -> Outcome:
    """The operation was interrupted and has cleaned up."""
    cause = f"{by} asked for it" if by else "its process got a signal to stop"
    trouble = Problem(f"The {kind} was cancelled", cause)
    return Outcome(JobStatus.CANCELLED, ExitCode.CANCELLED, Level.WARNING, trouble)


def failed(error: BaseException, kind: str) -> Outcome:
    """The operation raised. A fault of our own leaves its traceback on stderr."""
    assert not isinstance(error, Cancelled)
    if isinstance(error, PartlyFailedError):
        trouble = Problem(error.problem, error.cause, error.fix)
        return Outcome(
            JobStatus.PARTLY_FAILED, error.exit_code, Level.WARNING, trouble, result=error.result
        )
    if isinstance(error, PgconsoleError):
        obstacles = error.problems if isinstance(error, PreflightError | VerifyError) else []
        if len(obstacles) == 1:  # it is the trouble itself
            obstacles = []
        return Outcome(
            JobStatus.FAILED,
            error.exit_code,
            Level.ERROR,
            Problem(error.problem, error.cause, error.fix),
            tuple(Problem(item.problem, item.cause, item.fix) for item in obstacles),
            result=error.result if isinstance(error, VerifyError | PruneError) else None,
        )
    traceback.print_exception(error)
    trouble = Problem(
        f"The {kind} met a fault in pgconsole",
        f"{type(error).__name__}: {error}",
        "report it with the traceback that output.log ends with",
    )
    return Outcome(JobStatus.FAILED, ExitCode.FAILED, Level.ERROR, trouble)
