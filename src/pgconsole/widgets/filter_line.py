"""The line in which a filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from pgconsole.widgets.line import Line
from pgconsole.widgets.words import clean


class FilterLine(Horizontal):
    """Says `Changed` with every letter, `Left` on Enter and Esc; Esc clears it first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", show=False, priority=True),
        Binding("down,up", "leave", "Back to the list", show=False, priority=True),
    ]

    class Changed(Message):
        """Another filter is wanted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The list is to have the keys again."""

    def __init__(self) -> None:
        super().__init__(id="filter")
        self.display = False
        self._sign = Line(id="filter-sign")
        self._input = Input(id="filter-text", compact=True, placeholder="expression, ! inverts")
        self._input.cursor_blink = False
        self._hint = Line(id="filter-hint")

    def compose(self) -> ComposeResult:
        """The sign, the expression, and what is wrong with it."""
        self._sign.show("/")
        yield self._sign
        yield self._input
        yield self._hint

    @property
    def text(self) -> str:
        """The filter."""
        return self._input.value

    def open(self) -> None:
        """Take the keys."""
        self.display = True
        self._input.focus()

    def show(self, text: str) -> None:
        """Show another filter, without taking the keys."""
        with self._input.prevent(Input.Changed):
            self._input.value = text
        self._hint.show("")
        self.display = bool(text)

    def say(self, text: str) -> None:
        """How many are shown, or what is wrong."""
        self._hint.show(clean(text))

    def action_clear(self) -> None:
        """No filter any more."""
        self._input.value = ""
        self.display = False
        self.post_message(self.Left())

    def action_leave(self) -> None:
        """Leave it as it is."""
        self.display = bool(self._input.value)
        self.post_message(self.Left())

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()
