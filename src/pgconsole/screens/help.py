"""The help screen, made from the registry of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pgconsole.actions import ACTIONS, Group
from pgconsole.widgets.line import Part

_KEY_WIDTH = 13

_WORDS = (
    ("✓ complete", "verified by pgconsole before it got its name; not read again since"),
    ("· listed", "in the bucket under that name and size; nothing more is known"),
    ("? unknown", "no manifest: nobody checked what is in it"),
    ("! differs", "the local file and the object in S3 differ in size"),
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
        with VerticalGroup(id="help") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes · j k scroll"
            with VerticalScroll(id="help-text", can_focus=False):
                yield Static(help_text(), markup=False)

    def action_scroll(self, where: str) -> None:
        """Scroll the text."""
        text = self.query_one("#help-text", VerticalScroll)
        getattr(text, f"scroll_{where}")(animate=False)


def help_text() -> Content:
    """All actions by group, then the words that the screen uses."""
    parts: list[Part] = []
    for group in Group:
        parts.append((f"{group}\n", "$text-primary bold"))
        for action in ACTIONS:
            if action.group is group:
                parts += [(f"  {action.key_text:<{_KEY_WIDTH}}", "bold"), f"{action.help}\n"]
        parts.append("\n")
    parts.append(("Words\n", "$text-primary bold"))
    for word, meaning in _WORDS:
        parts += [(f"  {word:<{_KEY_WIDTH}}", "bold"), f"{meaning}\n"]
    return Content.assemble(*parts).rstrip()
