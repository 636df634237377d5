"""The schedule pane."""

from __future__ import annotations

from datetime import datetime

from textual.containers import VerticalScroll

from pgconsole.settings import Settings
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line
from pgconsole.widgets.pane import Pane, age_text
from pgconsole.widgets.schedule_text import Timetable, due_text, schedule_text
from pgconsole.widgets.words import clean, until


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
    """When the next backups are due, who sees to it, and what became of the last ones."""

    def __init__(self, settings: Settings, number: int) -> None:
        self._text = Line(classes="schedule-text")
        super().__init__("schedule", number, ("Schedule", "Schedule"), ScheduleBody(self._text))
        self._settings = settings
        self._known: Known[Timetable] = Known()

    @property
    def known(self) -> Known[Timetable]:
        """What is known of the schedule."""
        return self._known

    def due(self, now: datetime) -> tuple[str, bool]:
        """What to expect next in a few words, and whether it is cause for worry."""
        if self._known.value is None or self._known.problem is not None:
            return "", False
        return due_text(self._known.value, now)

    def show_known(self, known: Known[Timetable], now: datetime) -> None:
        """Draw what is known."""
        self._known = known
        self.tick(now)

    def tick(self, now: datetime) -> None:
        """Count down."""
        known = self._known
        if known.problem is not None:
            text = f"✗ {clean(str(known.problem))}"
            self.say((text, "$text-error"), instead=known.value is None)
            self.set_count("✗")
        elif known.value is None:
            self.say(("Reading the schedule …", "$muted"), instead=True)
        else:
            self.say()
            run = known.value.next_run(now)
            self.set_count(
                "paused" if known.value.pause is not None else until(run, now) if run else ""
            )
        if known.value is None:
            return
        zone = known.value.zone
        name = f"times in {zone}" + (", BACKUP_TIMEZONE" if str(zone) != "UTC" else "")
        stale = f" · {age_text(known, now)}" if known.problem is not None else ""
        self.tell_age(f"{name}{stale}")
        width = self._text.size.width or 78
        self._text.show(*schedule_text(known.value, self._settings, now, width))
