"""The first screen of somebody who has configured nothing: what to set, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from pgconsole.actions import Where, actions_of
from pgconsole.screens.base import ConsoleScreen
from pgconsole.settings import Settings
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.line import Key, Line, Part
from pgconsole.widgets.words import clean

_VARIABLES = (
    ("PGHOST=db.example.com", "where PostgreSQL is"),
    ("PGPASSWORD=...", "the password of the role"),
    ("BACKUP_DIR=/backups", "where backups are to lie"),
)


class Choice(Enum):
    """What somebody who has configured nothing does next, besides quitting."""

    DEMO = auto()
    GO_ON = auto()


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the screen depends on.

    Attributes:
        file: The file in which variables may be set.
        no_demo: Why the demo can't be run, and what to do about that; empty: it can.
    """

    file: Path
    no_demo: str


class WelcomeScreen(ConsoleScreen, inherit_bindings=False):
    """Says what to set.

    Args:
        settings: What is assumed.
        welcome: What else to say.
    """

    WHERE = Where.WELCOME
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.WELCOME))

    class Chosen(Message):
        """Something else is to be opened."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, settings: Settings, welcome: Welcome) -> None:
        super().__init__(settings)
        self._welcome = welcome
        self._text = Line(classes="welcome-text")

    def compose(self) -> ComposeResult:
        """The text and the keys."""
        with VerticalScroll(classes="welcome"):
            yield self._text
        yield KeyFooter()

    def on_mount(self) -> None:
        """Write the text, with the keys that are in use."""
        self._text.show(*_text(self.settings, self._welcome))

    def action_demo(self) -> None:
        """Leave for the demo, or say what it lacks."""
        if self._welcome.no_demo:
            self.notify(
                f"{clean(self._welcome.no_demo)}, or in pgconsole's sources: make demo",
                title="The demo can't be run", severity="warning", markup=False,
            )  # fmt: skip
            return
        self.post_message(self.Chosen(Choice.DEMO))

    def action_go_on(self) -> None:
        """Leave for the console."""
        self.post_message(self.Chosen(Choice.GO_ON))


def _text(settings: Settings, welcome: Welcome) -> list[Part]:
    width = max(len(setting) for setting, _ in _VARIABLES) + 2
    parts: list[Part] = [
        (" pgconsole ", "$header-brand bold"),
        " Nothing is configured yet.\n\nSet these three, in the environment or in\n",
        (f"{clean(str(welcome.file))}\n\n", "bold"),
    ]
    for setting, meaning in _VARIABLES:
        parts += [(f"  {setting:<{width}}", "$text-primary bold"), (f"{meaning}\n", "$muted")]
    parts += [
        "\nThen open pgconsole again; ", ("pgconsole doctor", "bold"),
        " says what is still missing. Role and database are called ",
        f"{clean(settings.pguser)} unless PGUSER and PGDATABASE say otherwise.\n",
        "\n  ", (Key("demo"), "$text-primary bold"), "  Try the demo: ",
        "not installed" if welcome.no_demo else "servers and data of its own",
        "\n  ", (Key("go_on"), "$text-primary bold"),
        f"  Continue with {clean(settings.pghost)}:{settings.pgport} and {settings.backup_dir}",
        "\n  ", (Key("quit"), "$text-primary bold"), "  Quit",
    ]  # fmt: skip
    return parts
