"""The jobs there are, seen from outside."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.jobs.journal import END
from pgconsole.jobs.spec import Spec, parse_id, read_spec
from pgconsole.jobs.state import JobStatus, Problem, State, read_state
from pgconsole.jobs.tail import Tail
from pgconsole.jobs.texts import JSON
from pgconsole.locks import is_held
from pgconsole.settings import Settings

JOBS = "jobs"
LOCK = "lock"
OUTPUT = "output.log"
_LAST_ENTRY = 4096  # bytes from the end of a journal that hold its last entry


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now.

    Attributes:
        id: Sorts by time; the name of its directory.
        kind: Which operation, e.g. `backup`.
        request: The operation's own arguments.
        actor: Who asked.
        created_at: When it was asked for, UTC.
        started_at: When its runner took over.
        finished_at: When it ended; None while it runs, and where nobody knows (interrupted).
        status: What it is doing or how it ended.
        phase: The last phase it was in.
        pid: Process id of the runner, on its host.
        exit_code: Once it ended by itself.
        problem: What went wrong; also what is wrong with its directory.
        cause: Why.
        fix: What to do now.
        result: What the operation returned.
        directory: Where its spec, journal and `output.log` lie.
        problems: Each obstacle by itself, where preflight found several.
    """

    id: str
    kind: str
    request: dict[str, JSON]
    actor: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    status: JobStatus
    phase: str
    pid: int | None
    exit_code: int | None
    problem: str
    cause: str
    fix: str
    result: dict[str, JSON] | None
    directory: Path
    problems: tuple[Problem, ...] = ()


def jobs_directory(settings: Settings) -> Path:
    """Where the jobs' directories lie."""
    return settings.state_dir / JOBS


def read_job(settings: Settings, job_id: str) -> Job:
    """One job as it is now. A damaged directory gives a job that says so.

    Raises:
        PgconsoleError: There is no such job.
    """
    directory = jobs_directory(settings) / job_id
    if parse_id(job_id) is None or not directory.is_dir():
        raise PgconsoleError(
            f"There is no job {job_id!r}",
            cause=f"{jobs_directory(settings)} has no such directory",
            fix="`pgconsole jobs` lists them",
        )
    return look(directory)


def list_jobs(
    settings: Settings, limit: int | None = None, *, kind: str | None = None
) -> list[Job]:
    """The newest jobs, the newest first. Only these are read, however many there are.

    Names that are no job's are passed over; damaged directories are listed and say so.

    Args:
        settings: Whose jobs.
        limit: How many; None: all.
        kind: Only those of this kind; None: of any.

    Raises:
        StorageError: The directory of all jobs can't be read.
    """
    directory = jobs_directory(settings)
    try:
        names = sorted(os.listdir(directory), reverse=True)  # noqa: PTH208 - ten times as fast
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unlistable(directory, error) from error
    wanted = (
        name for name in names
        if (parsed := parse_id(name)) is not None and kind in (None, parsed[1])
    )  # fmt: skip
    return [look(directory / name) for name in islice(wanted, limit)]


def unlistable(directory: Path, error: OSError) -> StorageError:
    """Says why the directory of all jobs can't be read."""
    return StorageError(
        f"The jobs in {directory} can't be listed",
        cause=str(error),
        fix="run pgconsole as the user that owns the backup directory",
    )


def look(directory: Path) -> Job:
    """The job of this directory, whatever state the directory is in."""
    parsed = parse_id(directory.name)
    assert parsed is not None
    problem = cause = ""
    try:
        spec = read_spec(directory)
    except (OSError, ValueError) as error:
        created_at, kind = parsed
        spec = Spec(directory.name, kind, {}, "unknown", created_at)
        problem, cause = f"spec.json of job {directory.name} can't be read", str(error)
    try:
        status, state = _status(directory)
    except (OSError, ValueError) as error:
        # Whether it runs is for the lock to say, not for a file that can't be read.
        status = JobStatus.RUNNING if _is_held(directory) else JobStatus.INTERRUPTED
        state = None
        problem, cause = f"The state of job {directory.name} can't be read", str(error)
    if status is JobStatus.INTERRUPTED and not problem:
        problem, cause = _interrupted(spec, state)
    return _job(directory, spec, status, state, Problem(problem, cause))


def _is_held(directory: Path) -> bool:
    with suppress(OSError):
        return is_held(directory / LOCK)
    return False


def _status(directory: Path) -> tuple[JobStatus, State | None]:
    """The lock, not the state, says whether the job runs. It is held from before it is visible."""
    state = read_state(directory)
    if state is not None and state.status.ended:
        return state.status, state
    held = is_held(directory / LOCK)
    # The runner writes its last state before it lets go of the lock: only now it is final.
    state = read_state(directory)
    if state is not None and (held or state.status.ended):
        return state.status, state
    return (JobStatus.QUEUED if held else JobStatus.INTERRUPTED), state


def _job(
    directory: Path, spec: Spec, status: JobStatus, state: State | None, damage: Problem
) -> Job:
    ended_by_itself = state is not None and state.status.ended
    fix = ""
    if damage.problem:
        fix = f"see {directory / OUTPUT}, then start it anew: it is never resumed by itself"
    return Job(
        id=directory.name,
        kind=spec.kind,
        request=spec.request,
        actor=spec.actor,
        created_at=spec.created_at,
        started_at=state.started_at if state else None,
        finished_at=state.finished_at if state else None,
        status=status,
        phase=state.phase if state and ended_by_itself else _last_phase(directory),
        pid=state.pid if state else None,
        exit_code=state.exit_code if state else None,
        problem=damage.problem or (state.problem if state else ""),
        cause=damage.cause or (state.cause if state else ""),
        fix=fix or (state.fix if state else ""),
        result=state.result if state else None,
        directory=directory,
        problems=state.problems if state else (),
    )


def _interrupted(spec: Spec, state: State | None) -> tuple[str, str]:
    problem = f"The {spec.kind} was interrupted"
    if state is None:
        return problem, "its process ended before it began to work"
    return problem, (
        f"its process {state.pid} on {state.host} ended without a word: it was killed, "
        "ran out of memory, or the host went down"
    )


def _last_phase(directory: Path) -> str:
    try:
        entries = Tail(directory, last_bytes=_LAST_ENTRY).read()
    except OSError:
        return ""
    phases = [entry.phase for entry in entries if entry.phase != END]
    return phases[-1] if phases else ""
