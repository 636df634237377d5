"""The process of one job: `python -m pgconsole.jobs.runner <directory> <lock descriptor>`.

Started by `pgconsole.jobs.start` alone, which hands over the held lock of the job.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.durable import write_new
from pgconsole.errors import Cancelled, ConfigurationError, ExitCode
from pgconsole.jobs import outcome as outcomes
from pgconsole.jobs.audit import audit
from pgconsole.jobs.cancel_request import asked_by
from pgconsole.jobs.cancellation import Cancellation
from pgconsole.jobs.journal import END, Journal
from pgconsole.jobs.operations import Lookup, lookup
from pgconsole.jobs.outcome import Outcome
from pgconsole.jobs.output import redacted_output
from pgconsole.jobs.permission import permit
from pgconsole.jobs.processes import process_started
from pgconsole.jobs.spec import Spec, read_spec
from pgconsole.jobs.state import STATE, JobStatus, Problem, State, write_state
from pgconsole.jobs.texts import one_line, to_json
from pgconsole.redact import Redactor
from pgconsole.report import Event, Level
from pgconsole.settings import Settings, load_settings

_RESERVE = "reserve"
_RESERVED = 65_536  # bytes: the last state and event of a job that filled the disk


def main(arguments: Sequence[str], find: Lookup = lookup) -> int:
    """Run one job to its end, whatever end that is, and write it down.

    Args:
        arguments: The job's directory, and the number of the inherited descriptor of its lock.
        find: Finds the operation of the job's kind.

    Returns:
        The exit code of the process, an `ExitCode`.
    """
    directory, lock = Path(arguments[0]), int(arguments[1])
    os.set_inheritable(lock, False)  # a child that survives us must not look like us
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it is ours already: no more than a check
    except BlockingIOError:
        print(f"job {directory.name} has another runner", file=sys.stderr)  # noqa: T201
        return ExitCode.BUSY
    os.umask(0o077)
    if (directory / STATE).exists():
        print(f"job {directory.name} has run before", file=sys.stderr)  # noqa: T201
        return ExitCode.USAGE
    return _Run(directory, read_spec(directory)).run(find)


class _Run:
    """One job from its first state to its last."""

    def __init__(self, directory: Path, spec: Spec) -> None:
        self._directory = directory
        self._spec = spec
        self._journal: Journal | None = None
        self._cancellation = Cancellation(self._announce_cancellation)
        pid = os.getpid()
        started = process_started(pid)
        assert started is not None
        self._state = State(
            JobStatus.RUNNING, datetime.now(UTC), pid, started, socket.gethostname()
        )

    def run(self, find: Lookup) -> int:
        with suppress(OSError):
            write_new(self._directory / _RESERVE, b"\0" * _RESERVED)
        write_state(self._directory, self._state)
        try:
            settings = load_settings()
        except ConfigurationError as error:  # its values are masked
            outcome = outcomes.failed(error, self._spec.kind)
            self._write_end(outcome, Redactor([]), "")
            return outcome.exit_code
        redact = settings.redactor
        with Journal(self._directory, redact) as journal:
            self._journal = journal
            with redacted_output(redact):
                outcome = self._perform(settings, journal, find)
            phase = journal.phase
            (self._directory / _RESERVE).unlink(missing_ok=True)
            self._say_end(journal, outcome)
        self._write_end(outcome, redact, phase)
        self._audit(settings, outcome)
        return outcome.exit_code

    def _perform(self, settings: Settings, journal: Journal, find: Lookup) -> Outcome:
        finished: list[object] = []
        try:
            try:
                self._cancellation.arm()
                # Whoever wrote the spec: a job that `start` let pass is not asked for here.
                permit(settings, self._spec.actor, self._spec.kind, self._spec.id)
                operation = find(self._spec.kind)
                finished.append(operation(settings, self._spec, journal.append))
            finally:
                self._cancellation.disarm()
        except Cancelled:
            self._cancellation.disarm()  # it may have come within the first one
            if not finished:
                return outcomes.cancelled(asked_by(self._directory), self._spec.kind)
        except BaseException as error:
            return outcomes.failed(error, self._spec.kind)
        return outcomes.done(finished[0])

    def _announce_cancellation(self) -> None:
        """Other consoles see at once that the job is being cancelled, and by whom."""
        assert self._journal is not None  # nothing is interrupted before there is one
        actor = asked_by(self._directory)
        by = f" by {actor}" if actor else ""
        self._journal.append(
            Event(self._journal.phase, f"being cancelled{by}; cleaning up", Level.WARNING)
        )
        with suppress(OSError):
            write_state(self._directory, replace(self._state, status=JobStatus.CANCELLING))

    def _say_end(self, journal: Journal, outcome: Outcome) -> None:
        for item in outcome.problems:
            journal.append(Event(END, str(item), outcome.level))
        journal.append(Event(END, outcome.message(self._spec.kind), outcome.level))

    def _write_end(self, outcome: Outcome, redact: Redactor, phase: str) -> None:
        def clean(item: Problem) -> Problem:
            return Problem(
                *(one_line(text, redact) for text in (item.problem, item.cause, item.fix))
            )

        trouble = clean(outcome.trouble)
        result = to_json(outcome.result)
        write_state(
            self._directory,
            replace(
                self._state,
                status=outcome.status,
                phase=phase,
                finished_at=datetime.now(UTC),
                exit_code=outcome.exit_code,
                problem=trouble.problem,
                cause=trouble.cause,
                fix=trouble.fix,
                problems=tuple(clean(item) for item in outcome.problems),
                result=result if isinstance(result, dict) else None,
            ),
        )

    def _audit(self, settings: Settings, outcome: Outcome) -> None:
        trouble = outcome.trouble
        text = ": ".join(filter(None, (outcome.status, trouble.problem, trouble.cause)))
        try:
            audit(settings, self._spec.actor, self._spec.kind, self._spec.id, text)
        except OSError as error:  # the outcome stands, and is written down already
            print(f"the audit log can't be written: {error}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
