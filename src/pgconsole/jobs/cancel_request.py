"""Stop a running job: SIGTERM to its runner, and a note that says who asked."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pgconsole import durable
from pgconsole.errors import PgconsoleError
from pgconsole.jobs.audit import audit
from pgconsole.jobs.permission import permit
from pgconsole.jobs.processes import process_started
from pgconsole.jobs.state import JobStatus, State, read_state
from pgconsole.jobs.store import OUTPUT, Job, look, read_job
from pgconsole.jobs.texts import json_line, one_line
from pgconsole.mutations import mutates
from pgconsole.settings import Settings
from pgconsole.untrusted import read_whole

CANCEL = "cancel.json"
_START_TAKES = 10.0  # seconds that a runner may take until it can be cancelled


def cancel(settings: Settings, job_id: str, actor: str) -> None:
    """Ask a running job to stop, and return at once; `wait` for its cleaning up.

    A job that was only just started is given the time to come up first.

    Args:
        settings: Where the job is.
        job_id: Which job.
        actor: Who asks, as `current_actor` says it.

    Raises:
        ReadOnlyError: This is read-only mode, and the job is one that changes something.
        PgconsoleError: There is no such job, it does not run, it is being cancelled already, or
            its process is not ours to stop.
    """
    job = _started(settings, job_id)
    if mutates(job.kind):  # one that only reads could be started in read-only mode
        permit(settings, actor, "cancel", job_id)
    try:
        _refuse_unless_running(job)
        _signal(settings, job, actor)
    except PgconsoleError as error:
        _audit(settings, actor, job_id, f"refused: {error.problem}: {error.cause}")
        raise
    _audit(settings, actor, job_id, "signalled")


def asked_by(directory: Path) -> str:
    """Who asked for the job to be cancelled; empty if the signal came from elsewhere."""
    try:
        return str(json.loads(read_whole(directory / CANCEL))["actor"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _audit(settings: Settings, actor: str, job_id: str, result: str) -> None:
    with suppress(OSError):  # a job that filled the disk must not be kept from being cancelled
        audit(settings, actor, "cancel", job_id, result)


def _started(settings: Settings, job_id: str) -> Job:
    deadline = time.monotonic() + _START_TAKES
    while True:
        job = read_job(settings, job_id)
        if job.status is not JobStatus.QUEUED or time.monotonic() > deadline:
            return job
        time.sleep(0.05)


def _refuse_unless_running(job: Job) -> None:
    if job.status is JobStatus.RUNNING:
        return
    cause = f"it is {job.status}"
    fix = "`pgconsole jobs` lists what runs"
    if job.status is JobStatus.QUEUED:
        cause = f"its process has not come up within {_START_TAKES:.0f} s"
        fix = f"try again, or see {job.directory / OUTPUT}"
    elif job.status is JobStatus.CANCELLING:
        cause = f"it is being cancelled already{_by(asked_by(job.directory))}"
        fix = "wait until it has cleaned up"
    raise PgconsoleError(f"Job {job.id} can't be cancelled", cause=cause, fix=fix)


def _by(actor: str) -> str:
    return f" by {actor}" if actor else ""


def _signal(settings: Settings, job: Job, actor: str) -> None:
    """Send SIGTERM to the runner and to nobody else.

    The descriptor is opened first: if the process that has the number then is the one that the
    state names, so is the descriptor's.
    """
    state = _state(job)
    process = -1
    try:
        process = os.pidfd_open(state.pid)
        if process_started(state.pid) != state.pid_started:
            raise ProcessLookupError("no such process here")
        _leave_note(job.directory, one_line(actor, settings.redactor))
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except OSError as error:
        _refuse_unless_running(look(job.directory))  # it may have ended just now
        raise _out_of_reach(job, state, str(error)) from error
    finally:
        if process >= 0:
            os.close(process)


def _state(job: Job) -> State:
    """What a running job said about its process."""
    try:
        state = read_state(job.directory)
    except (OSError, ValueError) as error:
        raise PgconsoleError(
            f"Job {job.id} can't be cancelled",
            cause=f"its state can't be read: {error}",
            fix=f"see {job.directory}; its process is `python -m pgconsole.jobs.runner` there",
        ) from error
    assert state is not None  # the job runs
    return state


def _leave_note(directory: Path, actor: str) -> None:
    note = {"actor": actor, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}
    with suppress(OSError):  # as in `_audit`
        durable.replace(directory / CANCEL, json_line(note))


def _out_of_reach(job: Job, state: State, cause: str) -> PgconsoleError:
    return PgconsoleError(
        f"Job {job.id} can't be cancelled",
        cause=f"its process {state.pid} on {state.host} can't be signalled from here ({cause})",
        fix=f"cancel it on {state.host} (in its container), as the same user or as root",
    )
