"""The answer at the top: from what the console knows to the words in two lines. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.jobs import Job
from pgconsole.settings import Settings
from pgconsole.status.facts import Facts, Holdings, Scheduler
from pgconsole.status.verdict import Verdict
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import NO_MARKS
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import stamp, wrapped, zone_name

_LINES = 2


def facts_of(
    settings: Settings,
    local: Known[Shelf],
    s3: Known[Shelf],
    jobs: Known[tuple[Job, ...]],
    schedule: Known[Timetable],
) -> Facts:
    """What the console knows, to be judged as `pgconsole status` judges it."""
    marks = local.value.marks if local.value is not None else NO_MARKS
    database, table = settings.pgdatabase, schedule.value

    def holdings(shelf: Shelf) -> Holdings:
        return shelf.judged or shelf.holdings(database, marks)

    def scheduler(table: Timetable) -> Scheduler:
        return Scheduler(table.heartbeat, table.pause, table.slots)

    return Facts(
        database=database,
        schedule=table.expression if table is not None else settings.backup_schedule,
        timezone=table.zone if table is not None else settings.backup_timezone,
        local=local.map(holdings),
        s3_enabled=settings.s3_enabled,
        s3=s3.map(holdings) if settings.s3_enabled else None,
        jobs=jobs,
        scheduler=schedule.map(scheduler),
        disk=Known(),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """The words of the strip, two lines at most.

    Attributes:
        text: The verdict.
        rest: What fits after it, each with whether it is cause for worry.
        below: Whether the rest has a line of its own.
        is_whole: Whether all of the verdict fitted.
    """

    text: str
    rest: tuple[tuple[str, bool], ...]
    below: bool
    is_whole: bool


def answer(verdict: Verdict, due: tuple[str, bool], settings: Settings, width: int) -> Shown:
    """The answer as long as there is room.

    Args:
        verdict: What was judged.
        due: What to expect next, and whether it is cause for worry.
        settings: They say in which time zone.
        width: Cells of a line.
    """
    lines = wrapped(verdict.text, width)
    if len(lines) > _LINES:
        last = _clipped(" ".join(lines[_LINES - 1 :]), width)
        return Shown("\n".join([*lines[: _LINES - 1], last]), (), below=False, is_whole=False)
    below = len(lines) == 1
    first = "" if below else verdict.text
    rest: list[tuple[str, bool]] = []
    for text, worry in _pieces(verdict, due, settings):
        longer = [*rest, (text, worry)]
        line = " ".join(filter(None, [first, joined(tuple(longer))]))
        if len(wrapped(line, width)) > (1 if below else _LINES):
            continue
        rest = longer
    return Shown(verdict.text, tuple(rest), below, is_whole=True)


def joined(rest: tuple[tuple[str, bool], ...]) -> str:
    """The pieces in one line, as they are shown."""
    return " · ".join(f"! {text}" if worry else text for text, worry in rest)


def _clipped(text: str, width: int) -> str:
    """The text's beginning in at most so many cells."""
    return text if len(wrapped(text, width)) == 1 else f"{wrapped(text, width - 1)[0]}…"


def _pieces(verdict: Verdict, due: tuple[str, bool], settings: Settings) -> list[tuple[str, bool]]:
    """What else could be said, the most important first."""
    zone = settings.backup_timezone
    pieces = [(verdict.loss, False)]
    if due[0]:
        text = due[0].replace("next due", "next run due", 1)
        pieces.append((text[0].upper() + text[1:], due[1]))
    pieces.append((verdict.detail, False))
    since = verdict.lost_since
    if since is not None and verdict.loss:
        pieces.append((f"Kept up to {stamp(since, zone)} {zone_name(zone, since)}", False))
    return [(text.removesuffix("."), worry) for text, worry in pieces if text]
