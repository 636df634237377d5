"""What dialogs are made of: rows that say what will happen, and questions below them."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalGroup, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from pgconsole.backups.confirmation import WORD
from pgconsole.widgets.line import Line
from pgconsole.widgets.words import clean, clipped

_MOST = 24  # cells of a word that is asked for: the answer needs room beside it
Rows = Iterable[tuple[str, str]]


class DialogRows(VerticalScroll, can_focus=False):
    """A label and a plain sentence each; they scroll where there is hardly room."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(id="dialog-rows")
        rows = list(rows)
        self._labels = [label for label, _ in rows]
        self._texts = [Line(classes="dialog-text") for _ in rows]
        self.show(rows)

    def compose(self) -> ComposeResult:
        """The rows."""
        for label, text in zip(self._labels, self._texts, strict=True):
            with Horizontal(classes="dialog-row"):
                row_label = Line(classes="dialog-label")
                row_label.show(label)
                yield row_label
                yield text

    def show(self, rows: Rows) -> None:
        """Say something else; the labels are those of the beginning."""
        for (_, text), line in zip(rows, self._texts, strict=True):
            line.show(clean(text))


class Field(Horizontal):
    """A question and its answer, on one line."""

    def __init__(self, question: str, name: str, *, value: str = "", placeholder: str = "") -> None:
        super().__init__(classes="dialog-field")
        self._question = Line(classes="dialog-question")
        self.ask(question)
        self.answer = Input(
            value, id=name, compact=True, placeholder=placeholder, select_on_focus=False
        )
        self.answer.cursor_blink = False  # a cell painted twice a second is traffic over SSH

    def compose(self) -> ComposeResult:
        """The two."""
        yield self._question
        yield self.answer

    def ask(self, question: str) -> None:
        """Ask something else."""
        self._question.show(f"{clean(question)}: ")


class TypedYes(VerticalGroup):
    """Asks for one word, and says `Confirmed` to nothing else.

    Args:
        verb: What the word does, as in `Type yes to <verb>`.
        word: What has to be typed.
    """

    class Confirmed(Message):
        """Exactly the word was typed."""

        def __init__(self, typed: str) -> None:
            super().__init__()
            self.typed = typed

    def __init__(self, verb: str, word: str = WORD) -> None:
        super().__init__(id="typed-yes")
        self._word = word
        self._field = Field(_question(verb, word), "answer")
        self._hint = Line(id="hint")
        self._explain()

    @property
    def answer(self) -> Input:
        """Where it is typed."""
        return self._field.answer

    def compose(self) -> ComposeResult:
        """The question, and what Enter does."""
        yield self._field
        yield self._hint

    def ask(self, verb: str, word: str = WORD) -> None:
        """Ask for another thing; what was typed so far was typed to something else."""
        if word != self._word:
            self._word = word
            self._explain()
        self._field.ask(_question(verb, word))
        self._field.answer.value = ""

    @on(Input.Submitted, "#answer")
    def _answered(self, event: Input.Submitted) -> None:
        """Check the answer to the letter."""
        event.stop()
        if event.value == self._word:
            self.post_message(self.Confirmed(event.value))
            return
        word = clipped(self._word, _MOST)
        said = f"“{clean(event.value)[:20]}” is not {word}" if event.value else "Nothing typed"
        self.refuse(f"{said}: nothing happens. Type exactly {word}, or press Esc")

    def refuse(self, why: str) -> None:
        """Say why nothing happens."""
        self._hint.add_class("-wrong")
        self._hint.show(f"! {clean(why)}")

    def _explain(self) -> None:
        self._hint.remove_class("-wrong")
        word = clipped(clean(self._word), _MOST)
        self._hint.show(f"Enter acts only on exactly {word} · Esc closes, nothing happens")


def _question(verb: str, word: str) -> str:
    return f"Type {clipped(clean(word), _MOST)} to {verb}"
