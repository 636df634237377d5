"""The four panes side by side, or one at a time under tabs."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.backup_pane import BackupPane
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.schedule_pane import SchedulePane


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
        self.local = BackupPane(settings, Place.LOCAL, 1)
        self.s3 = BackupPane(settings, Place.S3, 2)
        self.schedule = SchedulePane(settings, 3)
        self._all: tuple[Pane, ...] = (self.local, self.s3, self.schedule, log)
        self._active: Pane = self.local

    def compose(self) -> ComposeResult:
        """The panes."""
        yield from self._all

    @property
    def active(self) -> str:
        """The name of the active pane."""
        return self._active.id or ""

    @property
    def selected(self) -> StoredBackup | None:
        """The backup under the cursor of the active pane."""
        return self._active.table.selected if isinstance(self._active, BackupPane) else None

    @property
    def tabs(self) -> dict[str, str]:
        """The panes' names and what their tabs say."""
        return {pane.id or "": pane.tab_text for pane in self._all}

    def activate(self, name: str) -> None:
        """Give the keys to a pane."""
        self._active = next(pane for pane in self._all if pane.id == name)
        for pane in self._all:
            pane.set_class(pane is self._active, "-active")
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
