"""The schedule in words: what is due, whether anybody will do it, and what became of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pgconsole.schedule.state import Heartbeat, Pause, Slot, SlotOutcome
from pgconsole.settings import Settings
from pgconsole.status.scheduler import is_alive
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import (
    ago,
    clean,
    short_span,
    span,
    stamp,
    until,
    wrapped,
    zone_name,
)

_INDENT = " " * 11
_WHY_AT = 44  # the column where the reason of a past slot begins
_OUTCOMES = {
    SlotOutcome.STARTED: ("●", "running", "$text-primary"),
    SlotOutcome.DONE: ("✓", "done", "$text-success"),
    SlotOutcome.FAILED: ("✗", "failed", "$text-error"),
    SlotOutcome.SKIPPED: ("–", "skipped", "$text-warning"),
    SlotOutcome.MISSED: ("!", "missed", "$text-warning"),
}


@dataclass(frozen=True, slots=True)
class Timetable:
    """When backups are due, and what the scheduler left behind.

    Attributes:
        expression: Five cron fields: the living scheduler's, else this console's own.
        zone: The time zone they are meant in.
        words: The expression in English.
        runs: The next slots, in that zone.
        heartbeat: The scheduler's last sign of life; None: there was never one.
        pause: The pause that is in force.
        slots: The past, the newest first.
    """

    expression: str
    zone: ZoneInfo
    words: str
    runs: tuple[datetime, ...]
    heartbeat: Heartbeat | None = None
    pause: Pause | None = None
    slots: tuple[Slot, ...] = ()

    def next_run(self, now: datetime) -> datetime | None:
        """The next slot."""
        return next((run for run in self.runs if run > now), None)


def due_text(table: Timetable, now: datetime) -> tuple[str, bool]:
    """What to expect next in a few words, and whether it is cause for worry."""
    beat = table.heartbeat
    if table.pause is not None:
        return "schedule paused", True
    if beat is not None and not is_alive(beat, now):
        word = "stopped" if beat.stopped else "silent"
        return f"scheduler {word} {short_span(now - beat.at)}", True
    run = table.next_run(now)
    return (f"next due {until(run, now)}", False) if run is not None else ("", False)


def schedule_text(
    table: Timetable, settings: Settings, now: datetime, width: int = 78
) -> list[Part]:
    """All of the pane's text.

    Args:
        table: What is known.
        settings: This console's own schedule.
        now: The time.
        width: Cells of a line; what is longer goes on under its beginning.
    """
    return [
        *_expression(table, settings, width),
        *_scheduler(table, now),
        *_paused(table, now, width),
        "\n",
        *_runs(table, now),
        *_past(table, width),
    ]


def _folded(text: str, indent: int, width: int) -> str:
    return ("\n" + " " * indent).join(wrapped(clean(text), max(20, width - indent)))


def _expression(table: Timetable, settings: Settings, width: int) -> list[Part]:
    parts: list[Part] = [
        ("Schedule   ", "$muted"),
        (clean(table.expression), "bold"),
        f"   {clean(table.words)}",
    ]
    own = (settings.backup_schedule, str(settings.backup_timezone))
    if own != (table.expression, str(table.zone)):
        text = f"! The scheduler follows {table.expression} in {table.zone}; "
        text += f"this console is set to {own[0]} in {own[1]}"
        parts.append((f"\n{_INDENT}{_folded(text, len(_INDENT), width)}", "$text-warning"))
    return parts


def _scheduler(table: Timetable, now: datetime) -> list[Part]:
    beat = table.heartbeat
    label: Part = ("\nScheduler  ", "$muted")
    if beat is None:
        rest = "   with cron, the backups' age is the evidence"
        return [label, ("? never seen", "$text-warning"), (rest, "$muted")]
    where = f"   on {clean(beat.host)}, process {beat.pid}"
    if beat.stopped:
        return [label, (f"! stopped {ago(beat.at, now)}", "$text-warning"), (where, "$muted")]
    if not is_alive(beat, now):
        unseen = f"✗ not seen for {span(now - beat.at)}"
        if beat.at > now:
            unseen = f"✗ last seen {span(beat.at - now)} in the future"
        return [label, (unseen, "$text-error bold"), (where, "$muted")]
    running = f"{where}, running for {span(now - beat.started_at)}"
    return [label, ("✓ alive", "$text-success"), (running, "$muted")]


def _paused(table: Timetable, now: datetime, width: int) -> list[Part]:
    pause = table.pause
    if pause is None:
        return []
    end = "until somebody resumes it (P)"
    if pause.until is not None:
        when = stamp(pause.until, table.zone)
        end = f"until {when} {zone_name(table.zone, pause.until)}, {until(pause.until, now)}"
    said = f"“{clean(pause.reason)}”, by {clean(pause.by)} {ago(pause.since, now)}, {end}"
    folded = _folded(f"! paused: {said}", len(_INDENT), width)
    return [("\nPaused     ", "$muted"), (folded, "$text-warning")]


def _runs(table: Timetable, now: datetime) -> list[Part]:
    """One line a run; local time only where it reads differently."""
    parts: list[Part] = []
    runs = [run for run in table.runs if run > now]
    for number, run in enumerate(runs):
        local = run.astimezone()
        parts.append(("\nNext runs  " if number == 0 else f"\n{_INDENT}", "$muted"))
        when = f"{run:%a %Y-%m-%d %H:%M} {clean(run.tzname() or '')}"
        parts.append((when, "bold" if number == 0 else ""))
        if local.utcoffset() != run.utcoffset():
            parts.append((f"  = {local:%a %H:%M} {clean(local.tzname() or '')} here", ""))
        parts.append((f"  {until(run, now)}", "$text-primary" if number == 0 else "$muted"))
        if table.pause is not None and (table.pause.until is None or run < table.pause.until):
            parts.append(("  skipped", "$text-warning"))
    return parts


def _past(table: Timetable, width: int) -> list[Part]:
    if not table.slots:
        return [("\n\nPast runs  ", "$muted"), ("none recorded", "$muted")]
    parts: list[Part] = ["\n"]
    for number, slot in enumerate(table.slots):
        glyph, word, style = _OUTCOMES[slot.outcome]
        due = slot.due.astimezone(table.zone)
        parts += [
            ("\nPast runs  " if number == 0 else f"\n{_INDENT}", "$muted"),
            f"{due:%a %Y-%m-%d %H:%M}  ",
            (f"{glyph} {word:<7}", style),
            (f"  {_folded(slot.why, _WHY_AT, width)}" if slot.why else "", "$muted"),
        ]
    return parts
