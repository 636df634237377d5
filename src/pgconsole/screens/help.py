"""The help screen, made from the registry of actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from pgconsole.actions import Action, Group
from pgconsole.screens.reading import ReadingScreen
from pgconsole.widgets.line import Line

_KEY = 15  # cells
_WORDS = (
    ("✓ restored", "this copy was restored, with all objects and rows"),
    ("✓ complete", "this copy was read whole, and nothing is missing in it"),
    ("~ intact", "it has the bytes that were written; nobody looked at what is in it"),
    ("· listed", "it is there under that name and size; nothing more is known"),
    ("✗ damaged", "it was read and is not what it should be; the line below says what is wrong"),
    ("✗ altered", "somebody has changed it: it is not what was signed"),
    ("! differs", "the local file and the object in S3 differ in size"),
    ("2 h", "beside one of these words: how old that knowledge is"),
    ("★", "pinned: retention keeps it"),
    ("est.", "an estimate, from the last backup or the server's own figures"),
)


class HelpScreen(ReadingScreen):
    """All keys, and what the words mean.

    Args:
        actions: What can be done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "dismiss", "Close", id="help")
    ]

    def __init__(self, actions: tuple[Action, ...]) -> None:
        super().__init__("Help")
        self._actions = actions

    def content(self) -> Iterable[Widget]:
        """The help."""
        for heading, rows in sections(self._actions):
            line = Line(classes="help-heading")
            line.show(heading)
            yield line
            yield Static(_table(rows))


def sections(actions: tuple[Action, ...]) -> list[tuple[str, list[tuple[str, str]]]]:
    """These actions by group, then the words that the screen uses."""
    found = [
        (
            str(group),
            [(action.key_text, action.help) for action in actions if action.group is group],
        )
        for group in Group
    ]
    return [*(section for section in found if section[1]), ("Words", list(_WORDS))]


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    """Keys and what they do; a widget for each of them would take a tenth of a second."""
    table = Table.grid(padding=0, expand=True)
    table.add_column(width=_KEY, style="bold")
    table.add_column(ratio=1)
    for key, meaning in rows:
        table.add_row(Text(f"  {key}"), Text(meaning))
    return table
