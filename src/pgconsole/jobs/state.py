"""How far a job is: `state.json`, replaced at once by the runner alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pgconsole import durable
from pgconsole.errors import PgconsoleError
from pgconsole.jobs.texts import JSON, json_line
from pgconsole.untrusted import is_count, parse_time, read_whole

STATE = "state.json"


class JobStatus(StrEnum):
    """What a job is doing or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    PARTLY_FAILED = "partly_failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self not in _ACTIVE


_ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLING})


@dataclass(frozen=True, slots=True)
class Problem:
    """One obstacle, as `PgconsoleError` tells it."""

    problem: str
    cause: str = ""
    fix: str = ""

    def __str__(self) -> str:
        return str(PgconsoleError(self.problem, cause=self.cause, fix=self.fix))


@dataclass(frozen=True, slots=True)
class State:
    """What the runner last said about itself.

    Attributes:
        status: Never `queued` or `interrupted`: those are seen from outside.
        started_at: When the runner took over.
        pid: The runner's process id on `host`.
        pid_started: Start of that process in clock ticks since boot, which tells it from a later
            process with the same number (proc_pid_stat(5), field 22).
        host: Host name.
        phase: The last phase, once the job has ended.
        finished_at: When it ended.
        exit_code: Of the runner, once it has ended.
        problem: What went wrong.
        cause: Why.
        fix: What to do.
        problems: Each obstacle by itself, where preflight found several.
        result: What the operation returned.
    """

    status: JobStatus
    started_at: datetime
    pid: int
    pid_started: int
    host: str
    phase: str = ""
    finished_at: datetime | None = None
    exit_code: int | None = None
    problem: str = ""
    cause: str = ""
    fix: str = ""
    problems: tuple[Problem, ...] = ()
    result: dict[str, JSON] | None = None


def write_state(directory: Path, state: State) -> None:
    """Replace the state at once, down to the disk.

    Raises:
        OSError: It can't be written; the state before is still there.
    """
    content = asdict(state) | {
        "started_at": state.started_at.isoformat(),
        "finished_at": state.finished_at and state.finished_at.isoformat(),
        "problems": [asdict(problem) for problem in state.problems],
    }
    durable.replace(directory / STATE, json_line(content))


def read_state(directory: Path) -> State | None:
    """What the runner last wrote, or None if it has not written anything yet.

    Raises:
        OSError: The file can't be read.
        ValueError: It is not what `write_state` wrote.
    """
    try:
        text = read_whole(directory / STATE)
    except FileNotFoundError:
        return None
    try:
        state = _from_json(json.loads(text))
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"fields are missing, unknown or of the wrong type: {error}") from error
    if not _fits(state):
        raise ValueError("a field has the wrong type")
    return state


def _fits(state: State) -> bool:
    """Whether what `_from_json` took as it was is what it has to be."""
    texts = [state.host, state.phase, state.problem, state.cause, state.fix]
    texts += [text for one in state.problems for text in (one.problem, one.cause, one.fix)]
    return (
        all(isinstance(text, str) for text in texts)
        and all(map(is_count, (state.pid, state.pid_started)))
        and (state.exit_code is None or state.exit_code in range(256))
        and isinstance(state.result, dict | None)
    )


def _from_json(content: dict[str, Any]) -> State:
    finished_at = content["finished_at"]
    return State(
        **content
        | {
            "status": JobStatus(content["status"]),
            "started_at": parse_time(content["started_at"]),
            "finished_at": None if finished_at is None else parse_time(finished_at),
            "problems": tuple(Problem(**problem) for problem in content["problems"]),
        }
    )
