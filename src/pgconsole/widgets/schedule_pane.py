"""The schedule pane: the expression, in words, and the next runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual.containers import VerticalScroll

from pgconsole.settings import Settings
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.words import clean, until

_WHO = (
    "The backup container, or cron on its host, runs the schedule. This console does not see "
    "whether it is alive: the age of the last backup above is the evidence."
)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When backups are due.

    Attributes:
        words: The expression in English.
        runs: The next slots, in the schedule's time zone.
    """

    words: str
    runs: tuple[datetime, ...]


class ScheduleBody(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Scrolls if the window is low."""

    def move(self, where: str) -> None:
        """Scroll: up, down, page_up, page_down, top or bottom."""
        scroll = {
            "up": self.scroll_up,
            "down": self.scroll_down,
            "page_up": self.scroll_page_up,
            "page_down": self.scroll_page_down,
            "top": self.scroll_home,
            "bottom": self.scroll_end,
        }[where]
        scroll(animate=False)


class SchedulePane(Pane):
    """When the next backups are due, in the schedule's time and in local time."""

    def __init__(self, settings: Settings, number: int) -> None:
        self._text = Line(classes="schedule-text")
        super().__init__("schedule", number, ("Schedule", "Schedule"), ScheduleBody(self._text))
        self._settings = settings
        self._known: Known[Timetable] = Known()

    @property
    def next_run(self) -> datetime | None:
        """When the next run is due, if that is known."""
        table = self._known.value
        return table.runs[0] if table is not None and table.runs else None

    def show_known(self, known: Known[Timetable], now: datetime) -> None:
        """Draw what is known."""
        self._known = known
        self.tick(now)

    def tick(self, now: datetime) -> None:
        """Count down."""
        known = self._known
        if known.value is None:
            problem = known.problem
            text = f"✗ {clean(str(problem))}" if problem else "Reading the schedule …"
            self.say((text, "$text-error" if problem else "$muted"), instead=True)
            return
        self.say()
        runs = [run for run in known.value.runs if run > now] or list(known.value.runs[-1:])
        self.set_count(until(runs[0], now) if runs else "")
        zone = self._settings.backup_timezone
        self.tell_age(f"times in {zone}" + (", BACKUP_TIMEZONE" if str(zone) != "UTC" else ""))
        self._text.show(
            ("Schedule   ", "$muted"),
            (self._settings.backup_schedule, "bold"),
            ("   BACKUP_SCHEDULE", "$muted"),
            ("\nIn words   ", "$muted"),
            clean(known.value.words),
            "\n",
            *_runs(runs, now),
            (f"\n\n{_WHO}", "$muted"),
        )


def _runs(runs: list[datetime], now: datetime) -> list[Part]:
    """One line a run; local time only where it reads differently."""
    parts: list[Part] = []
    for number, run in enumerate(runs):
        local = run.astimezone()
        parts.append(("\nNext runs  " if number == 0 else "\n           ", "$muted"))
        when = f"{run:%a %Y-%m-%d %H:%M} {clean(run.tzname() or '')}"
        parts.append((when, "bold" if number == 0 else ""))
        if local.utcoffset() != run.utcoffset():
            parts.append((f"  = {local:%a %H:%M} {clean(local.tzname() or '')} here", ""))
        parts.append((f"  {until(run, now)}", "$text-primary" if number == 0 else "$muted"))
    return parts
