"""What the screens of an opened backup share: jobs, leaving, help."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from textual import on

from pgconsole.backups.opened import TableFacts
from pgconsole.screens.above import AboveScreen
from pgconsole.screens.export import ExportScreen
from pgconsole.screens.job_line import JobLine, JobLineKnown
from pgconsole.screens.job_toast import tell_ended
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Accepted
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.line import Line


class InsideScreen(AboveScreen, inherit_bindings=False):
    """A screen above the main one, about one backup.

    Args:
        settings: What the operator configured.
        backup: The copy.
        sources: Where the news about jobs comes from.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        backup: StoredBackup,
        sources: Sources,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(settings, sources, now)
        self.backup = backup
        self.info = Line(classes="inside-info")
        self.job_line = JobLine(settings, sources, self.post_message, now)

    def start(self) -> None:
        """Begin to read."""
        self.job_line.start()

    def stop(self) -> None:
        """What still comes is of no interest."""
        self.job_line.stop()

    def tick(self) -> None:
        """Let ages grow."""
        self.job_line.tick()

    def ended(self) -> None:
        """A job has ended."""

    def is_possible(self, action: str) -> bool:
        """See `ConsoleScreen`."""
        return action != "cancel" or self.job_line.board.cancellable is not None

    @on(JobLineKnown)
    def _jobs_known(self, message: JobLineKnown) -> None:
        for job in self.job_line.take(message):
            tell_ended(self.app, job, self.now())
            self.ended()

    @on(Accepted)
    def _accepted(self) -> None:
        self.job_line.refresh()

    def export(self, table: TableFacts) -> None:
        """Ask where to, then write a table there."""

        def answered(path: Path | None) -> None:
            if path is not None:
                self.work.start(
                    "export",
                    {
                        "place": str(self.backup.place), "location": self.backup.location,
                        "table": table.name, "path": str(path),
                    },
                )  # fmt: skip

        self.app.push_screen(ExportScreen(self.backup, table), answered)

    def action_cancel(self) -> None:
        """Ask, then cancel."""
        if (job := self.job_line.board.cancellable) is not None:
            self.errands.cancel(job)

    def action_dismiss_notice(self) -> None:
        """Take the notice about an ended job off the screen."""
        self.job_line.dismiss()
