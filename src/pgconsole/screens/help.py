"""The help screen, made from the registry of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup, VerticalScroll
from textual.screen import ModalScreen

from pgconsole.actions import ACTIONS, Group
from pgconsole.widgets.line import Line

_WORDS = (
    ("✓ restored", "this copy was restored, with all objects and rows"),
    ("✓ complete", "this copy was read whole, and nothing is missing in it"),
    ("~ intact", "it has the bytes that were written; nobody looked at what is in it"),
    ("· listed", "it is there under that name and size; nothing more is known"),
    ("✗ damaged", "it was read and is not what it should be; the line below says what is wrong"),
    ("! differs", "the local file and the object in S3 differ in size"),
    ("2 h", "beside one of these words: how old that knowledge is"),
    ("★", "pinned: retention keeps it"),
    ("est.", "an estimate, from the last backup or the server's own figures"),
)


class HelpScreen(ModalScreen[None]):
    """All keys, and what the words mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark", "dismiss", "Close"),
        Binding("q,ctrl+q", "app.quit", "Quit"),
        Binding("j,down", "scroll('down')", "Down"),
        Binding("k,up", "scroll('up')", "Up"),
        Binding("g,home", "scroll('home')", "Top"),
        Binding("G,end", "scroll('end')", "End"),
        Binding("pagedown,space", "scroll('page_down')", "Page down"),
        Binding("pageup", "scroll('page_up')", "Page up"),
    ]

    def compose(self) -> ComposeResult:
        """The help."""
        with VerticalGroup(id="help", classes="reading") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes · j k scroll · q quits"
            with VerticalScroll(id="help-text", classes="reading-text", can_focus=False):
                for heading, rows in sections():
                    yield _line("help-heading", heading)
                    for key, meaning in rows:
                        with HorizontalGroup():
                            yield _line("help-key", key)
                            yield _line("help-meaning", meaning)

    def action_scroll(self, where: str) -> None:
        """Scroll the text."""
        text = self.query_one("#help-text", VerticalScroll)
        getattr(text, f"scroll_{where}")(animate=False)


def sections() -> list[tuple[str, list[tuple[str, str]]]]:
    """All actions by group, then the words that the screen uses."""
    found = [
        (
            str(group),
            [(action.key_text, action.help) for action in ACTIONS if action.group is group],
        )
        for group in Group
    ]
    return [*found, ("Words", list(_WORDS))]


def _line(css: str, text: str) -> Line:
    line = Line(classes=css)
    line.show(text)
    return line
