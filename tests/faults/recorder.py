"""What was tried, what was promised and what happened: a line for each trial of a fault.

`make faults` (tests/faults/__main__.py) names the file and makes docs/reliability.md of it. Without
it the same tests run in their short form and nothing is written.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

import pytest

from pgconsole import durable

# The environment reaches the workers of pytest-xdist, options of a conftest down here do not.
SEED = "FAULTS_SEED"
LONG = "FAULTS_LONG"
RECORD = "FAULTS_RECORD"
BROKEN = "BROKEN: "
_SHORT_SEED = 1  # a red `make test` is to say something about the change, not about the dice


class Group(StrEnum):
    """The parts of the suite: a table each, in this order."""

    KILL = "Kill points"
    DISK = "Disk"
    NETWORK = "Network"
    TIME = "Time"
    HOSTILE = "Hostile input"
    FUZZING = "Fuzzing"
    LOAD = "Load"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table.

    Attributes:
        group: Which table.
        what: What goes wrong, e.g. `the runner of a backup is killed (-9)`.
        promise: What is to hold all the same, and is checked.
    """

    group: Group
    what: str
    promise: str


@dataclass(slots=True)
class Trial:
    """One time that a fault was tried."""

    fault: Fault
    outcomes: Counter[str] = field(default_factory=Counter)
    stage: str = ""

    def happened(self, outcome: str, times: int = 1) -> None:
        """Say what happened, in words that other trials share: the same words are added up.

        Args:
            outcome: In a few words, without names, paths or numbers that differ each time.
            times: How many tries this trial stands for, e.g. the examples of a fuzzer.
        """
        self.outcomes[outcome] += times

    def hit(self, stage: str) -> None:
        """Say in which stage the fault met the operation, e.g. `backup: dump`."""
        self.stage = stage


class Faults:
    """Hands out seeded chance, and writes down every trial.

    Args:
        seed: Where all chance comes from.
        long: Whether this is the long form.
        record: The file that lines are appended to; None to write nothing.
    """

    def __init__(self, seed: int, *, long: bool, record: Path | None) -> None:
        self.seed = seed
        self.long = long
        self._record = record

    @classmethod
    def from_environment(cls) -> Faults:
        """As `make faults` has set it, else the short form."""
        record = os.environ.get(RECORD)
        return cls(
            int(os.environ.get(SEED) or _SHORT_SEED),
            long=bool(os.environ.get(LONG)),
            record=Path(record) if record else None,
        )

    def times(self, short: int, long: int) -> int:
        """How often to try: `short` within `make test`, `long` within `make faults`."""
        return long if self.long else short

    def random(self, *names: object) -> random.Random:
        """Chance of this test's own: of the seed and these names, whatever else runs before."""
        return random.Random(f"{self.seed} {' '.join(map(str, names))}")

    @contextmanager
    def trial(self, fault: Fault) -> Iterator[Trial]:
        """Try a fault in the block, which calls `happened` at least once.

        Whatever the block raises goes into the table as broken, and on to pytest.
        """
        trial = Trial(fault)
        try:
            yield trial
            assert trial.outcomes, f"nobody said what happened: {fault.what}"
        except pytest.skip.Exception as skipped:
            self._write(fault, untried=str(skipped))
            raise
        except BaseException as error:
            self._write(fault, stage=trial.stage, outcomes={BROKEN + _in_a_line(error): 1})
            raise
        self._write(fault, stage=trial.stage, outcomes=trial.outcomes)

    def untried(self, fault: Fault, reason: str) -> NoReturn:
        """Skip the test, and list the fault as one that could not be tried here."""
        self._write(fault, untried=reason)
        pytest.skip(reason)

    def _write(self, fault: Fault, **what: object) -> None:
        if self._record is None:
            return
        line = {"group": fault.group, "what": fault.what, "promise": fault.promise} | what
        fd = durable.open_to_append(self._record)
        try:
            os.write(fd, json.dumps(line).encode() + b"\n")  # in one piece: workers share the file
        finally:
            os.close(fd)


def _in_a_line(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0] if words else ''}"[:200]
