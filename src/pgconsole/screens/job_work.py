"""What the list of jobs and an opened job share: one job is meant, and is cancelled or retried."""

from __future__ import annotations

from textual import on

from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job, JobStatus
from pgconsole.screens.above import AboveScreen
from pgconsole.screens.errands import Planned
from pgconsole.screens.retry import RestoreFound, can_retry
from pgconsole.screens.work import Refused


class JobWorkScreen(AboveScreen, inherit_bindings=False):
    """A screen in which keys act on one job."""

    _possible: dict[str, bool] | None = None

    @property
    def job(self) -> Job | None:
        """The job that is meant, if there is one."""
        return None

    def is_possible(self, action: str) -> bool:
        """See `ConsoleScreen`."""
        job = self.job
        if action == "cancel":
            return job is not None and job.status in (JobStatus.QUEUED, JobStatus.RUNNING)
        if action == "retry":
            return job is not None and can_retry(job)
        return True

    def show_keys(self) -> None:
        """The footer is built anew at every change, so only where there is one."""
        possible = {name: self.is_possible(name) for name in ("open", "cancel", "retry")}
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def action_cancel(self) -> None:
        """Ask, then cancel."""
        if (job := self.job) is not None:
            self.errands.cancel(job)

    def action_retry(self) -> None:
        """Ask, then start the same work anew."""
        if (job := self.job) is not None:
            try:
                self.errands.retry(job)
            except PgconsoleError as error:
                self.post_message(Refused(error))

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        self.errands.apply_retention(message.plans)

    @on(RestoreFound)
    def _restore_found(self, message: RestoreFound) -> None:
        self.errands.restore(message.copy, message.database)
