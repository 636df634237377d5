"""The Textual app: theme, signals, and the way in."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider

from pgconsole.screens.base import screen_for
from pgconsole.screens.main import MainScreen
from pgconsole.screens.palette import ActionProvider
from pgconsole.screens.sources import Sources, sources_of
from pgconsole.settings import Settings
from pgconsole.widgets.terminal import TerminalWatch
from pgconsole.widgets.theme import ANSI, DARK

_STYLES = ("main", "tables", "dialogs", "inside")
_OWN_VARIABLES = ("header-brand", "muted", "faint", "protected", "protected-text")


def local_now() -> datetime:
    """The time, in this machine's time zone."""
    return datetime.now().astimezone()


class PgconsoleApp(App[None]):
    """The console.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from; by default the real places.
        now: The clock.
    """

    TITLE = "pgconsole"
    CSS_PATH = [f"styles/{name}.tcss" for name in _STYLES]  # noqa: RUF012 - as in App
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True)
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as in App
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-low"), (30, "-high")]  # noqa: RUF012

    def __init__(
        self,
        settings: Settings,
        *,
        sources: Sources | None = None,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        plain = "NO_COLOR" in os.environ
        # With the terminal's own colours, NO_COLOR takes all of them away and leaves bold and
        # reverse; otherwise Textual would paint in shades of grey.
        super().__init__(ansi_color=True if plain else None)
        self._settings = settings
        self._now = now
        self._sources = sources or sources_of(settings, now)
        self.register_theme(DARK)
        self.register_theme(ANSI)
        few_colors = self.console.color_system not in ("256", "truecolor")
        self.theme = ANSI.name if plain or few_colors else DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, which every theme of ours sets."""
        return {name: DARK.variables[name] for name in _OWN_VARIABLES}

    def on_mount(self) -> None:
        """Open the main screen; leave the terminal as it was found when we are told to go."""
        screen = screen_for(MainScreen, self._settings)
        self.push_screen(screen(self._settings, self._sources, self._now))
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        watch = TerminalWatch(lambda: loop.call_soon_threadsafe(self.exit))
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Not the loop's own handler: a write to a dead terminal may block the loop.
            signal.signal(number, lambda _number, _frame: watch.leave())
        watch.start()


def run_console(settings: Settings) -> None:
    """Open the console until the operator quits."""
    # A thread that reads a long log hands over to the one with the keys ten times as soon.
    sys.setswitchinterval(0.0005)
    PgconsoleApp(settings).run()
