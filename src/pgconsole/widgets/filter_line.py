"""The line in which a filter is typed, or what else is asked for below a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from pgconsole.widgets.grid import Grid
from pgconsole.widgets.line import Line
from pgconsole.widgets.words import clean


class _Text(Input):
    """Where it is typed. Enter leaves at once: the next key is meant for the list."""

    def __init__(self, leave: Callable[[], None], placeholder: str) -> None:
        super().__init__(
            classes="filter-text", compact=True, placeholder=placeholder, select_on_focus=False
        )
        self.cursor_blink = False  # a cell painted twice a second is traffic over SSH
        self._leave = leave

    async def action_submit(self) -> None:
        """Enter."""
        self._leave()


class FilterLine(Horizontal):
    """Says `Changed` with every letter, `Left` on Enter and Esc; Esc clears it first.

    Args:
        back: Who has the keys then, and at once: what is typed right behind Enter is meant for it.
        sign: Stands before what is typed.
        placeholder: What may be typed.
        id: Its id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", show=False, priority=True),
        Binding("down,up", "leave", "Back to the list", show=False, priority=True),
    ]

    class Changed(Message):
        """Another filter is wanted."""

        def __init__(self, line: FilterLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

    class Left(Message):
        """All was typed, or nothing is wanted."""

        def __init__(self, line: FilterLine) -> None:
            super().__init__()
            self.line = line

    def __init__(
        self,
        back: Callable[[], Widget],
        sign: str = "/",
        placeholder: str = "expression, ! inverts",
        *,
        id: str = "filter",
    ) -> None:
        super().__init__(id=id)
        self.display = False
        self._back = back
        self._sign = Line(classes="filter-sign")
        self._sign.show(sign)
        self._input = _Text(self.action_leave, placeholder)
        self._hint = Line(classes="filter-hint")

    def compose(self) -> ComposeResult:
        """The sign, the expression, and what is wrong with it."""
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
        self._input.action_select_all()
        self.screen.set_focus(self._input)  # `focus` does it some keys later

    def correct(self, why: str) -> None:
        """Take the keys again: what was typed can't be used."""
        self.display = True
        self.screen.set_focus(self._input)
        self.say(why)

    def ask(self, sign: str, placeholder: str, text: str) -> None:
        """Take the keys for something else."""
        self._sign.show(sign)
        self._input.placeholder = placeholder
        self.show(text)
        self.open()

    def show(self, text: str) -> None:
        """Show another filter, without taking the keys."""
        with self._input.prevent(Input.Changed):
            self._input.value = text
        self._hint.show("")
        self.display = bool(text)

    def narrow(self, grid: Grid, text: str) -> bool:
        """Filter a table by what was typed, and say how many rows are left.

        Returns:
            Whether it could be: what is no expression is said, and all stays as it was.
        """
        try:
            grid.filter(text)
        except re.error as error:
            self.say(f"! {error}")
            return False
        self.count(grid)
        return True

    def count(self, grid: Grid) -> None:
        """Say how many rows of a table are shown."""
        shown, of = grid.count
        self.say(f"{shown:,} of {of:,}")

    def say(self, text: str) -> None:
        """How many are shown, or what is wrong."""
        self._hint.show(clean(text))

    def action_clear(self) -> None:
        """No filter any more."""
        self._input.value = ""
        self.action_leave()

    def action_leave(self) -> None:
        """Leave it as it is."""
        if self.screen.focused is self._input:
            self.screen.set_focus(self._back())
        self.display = bool(self.text)
        self.post_message(self.Left(self))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))
