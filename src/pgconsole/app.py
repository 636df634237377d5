"""The Textual app: signals, and the way in."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.command import Provider

from pgconsole.actions.keymap import USUAL_KEYS, KeyMap, read_key_map
from pgconsole.errors import PgconsoleError
from pgconsole.memory import Memory
from pgconsole.places import key_map_file, memory_file
from pgconsole.screens.base import screen_for
from pgconsole.screens.main import MainScreen
from pgconsole.screens.palette import ActionProvider, Palette
from pgconsole.screens.sources import Sources, sources_of
from pgconsole.screens.welcome import Choice, Welcome, WelcomeScreen
from pgconsole.settings import Settings
from pgconsole.widgets.console import Console
from pgconsole.widgets.problem import notify_problem
from pgconsole.widgets.terminal import TerminalWatch

_STYLES = ("main", "tables", "dialogs", "inside", "restore", "jobs", "welcome", "textual")
_LAST_CHANGES_TAKE = 0.2  # seconds to remember them before the process ends


def local_now() -> datetime:
    """The time, in this machine's time zone."""
    return datetime.now().astimezone()


class PgconsoleApp(Console):
    """The console.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from; by default the real places.
        now: The clock.
        key_map: The operator's own keys.
        memory: What was remembered; None: nothing, and nothing will be.
        problems: What went wrong on the way here, to be said once it is open.
        welcome: What to say to somebody who has configured nothing; None: all is configured.

    Attributes:
        choice: What was chosen on the first screen of those who have configured nothing.
    """

    TITLE = "pgconsole"
    CSS_PATH = [f"styles/{name}.tcss" for name in _STYLES]  # noqa: RUF012 - as in App
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True)
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as in App
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (22, "-low"), (30, "-high")]  # noqa: RUF012

    def __init__(
        self,
        settings: Settings,
        *,
        sources: Sources | None = None,
        now: Callable[[], datetime] = local_now,
        key_map: KeyMap = USUAL_KEYS,
        memory: Memory | None = None,
        problems: Sequence[PgconsoleError] = (),
        welcome: Welcome | None = None,
    ) -> None:
        super().__init__(settings, key_map, memory)
        self._now = now
        self._sources = sources or sources_of(settings, now)
        self._problems = problems
        self._welcome = welcome
        self.choice: Choice | None = None

    def on_mount(self) -> None:
        """Open the main screen; leave the terminal as it was found when we are told to go."""
        if self._welcome is None:
            self._open_main()
        else:
            screen = screen_for(WelcomeScreen, self.settings)
            self.push_screen(screen(self.settings, self._welcome))
        for problem in self._problems:
            notify_problem(self, problem, severity="warning", timeout=30)
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        watch = TerminalWatch(lambda: loop.call_soon_threadsafe(self.exit))
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Not the loop's own handler: a write to a dead terminal may block the loop.
            signal.signal(number, lambda _number, _frame: watch.leave())
        watch.start()

    def action_command_palette(self) -> None:
        """All commands."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def _open_main(self) -> None:
        screen = screen_for(MainScreen, self.settings)
        self.push_screen(screen(self.settings, self._sources, self._now))

    @on(WelcomeScreen.Chosen)
    def _chosen(self, message: WelcomeScreen.Chosen) -> None:
        self.choice = message.choice
        if message.choice is Choice.GO_ON:
            self.pop_screen()
            self._open_main()
        else:
            self.exit()


def run_console(settings: Settings, welcome: Welcome | None = None) -> Choice | None:
    """Open the console until the operator quits.

    Args:
        settings: What the operator configured.
        welcome: What to say first to somebody who has configured nothing.

    Returns:
        What was chosen there.
    """
    memory = Memory(memory_file())
    problems: list[PgconsoleError] = []
    try:
        key_map = read_key_map(key_map_file())
    except PgconsoleError as error:  # nobody is locked out for a typing error
        key_map = USUAL_KEYS
        problems.append(error)
    # A thread that reads a long log hands over to the one with the keys ten times as soon.
    sys.setswitchinterval(0.0005)
    app = PgconsoleApp(settings, key_map=key_map, memory=memory, problems=problems, welcome=welcome)
    app.run()
    memory.settle(_LAST_CHANGES_TAKE)
    return app.choice
