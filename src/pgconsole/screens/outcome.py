"""How a job ended, with all that it checked: what was expected, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType

from pgconsole.jobs import Job
from pgconsole.jobs.texts import JSON
from pgconsole.screens.reading import ReadingScreen
from pgconsole.widgets.checks import checks_of, checks_text
from pgconsole.widgets.health import GLYPHS, STYLES
from pgconsole.widgets.job_notice import outcome
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import clean

_HIDDEN = ("checks", "evidence")  # a table of their own shows the first, the panes the others


class OutcomeScreen(ReadingScreen):
    """Shows an ended job.

    Args:
        job: The job.
        now: The time.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "dismiss", "Close", id="outcome")]

    def __init__(self, job: Job, now: datetime) -> None:
        super().__init__(job.id, parts=outcome_text(job, now))


def outcome_text(job: Job, now: datetime) -> list[Part]:
    """All that is known of how a job ended."""
    level, headline, second = outcome(job, now)
    parts: list[Part] = [(f"{GLYPHS[level]} {headline}", f"{STYLES[level]} bold")]
    if second:
        parts.append(f"\n{second}")
    for problem in job.problems:
        parts.append(f"\n✗ {clean(str(problem))}")
    result = job.result or {}
    checks = checks_of(result)
    if checks:
        parts += ["\n\n", *checks_text(checks)]
    told = [(name, value) for name, value in result.items() if name not in _HIDDEN]
    if told:
        parts.append("\n")
    for name, value in told:
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            label = clean(name).replace("_", " ") if number == 0 else ""
            parts += [(f"\n{label:<14} ", "$muted"), _value(line)]
    parts.append((f"\n\nAll of it: {clean(str(job.directory))}", "$muted"))
    return parts


def _value(value: JSON) -> str:
    if isinstance(value, Mapping):
        told = ((clean(str(key)), _value(item)) for key, item in value.items())
        return ", ".join(f"{key} {text}" for key, text in told if text != "–")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_value(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "–" if value is None or value == "" else clean(str(value))
