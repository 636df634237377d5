"""The four panes: a title, a body, a line about the data's age, and words for every state."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.words import clean, span

T = TypeVar("T")

_SLOW = timedelta(seconds=3)  # an answer that takes longer is worth a word


class Pane(Vertical):
    """A part of the main screen.

    Args:
        name: Its id, and its name in actions.
        number: The key that goes there; None: there is none.
        titles: Its heading, and a shorter one for the tab.
        body: What takes the keys.
    """

    class Retitled(Message):
        """Its title and its tab say something else."""

    def __init__(
        self, name: str, number: int | None, titles: tuple[str, str], body: Widget
    ) -> None:
        super().__init__(id=name, classes="pane")
        self.number = number
        self._title, self._short_title = titles
        self.body = body
        self.notice = Line(classes="pane-notice")
        self.detail = Line(classes="pane-detail")
        self.info = Line(classes="pane-info")
        self._count = ""
        self._set_title()

    def compose(self) -> ComposeResult:
        """The words for a state, the body, its selected row, and the line about its age."""
        yield self.notice
        yield self.body
        yield self.detail
        yield self.info

    @property
    def tab_text(self) -> str:
        """The title as a tab: with its key, and how many there are."""
        return f"{self.number} {self._short_title}{self._count}"

    def tick(self, now: datetime) -> None:
        """Let ages grow."""

    def set_count(self, count: str) -> None:
        """Say in the title how much there is, or in what state it is."""
        text = f" · {count}" if count else ""
        if text != self._count:
            self._count = text
            self._set_title()
            self.post_message(self.Retitled())

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
        number = "" if self.number is None else f"{self.number} "
        self.border_title = f"{number}{self._title}{self._count}"


def age_text(known: Known[T], now: datetime) -> str:
    """How old the data is, when the last attempt failed, and whether one takes long."""
    parts = []
    if known.read_at is not None:
        parts.append(f"read {_roughly(known.read_at, now)}")
    if known.failed_at is not None:
        parts.append(f"failed {_roughly(known.failed_at, now)}")
    if known.so_far is None and known.waiting(now) > _SLOW:
        parts.append(f"no answer for {span(known.waiting(now))}")
    return " · ".join(parts)


def _roughly(moment: datetime, now: datetime) -> str:
    """Seconds that tick all the time would be unrest, and traffic on a slow link."""
    age = now - moment
    if age < timedelta(seconds=10):
        return "just now"
    if age < timedelta(minutes=1):
        age = timedelta(seconds=age.seconds // 10 * 10)
    return f"{span(age)} ago"
