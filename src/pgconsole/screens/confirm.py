"""The typed-yes dialog: says what will happen, and starts nothing but on exactly `yes`."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult

from pgconsole.screens.dialog import DialogScreen, frame
from pgconsole.widgets.dialog import DialogRows, TypedYes


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


class ConfirmScreen(DialogScreen[bool]):
    """Dismisses with True on exactly `yes`.

    Args:
        confirmation: What to say.
    """

    AUTO_FOCUS = "#answer"

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self._confirmation = confirmation

    def compose(self) -> ComposeResult:
        """What will happen, and the input."""
        with frame(self._confirmation.title):
            yield DialogRows(self._confirmation.rows)
            yield TypedYes(self._confirmation.verb)

    @on(TypedYes.Confirmed)
    def confirmed(self) -> None:
        """Leave with a yes."""
        self.close(True)
