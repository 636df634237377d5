"""The typed-yes dialog: says what will happen, and starts nothing but on exactly `yes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalGroup, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input

from pgconsole.widgets.line import Line
from pgconsole.widgets.words import clean

_YES = "yes"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the dialog says.

    Attributes:
        title: The question.
        rows: A label and a plain sentence each.
        verb: What `yes` does, as in `Type yes to <verb>`.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    verb: str


class ConfirmScreen(ModalScreen[bool]):
    """Dismisses with True on exactly `yes`, with False on Esc.

    Args:
        confirmation: What to say.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("ctrl+q", "app.quit", "Quit", priority=True),
    ]
    AUTO_FOCUS = "#answer"

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self._confirmation = confirmation

    def compose(self) -> ComposeResult:
        """What will happen, and the input."""
        with VerticalGroup(id="dialog") as dialog:
            dialog.border_title = clean(self._confirmation.title)
            with VerticalScroll(id="dialog-rows", can_focus=False):
                for label, text in self._confirmation.rows:
                    with Horizontal(classes="dialog-row"):
                        row_label = Line(classes="dialog-label")
                        row_label.show(label)
                        yield row_label
                        row_text = Line(classes="dialog-text")
                        row_text.show(clean(text))
                        yield row_text
            with Horizontal(id="dialog-question"):
                question = Line(id="question")
                question.show("Type ", (_YES, "bold"), f" to {self._confirmation.verb}: ")
                yield question
                answer = Input(id="answer", compact=True)
                answer.cursor_blink = False  # a cell painted twice a second is traffic over SSH
                yield answer
            hint = Line(id="hint")
            hint.show("Enter acts only on exactly yes · Esc closes, nothing happens")
            yield hint

    @on(Input.Submitted, "#answer")
    def answer(self, event: Input.Submitted) -> None:
        """Check the answer to the letter."""
        event.stop()
        if event.value == _YES:
            if self.is_current:
                self.dismiss(True)
            return
        said = f"“{clean(event.value)[:20]}” is not yes" if event.value else "Nothing typed"
        hint = self.query_one("#hint", Line)
        hint.add_class("-wrong")
        hint.show(f"! {said}: nothing happens. Type exactly yes, or press Esc")

    def action_close(self) -> None:
        """Close without doing anything."""
        if self.is_current:
            self.dismiss(False)
