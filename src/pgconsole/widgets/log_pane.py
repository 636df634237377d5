"""The pane that follows a job's journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pgconsole.errors import PgconsoleError
from pgconsole.settings import Settings
from pgconsole.status.past_jobs import ended, is_active
from pgconsole.widgets.job_notice import title
from pgconsole.widgets.journal_log import JournalLog
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.words import ago, clean

if TYPE_CHECKING:
    from pgconsole.jobs import Job, JournalEntry


class LogPane(Pane):
    """The log of the running job, or of the last, or of the one that was chosen."""

    def __init__(self, settings: Settings, number: int) -> None:
        self.log_view = JournalLog(settings.backup_timezone)
        super().__init__("log", number, ("Log", "Log"), self.log_view)
        self._job: Job | None = None
        self._known = False
        self._problem: PgconsoleError | None = None

    def show_job(self, job: Job | None, now: datetime) -> None:
        """Whose log this is; None: there has been no job yet."""
        self._job = job
        self._known = True
        self.tick(now)

    def show_problem(self, problem: PgconsoleError | None) -> None:
        """Why the jobs can't be read; None: they can."""
        self._problem = problem

    def restart(self) -> None:
        """Another job's entries come next."""
        self.log_view.restart()

    def extend(self, entries: Sequence[JournalEntry]) -> None:
        """Add entries."""
        self.log_view.extend(entries)

    def tick(self, now: datetime) -> None:
        """Let ages grow."""
        job = self._job
        if self._problem is not None:
            text = f"✗ {clean(str(self._problem))}"
            self.say((text, "$text-error"), instead=job is None)
            self.set_count("✗")
            return
        if job is None:
            text = "No job has run yet.\nPress b to take a backup: its log appears here."
            self.say((text if self._known else "Reading the jobs …", "$muted"), instead=True)
            self.set_count("")
            self.tell_age("")
            return
        self.say(instead=False)
        paused = "" if self.log_view.following else "PAUSED, f follows · "
        self.set_count("paused" if paused else "live" if is_active(job) else "")
        state = "running" if is_active(job) else f"{clean(job.status).replace('_', ' ')} "
        if not is_active(job):
            state += ago(ended(job), now)
        self.tell_age(f"{paused}{title(job)} of {job.created_at:%Y-%m-%d %H:%M:%S} UTC · {state}")
