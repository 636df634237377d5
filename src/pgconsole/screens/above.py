"""What the screens above the main one share: they paint first, let ages grow, and start work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pgconsole.screens.base import ConsoleScreen
from pgconsole.screens.errands import Errands
from pgconsole.screens.pace import drawn_at, paced
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Work
from pgconsole.settings import Settings
from pgconsole.widgets.line import Line


class AboveScreen(ConsoleScreen, inherit_bindings=False):
    """A screen that was opened from another one.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from.
        now: The clock.
    """

    def __init__(self, settings: Settings, sources: Sources, now: Callable[[], datetime]) -> None:
        super().__init__(settings)
        self.sources = sources
        self.now: Callable[[], datetime] = lambda: drawn_at(now(), settings)
        self.title_line = Line(classes="inside-title")
        self.notice = Line(classes="inside-notice")
        self.work = Work(settings, self.post_message)
        self.errands = Errands(lambda: self.app, settings, self.work, now)

    def on_mount(self) -> None:
        """Paint first, then read."""
        self.tick()
        self.set_interval(paced(1.0, self.settings), self.tick)
        self.call_after_refresh(self.start)

    def on_unmount(self) -> None:
        """Leaving waits for nobody."""
        self.stop()

    def start(self) -> None:
        """Begin to read."""

    def stop(self) -> None:
        """What still comes is of no interest."""

    def tick(self) -> None:
        """Let ages grow."""
