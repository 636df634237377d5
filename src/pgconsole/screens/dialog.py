"""The frame of every dialog: its title, and the keys that leave it."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup
from textual.screen import ModalScreen
from textual.widgets import Input

from pgconsole.widgets.dialog import DialogRows
from pgconsole.widgets.words import clean

T = TypeVar("T")


class DialogScreen(ModalScreen[T | None]):
    """Dismisses with None on Esc: nothing happens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("ctrl+q", "app.quit", "Quit", priority=True),
        Binding("pagedown", "scroll('down')", "Page down", show=False),
        Binding("pageup", "scroll('up')", "Page up", show=False),
        # Before the input sees it: what is typed right behind Enter belongs to the next field.
        Binding("enter", "next_field", "Next", show=False, priority=True),
    ]

    def close(self, answer: T | None) -> None:
        """Leave with an answer, once."""
        if self.is_current:
            self.dismiss(answer)

    def action_close(self) -> None:
        """Leave without doing anything."""
        self.close(None)

    def action_next_field(self) -> None:
        """Go on to the next input; in the last one Enter is the input's own."""
        inputs = list(self.query(Input))
        if self.focused not in inputs[:-1]:
            raise SkipAction
        self.set_focus(inputs[inputs.index(self.focused) + 1])

    def action_scroll(self, where: str) -> None:
        """Scroll what the dialog says."""
        getattr(self.query_one(DialogRows), f"scroll_page_{where}")(animate=False)


def frame(title: str) -> VerticalGroup:
    """The box of a dialog."""
    box = VerticalGroup(id="dialog")
    # A border's title is markup, and a database may be called [x].
    box.border_title = clean(title).replace("[", "\\[")
    return box
