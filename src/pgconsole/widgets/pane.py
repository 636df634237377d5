"""The four panes: a title, a body, a line about the data's age, and words for every state."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.words import clean, span

_SLOW = timedelta(seconds=3)  # an answer that takes longer is worth a word


class Pane(Vertical):
    """A part of the main screen.

    Args:
        name: Its id, and its name in actions.
        number: The key that goes there.
        title: Its heading.
        body: What takes the keys.
    """

    def __init__(self, name: str, number: int, title: str, body: Widget) -> None:
        super().__init__(id=name, classes="pane")
        self.number = number
        self.title = title
        self.body = body
        self.notice = Line(classes="pane-notice")
        self.info = Line(classes="pane-info")
        self._count = ""
        self._set_title()

    def compose(self) -> ComposeResult:
        """The words for a state, the body, and the line about its age."""
        yield self.notice
        yield self.body
        yield self.info

    @property
    def tab_text(self) -> str:
        """The title as a tab: with its key, and how many there are."""
        return f"{self.number} {self.title}{self._count}"

    def set_count(self, count: str) -> None:
        """Say in the title how much there is, or in what state it is."""
        text = f" {count}" if count else ""
        if text != self._count:
            self._count = text
            self._set_title()

    def say(self, *parts: Part, instead: bool = False) -> None:
        """Words about a state, above the body or instead of it; none of them: all is well."""
        self.notice.show(*parts)
        self.notice.display = bool(parts)
        self.body.set_class(instead, "-hidden")

    def tell_age(self, text: str) -> None:
        """What this is and how old."""
        self.info.show(clean(text))
        if self.border_subtitle != text:
            self.border_subtitle = clean(text).replace("[", "\\[")

    def _set_title(self) -> None:
        self.border_title = self.tab_text


def age_text(read_at: datetime | None, asked_at: datetime | None, now: datetime) -> str:
    """How old the data is, and whether newer is on its way."""
    waiting = now - asked_at if asked_at is not None else timedelta()
    parts = []
    if read_at is not None:
        age = now - read_at
        parts.append("read just now" if age < timedelta(seconds=5) else f"read {span(age)} ago")
    if waiting > _SLOW:
        parts.append(f"no answer for {span(waiting)}")
    return " · ".join(parts)
