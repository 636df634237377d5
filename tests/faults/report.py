"""docs/reliability.md, made of the lines that the recorder wrote."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.not_tried import NOT_TRIED
from tests.faults.recorder import BROKEN, Group

_HEAD = """\
# Reliability

`make faults` tries what can go wrong, on real servers, and writes this page. It takes more than
an hour on 2 cores. All chance comes from one number: `make faults SEED={seed}` draws the same
faults again (the machine's own timing differs). `make test` runs the same tests in a form of a few
minutes.

Run {date} with seed {seed}: {machine}. It took {minutes} minutes.

Every row was tried as often as it says. After each trial a checker looked whether the promise was
kept (for kill points, disk and network: `tests/faults/invariants.py`). {verdict}
"""


@dataclass
class Row:
    """A fault with all its trials."""

    promise: str
    outcomes: Counter[str] = field(default_factory=Counter)
    untried: set[str] = field(default_factory=set)

    @property
    def tried(self) -> int:
        """How many times."""
        return self.outcomes.total()

    @property
    def broken(self) -> bool:
        """Whether a promise was not kept."""
        return any(outcome.startswith(BROKEN) for outcome in self.outcomes)


class Results:
    """All that one run of the suite has recorded.

    Args:
        record: The recorder's file.
    """

    def __init__(self, record: Path) -> None:
        self._rows: dict[tuple[Group, str], Row] = {}
        self._stages: Counter[tuple[Group, str]] = Counter()
        for line in record.read_text().splitlines():
            self._add(json.loads(line))

    @property
    def broken(self) -> bool:
        """Whether any promise was not kept."""
        return any(row.broken for row in self._rows.values())

    @property
    def tried(self) -> int:
        """Trials of all faults."""
        return sum(row.tried for row in self._rows.values())

    def tables(self) -> str:
        """A table for each group, the stages that were hit, and what was not tried."""
        parts = []
        for group in Group:
            rows = [self._line(what, row) for (of, what), row in self._of(group) if row.tried]
            if rows:
                head = "| fault | tried | promised | what happened |\n|---|---:|---|---|"
                parts.append("\n".join([f"## {group}\n", head, *rows]))
            if hits := self._hits(group):
                parts.append(hits)
        parts.append(self._not_tried())
        return "\n\n".join(parts) + "\n"

    def _add(self, line: dict[str, object]) -> None:
        key = (Group(str(line["group"])), str(line["what"]))
        row = self._rows.setdefault(key, Row(str(line["promise"])))
        outcomes = line.get("outcomes", {})
        assert isinstance(outcomes, dict)
        row.outcomes.update(outcomes)
        if "untried" in line:
            row.untried.add(str(line["untried"]))
        if line.get("stage"):
            self._stages[(key[0], str(line["stage"]))] += 1

    def _of(self, group: Group) -> list[tuple[tuple[Group, str], Row]]:
        return sorted(item for item in self._rows.items() if item[0][0] is group)

    def _line(self, what: str, row: Row) -> str:
        common = row.outcomes.most_common()
        happened = "; ".join(f"{times:,} × {outcome}" for outcome, times in common)
        return f"| {_cell(what)} | {row.tried:,} | {_cell(row.promise)} | {_cell(happened)} |"

    def _hits(self, group: Group) -> str:
        """How often each stage was hit: chance alone would leave short ones out."""
        hits = sorted((stage, times) for (of, stage), times in self._stages.items() if of is group)
        if not hits:
            return ""
        rows = [f"| {_cell(stage)} | {times:,} |" for stage, times in hits]
        head = "Where it was hit (the stage, the request, or the last system call):"
        return "\n".join([f"{head}\n", "| where | times |\n|---|---:|", *rows])

    def _not_tried(self) -> str:
        lines = [
            f"- {group}: {what}: {reason}."
            for group, what, reason in [
                *NOT_TRIED,
                *((of, what, reason) for (of, what), row in self._rows.items()
                  for reason in sorted(row.untried)),
            ]
        ]  # fmt: skip
        return "\n".join(["## Not tried here\n", *lines])


def page(
    results: Results,
    seed: int,
    seconds: float,
    postgres_versions: list[str],
    *,
    stopped: bool = False,
) -> str:
    """The whole page.

    Args:
        results: What was recorded.
        seed: Where all chance came from.
        seconds: How long the run took.
        postgres_versions: Versions of the servers that took part.
        stopped: Whether it was stopped before its end.
    """
    verdict = (
        "**Not every promise was kept: see the rows with BROKEN.**"
        if results.broken
        else f"All {results.tried:,} trials kept it."
    )
    if stopped:
        verdict = f"**It was stopped before its end.** {verdict}"
    head = _HEAD.format(
        seed=seed,
        date=datetime.now(UTC).date(),
        machine=machine(postgres_versions),
        minutes=round(seconds / 60),
        verdict=verdict,
    )
    return f"{head}\n{results.tables()}"


def machine(postgres_versions: list[str]) -> str:
    """What the run was made on; no names of hosts."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = ".".join(platform.release().split(".")[:2]).split("-")[0]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Linux {kernel}, "
        f"Python {platform.python_version()}, PostgreSQL {' and '.join(postgres_versions)}"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
