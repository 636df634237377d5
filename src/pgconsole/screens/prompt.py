"""A small dialog that asks for a few words, and acts on Enter in the last of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from pgconsole.errors import PgconsoleError
from pgconsole.screens.dialog import DialogScreen, frame
from pgconsole.widgets.dialog import DialogRows, Field
from pgconsole.widgets.line import Line
from pgconsole.widgets.words import clean


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the dialog says and asks.

    Attributes:
        title: Its title.
        rows: A label and a plain sentence each.
        fields: A question, and an example of an answer to it, each.
        verb: What Enter does, as in `Enter <verb>`.
        check: Takes the answers, and raises if they can't be acted on.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]
    verb: str
    check: Callable[[list[str]], object]


class PromptScreen(DialogScreen[list[str]]):
    """Dismisses with the answers, once they are right.

    Args:
        prompt: What to ask.
    """

    AUTO_FOCUS = "#field-0"

    def __init__(self, prompt: Prompt) -> None:
        super().__init__()
        self._prompt = prompt
        self._fields = [
            Field(question, f"field-{number}", placeholder=example)
            for number, (question, example) in enumerate(prompt.fields)
        ]
        self._hint = Line(id="hint")
        self._hint.show(f"Enter {prompt.verb} · Esc closes, nothing happens")

    def compose(self) -> ComposeResult:
        """What it is about, and the inputs."""
        with frame(self._prompt.title):
            yield DialogRows(self._prompt.rows)
            yield from self._fields
            yield self._hint

    @on(Input.Submitted)
    def answered(self, event: Input.Submitted) -> None:
        """Act on the answers."""
        event.stop()
        answers = [field.answer for field in self._fields]
        texts = [answer.value.strip() for answer in answers]
        try:
            self._prompt.check(texts)
        except PgconsoleError as error:
            self._hint.add_class("-wrong")
            self._hint.show(f"! {clean(error.problem)}. {clean(error.fix)}")
            if not texts[0]:
                self.set_focus(answers[0])
            return
        self.close(texts)
