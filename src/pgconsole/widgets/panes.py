"""The panes side by side, or one at a time under tabs."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from pgconsole.settings import Settings
from pgconsole.widgets.backup_pane import BackupPane
from pgconsole.widgets.backups import Backups
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.schedule_pane import SchedulePane

USUAL_SHARE = 60  # per cent
_LEAST = 20


class _Body(Protocol):
    def move(self, where: str) -> None: ...


class Panes(Container):
    """All panes; one of them is active and takes the keys.

    Args:
        settings: What the operator configured.
        log: The fourth pane.
    """

    class Activated(Message):
        """Another pane became the active one."""

    def __init__(self, settings: Settings, log: Pane) -> None:
        super().__init__(id="panes")
        self.backups = Backups(settings)
        self.schedule = SchedulePane(settings, 3)
        self._log = log
        lists = self.backups.panes.values()
        self._all: tuple[Pane, ...] = (*lists, self.schedule, log)
        self._active: Pane = self.backups.active
        self._share = USUAL_SHARE

    def compose(self) -> ComposeResult:
        """The panes."""
        yield self.backups
        yield self.schedule
        yield self._log

    @property
    def active(self) -> str:
        """The name of the active pane."""
        return self._active.id or ""

    @property
    def on_backups(self) -> bool:
        """Whether the active pane is a list of backups."""
        return isinstance(self._active, BackupPane)

    @property
    def tabs(self) -> dict[str, str]:
        """The panes' names and what their tabs say."""
        return {pane.id or "": pane.tab_text for pane in self._all}

    @property
    def share(self) -> int:
        """How much of a wide window's height the upper panes have, in per cent."""
        return self._share

    @share.setter
    def share(self, share: int) -> None:
        self._share = max(_LEAST, min(share, 100 - _LEAST))
        self.styles.grid_rows = f"{self._share}fr {100 - self._share}fr"

    def activate(self, name: str) -> None:
        """Give the keys to a pane; where there is none of that name, to the first."""
        self._active = next((pane for pane in self._all if pane.id == name), self._all[0])
        if isinstance(self._active, BackupPane):
            self.backups.activate(self._active.view)
        for pane in self._all:
            pane.set_class(pane is self._active, "-active")
        self.backups.set_class(self.on_backups, "-active")
        if not self._active.body.has_focus:
            self._active.body.focus(scroll_visible=False)
        self.post_message(self.Activated())

    def step(self, by: int) -> None:
        """Give the keys to the next pane, or to the one before."""
        place = self._all.index(self._active)
        self.activate(self._all[(place + by) % len(self._all)].id or "")

    def move(self, where: str) -> None:
        """Move the cursor, or scroll, in the active pane."""
        cast(_Body, self._active.body).move(where)

    def tick(self, now: datetime) -> None:
        """Let ages grow and countdowns run."""
        for pane in self._all:
            pane.tick(now)

    def on_click(self, event: events.Click) -> None:
        """A click into a pane makes it the active one.

        Not the focus: Textual gives and announces it later, and the news of an earlier one would
        undo what two quick keys have chosen since.
        """
        for pane in self._all:
            if event.widget in pane.walk_children(with_self=True) and pane is not self._active:
                self.activate(pane.id or "")
