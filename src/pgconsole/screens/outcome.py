"""How a job ended, with all that it checked: what was expected, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup, VerticalScroll
from textual.screen import ModalScreen

from pgconsole.jobs import Job
from pgconsole.jobs.texts import JSON
from pgconsole.widgets.checks import checks_of, checks_text
from pgconsole.widgets.job_notice import outcome
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.strips import GLYPHS, STYLES
from pgconsole.widgets.words import clean

_HIDDEN = ("checks",)  # they have a table of their own


class OutcomeScreen(ModalScreen[None]):
    """Shows an ended job.

    Args:
        job: The job.
        now: The time.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,o", "dismiss", "Close"),
        Binding("q,ctrl+q", "app.quit", "Quit"),
        Binding("j,down", "scroll('down')", "Down"),
        Binding("k,up", "scroll('up')", "Up"),
        Binding("g,home", "scroll('home')", "Top"),
        Binding("G,end", "scroll('end')", "End"),
        Binding("pagedown,space", "scroll('page_down')", "Page down"),
        Binding("pageup", "scroll('page_up')", "Page up"),
    ]

    def __init__(self, job: Job, now: datetime) -> None:
        super().__init__()
        self._job = job
        self._now = now

    def compose(self) -> ComposeResult:
        """Headline, result, checks."""
        with VerticalGroup(classes="reading") as box:
            box.border_title = f"{clean(self._job.id)}"
            box.border_subtitle = "Esc closes · j k scroll · q quits"
            with VerticalScroll(classes="reading-text", can_focus=False):
                text = Line()
                text.show(*outcome_text(self._job, self._now))
                yield text

    def action_scroll(self, where: str) -> None:
        """Scroll the text."""
        text = self.query_one(".reading-text", VerticalScroll)
        getattr(text, f"scroll_{where}")(animate=False)


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
        parts += [(f"\n{clean(name).replace('_', ' '):<18} ", "$muted"), _value(value)]
    parts.append((f"\n\nAll of it: {clean(str(job.directory))}", "$muted"))
    return parts


def _value(value: JSON) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{clean(str(key))} {_value(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_value(item) for item in value)
    return "–" if value is None or value == "" else clean(str(value))
