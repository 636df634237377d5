"""Errors that tell an operator what is wrong, why, and what to do next."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command. They are an API: scripts and monitoring rely on them."""

    OK = 0
    FAILED = 1
    USAGE = 2  # bad arguments or settings; nothing was tried
    BUSY = 3  # somebody else is working on the same database
    PARTLY_FAILED = 4  # the local backup is good, a copy of it (S3, another class) is missing
    CANCELLED = 130  # as a shell reports SIGINT


class PgconsoleError(Exception):
    """A problem, its cause and the next step, each a sentence without a final full stop.

    Args:
        problem: What went wrong, with the name of the thing.
        cause: Why, as far as it is known.
        fix: What the operator can do now.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, problem: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(problem, cause, fix)
        self.problem = problem
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        text = self.problem
        if self.cause:
            text += f": {self.cause}"
        if self.fix:
            text += f". Next: {self.fix}"
        return text


class ConfigurationError(PgconsoleError):
    """A setting or an argument can't be used; nothing was tried."""

    exit_code = ExitCode.USAGE


class BusyError(PgconsoleError):
    """Somebody else holds the lock of the database."""

    exit_code = ExitCode.BUSY


class PreflightError(PgconsoleError):
    """All that stands in the way of an operation, in one report.

    Args:
        problems: One error per obstacle, at least one.
    """

    def __init__(self, problems: list[PgconsoleError]) -> None:
        super().__init__(
            problems[0].problem
            if len(problems) == 1
            else f"{len(problems)} things stand in the way: " + "; ".join(map(str, problems)),
            cause=problems[0].cause if len(problems) == 1 else "",
            fix=problems[0].fix if len(problems) == 1 else "",
        )
        self.problems = problems


class ServerError(PgconsoleError):
    """PostgreSQL can't be reached, refused us, or answered with an error."""


class MissingDatabaseError(ServerError):
    """The server has no database of this name."""


class ToolError(PgconsoleError):
    """A client tool (pg_dump, psql) is missing, too old, or ended with an error."""


class StorageError(PgconsoleError):
    """The backup directory or the bucket can't be read or written."""


class NoAnswerError(StorageError):
    """The directory or the store is silent: whatever was asked of it is unknown."""


class DamagedError(PgconsoleError):
    """A dump or manifest is not what it should be. Says where (byte offset) when known."""


class AlteredError(DamagedError):
    """Somebody has changed a dump or its manifest: it is not what was signed, or not signed."""


class SealedError(ConfigurationError):
    """A dump is encrypted, and no private key that is set opens it. That proves nothing of it."""


class VerifyError(PgconsoleError):
    """Copies of backups that are not proven whole: damaged, or they could not be read.

    Args:
        problems: One error a copy, at least one.
        result: What the operation would have returned.
    """

    def __init__(self, problems: list[PgconsoleError], result: object) -> None:
        first = problems[0]
        one = len(problems) == 1
        super().__init__(
            first.problem
            if one
            else f"{len(problems)} copies are not proven whole: "
            + "; ".join(problem.problem for problem in problems),
            cause=first.cause if one else "",
            fix=first.fix if one else "use other backups; take a new one",
        )
        self.problems = problems
        self.result = result


class PruneError(StorageError):
    """Retention did a part of its work, or nothing of it.

    Args:
        failures: What went wrong, at least one.
        result: What the operation would have returned: what it did before and beside that.
    """

    def __init__(self, failures: list[PgconsoleError], result: object) -> None:
        super().__init__(
            "Retention could not do all of its work",
            cause="; ".join(map(str, failures)),
            fix="then: pgconsole prune",
        )
        self.result = result
        if all(isinstance(failure, BusyError) for failure in failures):
            self.exit_code = ExitCode.BUSY


class RefusedError(PgconsoleError):
    """A dump was not restored, because that would do something else or could not end well."""


class PartlyFailedError(PgconsoleError):
    """The local backup is published and good; a copy (S3, another class) could not be made.

    Args:
        problem: See `PgconsoleError`, also for `cause` and `fix`.
        cause: The same.
        fix: The same.
        result: What the operation would have returned.
    """

    exit_code = ExitCode.PARTLY_FAILED

    def __init__(
        self, problem: str, *, cause: str = "", fix: str = "", result: object = None
    ) -> None:
        super().__init__(problem, cause=cause, fix=fix)
        self.result = result


class Cancelled(BaseException):
    """Somebody asked the operation to stop.

    A BaseException like KeyboardInterrupt, so that `except Exception` in a cleanup path or a
    retry loop never swallows it.
    """
