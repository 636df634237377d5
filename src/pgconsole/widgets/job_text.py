"""What an opened job shows: how it stands, its phases, what it came to, what it ran. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.texts import JSON
from pgconsole.report import Level as Loudness
from pgconsole.widgets.cells import fitted
from pgconsole.widgets.checks import checks_of, checks_text
from pgconsole.widgets.copy_text import duration
from pgconsole.widgets.health import GLYPHS, STYLES
from pgconsole.widgets.job_course import Course, Phase
from pgconsole.widgets.job_notice import figures, outcome, title
from pgconsole.widgets.job_words import command, reason, status, subject, took
from pgconsole.widgets.line import Part
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import clean, size, zone_name

_HIDDEN = ("checks", "evidence")  # a table of their own shows the first, the panes the others
_PHASES = (("PHASE", 14), ("BEGAN", 9), ("TOOK", 11), ("BYTES", 12), ("RATE", 14))  # cells
_ROOM = 2 + sum(width for _, width in _PHASES)
_ENDS = {
    JobStatus.FAILED: ("✗", "$text-error"),
    JobStatus.INTERRUPTED: ("✗", "$text-error"),
    JobStatus.CANCELLED: ("!", "$text-warning"),
}
_SIGNS = {
    Loudness.INFO: ("✓", "$text-success"),
    Loudness.WARNING: ("!", "$text-warning"),
    Loudness.ERROR: ("✗", "$text-error"),
}


def ended_text(job: Job, now: datetime) -> list[Part]:
    """How an ended job ended, why, and what to do next."""
    level, headline, second = outcome(job, now)
    if job.status is JobStatus.DONE:
        second = ""  # how long it took, and who wanted it, is told below
    if job.problems:  # each of them is told by itself
        headline = headline.partition(": ")[0] + f": {len(job.problems)} problems"
        second = "Each has its cause and what to do: see its result"
    parts: list[Part] = [(f"{GLYPHS[level]} {headline}", f"{STYLES[level]} bold")]
    if second:
        parts.append(f"\n{second}")
    return parts


def detail_text(job: Job, progress: Progress, zone: ZoneInfo, now: datetime) -> list[Part]:
    """A job in a few lines."""
    if job.status.ended:
        parts = ended_text(job, now)
    else:
        sign, word, level = status(job, progress, now)
        style = STYLES[level] if level is not None else "$text-primary"
        parts = [
            (f"{sign} {title(job)} {word}", f"{style} bold"),
            f"\n{', '.join([reason(job, progress, now), *figures(progress)[:2]])}",
        ]
    return [*parts, "\n", *about_text(job, zone, now)]


def about_text(job: Job, zone: ZoneInfo, now: datetime) -> list[Part]:
    """What it is about, when it began, how long it took, and who wanted it."""
    began = f"{job.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    parts = [subject(job.kind, job.request), f"began {began} {zone_name(zone, job.created_at)}"]
    if job.status.ended and (length := took(job, now)) is not None:
        parts[-1] += f", took {duration(length.total_seconds())}"
    parts.append(f"by {clean(job.actor)}")
    return [(" · ".join(filter(None, parts)), "$muted")]


def phases_text(job: Job, course: Course, zone: ZoneInfo, now: datetime, width: int) -> list[Part]:
    """A line for each phase: how it went, how long it took, what passed.

    When it began is left out where a line has fewer cells than that needs.
    """
    if not course.phases:
        return []
    parts: list[Part] = [(f"  {_cells(width, *(name for name, _ in _PHASES))}", "$muted")]
    until = now if not job.status.ended else job.finished_at
    for phase in course.phases:
        sign, style = _sign(job, course, phase)
        # Of an interrupted job nobody knows how long its last phase took.
        unknown = until is None and phase.name == course.current
        length = None if unknown else course.spent(phase, until or phase.began_at)
        parts += [
            (f"\n{sign} ", f"{style} bold"),
            (
                _cells(
                    width,
                    clean(phase.name),
                    f"{phase.began_at.astimezone(zone):%H:%M:%S}",
                    "–" if length is None else duration(length.total_seconds()),
                    "" if phase.bytes is None else size(phase.bytes),
                    "" if phase.rate is None else f"{size(phase.rate)}/s",
                ),
                "" if sign == "✓" else style,
            ),
        ]
    return parts


def result_text(job: Job, printed: str) -> list[Part]:
    """Each obstacle, what was checked, what was made, and where all of it lies."""
    if not job.status.ended:
        return [("It has not ended yet. What it makes, checks and meets is shown here.", "$muted")]
    parts: list[Part] = []
    for problem in job.problems:
        parts.append((f"✗ {clean(problem.problem)}\n", "$text-error bold"))
        parts += [f"  Cause: {clean(problem.cause)}\n"] if problem.cause else []
        parts += [f"  Next: {clean(problem.fix)}\n"] if problem.fix else []
        parts.append("\n")
    result = job.result or {}
    if checks := checks_of(result):
        parts += [*checks_text(checks), "\n\n"]
    told = [(name, value) for name, value in result.items() if name not in _HIDDEN]
    for name, value in told:
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            label = clean(name).replace("_", " ") if number == 0 else ""
            shown = f"{_value(line)}"
            if name.endswith("bytes") and isinstance(line, int):
                shown = f"{size(line)} ({shown})"
            parts += [(f"{label:<17} ", "$muted"), f"{shown}\n"]
    if not parts:
        parts.append(("It made nothing.\n", "$muted"))
    if printed:
        parts += [("\nWhat its process printed last:\n", "$muted"), f"{printed}\n"]
    return [*parts, (f"\nAll of it: {clean(str(job.directory))}", "$muted")]


def commands_text(job: Job, course: Course, zone: ZoneInfo) -> list[Part]:
    """The command that does the same, and those that the job ran."""
    parts: list[Part] = []
    if same := command(job.kind, job.request):
        parts += [("The same from a shell:\n", "$muted"), f"{clean(same)}\n\n"]
    if course.commands:
        parts.append(("What it ran, with secrets masked:\n", "$muted"))
    else:
        parts.append(("It has run no other program.\n", "$muted"))
    for time, phase, text in course.commands:
        head = f"{time.astimezone(zone):%H:%M:%S} {clean(phase)}"
        parts += [(f"{head}\n", "$text-primary"), f"{clean(text)}\n\n"]
    return parts


def _sign(job: Job, course: Course, phase: Phase) -> tuple[str, str]:
    if phase.name == course.current:
        if not job.status.ended:
            return "●", "$text-primary"
        if job.status in _ENDS:
            return _ENDS[job.status]
    return _SIGNS[phase.level]


def _cells(width: int, *texts: str) -> str:
    cells = [
        fitted(text, room, right=name != "PHASE")
        for (name, room), text in zip(_PHASES, texts, strict=True)
        if width >= _ROOM or name != "BEGAN"
    ]
    return "".join(cells)


def _value(value: JSON) -> str:
    if isinstance(value, Mapping):
        told = ((clean(str(key)), _value(item)) for key, item in value.items())
        return ", ".join(f"{key} {text}" for key, text in told if text != "–")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_value(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "–" if value is None or value == "" else clean(str(value))
