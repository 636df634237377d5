"""What a job has gone through: its phases, its throughput, its commands. From its journal alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pgconsole.jobs.journal import END
from pgconsole.postgres.tools import is_command_line
from pgconsole.report import Level
from pgconsole.widgets.progress import Progress, ProgressMeter
from pgconsole.widgets.throughput import Throughput, ThroughputMeter

if TYPE_CHECKING:
    from pgconsole.jobs import JournalEntry

_MOST_COMMANDS = 100
_LOUDNESS = list(Level)


class Command(NamedTuple):
    """A command that the job ran, as an operator could type it; secrets are masked."""

    time: datetime
    phase: str
    text: str


@dataclass(slots=True)
class Phase:
    """One stage of the job.

    Attributes:
        name: What the journal calls it.
        began_at: When it was first heard of.
        spent: How long it took, up to the last change of phases; two may take turns.
        bytes: What passed in it; None if that was not said.
        passed: Those of them of which it is known when.
        moving: How long these took.
        level: The loudest that was said in it.
    """

    name: str
    began_at: datetime
    spent: timedelta = timedelta()
    bytes: int | None = None
    passed: int = 0
    moving: timedelta = timedelta()
    level: Level = Level.INFO

    @property
    def rate(self) -> float | None:
        """Bytes a second, if it was measured long enough."""
        seconds = self.moving.total_seconds()
        return self.passed / seconds if seconds >= 0.2 else None


@dataclass(frozen=True, slots=True)
class Course:
    """A job's course so far.

    Attributes:
        phases: In the order in which they began.
        current: The phase of the last word; empty before it.
        current_since: When the last stretch of that phase began.
        throughput: Bytes by time.
        commands: What it ran.
        progress: How far the current phase is.
    """

    phases: tuple[Phase, ...] = ()
    current: str = ""
    current_since: datetime | None = None
    throughput: Throughput = field(default_factory=Throughput)
    commands: tuple[Command, ...] = ()
    progress: Progress = field(default_factory=Progress)

    def spent(self, phase: Phase, until: datetime) -> timedelta:
        """How long a phase took, for a job that has lasted until a moment."""
        if phase.name != self.current or self.current_since is None:
            return phase.spent
        return phase.spent + max(timedelta(), until - self.current_since)


class CourseReader:
    """Reads a job's journal as it grows."""

    def __init__(self) -> None:
        self._phases: dict[str, Phase] = {}
        self._current = ""
        self._since: datetime | None = None
        self._moved: tuple[datetime, int] | None = (
            None  # the last word on the current phase's bytes
        )
        self._throughput = ThroughputMeter()
        self._commands: list[Command] = []
        self._meter = ProgressMeter()

    @property
    def course(self) -> Course:
        """A copy of what is known so far; it does not change any more."""
        return Course(
            tuple(replace(phase) for phase in self._phases.values()),
            self._current,
            self._since,
            self._throughput.throughput,
            tuple(self._commands),
            self._meter.progress,
        )

    def feed(self, entry: JournalEntry) -> None:
        """Take in the next entry."""
        if entry.phase == END:
            return
        self._meter.feed(entry)
        if entry.phase != self._current:
            self._turn(entry)
        phase = self._phases[entry.phase]
        phase.level = max(phase.level, entry.level, key=_LOUDNESS.index)
        if is_command_line(entry.message) and len(self._commands) < _MOST_COMMANDS:
            self._commands.append(Command(entry.time, entry.phase, entry.message))
        if entry.bytes_done is not None:
            self._move(phase, entry.time, entry.bytes_done)

    def _turn(self, entry: JournalEntry) -> None:
        if self._since is not None:
            self._phases[self._current].spent += max(timedelta(), entry.time - self._since)
        self._phases.setdefault(entry.phase, Phase(entry.phase, entry.time))
        self._current, self._since, self._moved = entry.phase, entry.time, None

    def _move(self, phase: Phase, time: datetime, done: int) -> None:
        """Count the bytes since the last word; the first one is where the count begins."""
        phase.bytes = max(phase.bytes or 0, done)
        if self._moved is not None:
            before, count = self._moved
            passed = max(0, done - count)
            phase.passed += passed
            phase.moving += max(timedelta(), time - before)
            self._throughput.add(before, time, passed)
        self._moved = (time, done)
