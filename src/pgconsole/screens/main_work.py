"""What can be done in the main screen to what is chosen there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual import on

from pgconsole.jobs import Job
from pgconsole.screens.base import ConsoleScreen, screen_for
from pgconsole.screens.doctor import DoctorScreen
from pgconsole.screens.errands import Decided, Errands, Planned
from pgconsole.screens.job_board import JobBoard
from pgconsole.screens.log_pane import LogPane
from pgconsole.screens.pace import drawn_at
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Work
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.backup_table import BackupTable
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import NO_MARKS, Marks
from pgconsole.widgets.panes import Panes
from pgconsole.widgets.shelf import Shelf


class MainWork(ConsoleScreen, inherit_bindings=False):
    """Asks before it has something done.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from.
        now: The clock.

    Attributes:
        sometimes: What can't always be done, and whether it can now.
    """

    def __init__(self, settings: Settings, sources: Sources, now: Callable[[], datetime]) -> None:
        super().__init__(settings)
        self._sources = sources
        self._now: Callable[[], datetime] = lambda: drawn_at(now(), settings)
        self._errands = Errands(lambda: self.app, settings, Work(settings, self.post_message), now)
        self._local: Known[Shelf] = Known()
        self._s3: Known[Shelf] = Known()
        self._board = JobBoard(now())
        self._log = LogPane(settings, sources.logs, now, 4)
        self._panes = Panes(settings, self._log)
        self._backups = self._panes.backups
        self.sometimes: dict[str, Callable[[], object]] = {
            "cancel": lambda: self._board.cancellable,
            "upload": self._uploadable,
            "open": lambda: self._copy,
            "verify": lambda: self._copy,
            "restore": lambda: self._copy,
            "plan": lambda: self._copy,
            "pin": lambda: self._copy,
            "delete": lambda: self._copy,
            "download": lambda: self._in_s3,
            "pause": lambda: self._panes.schedule.known.value,
            "job": lambda: self._told_job,
        }

    def is_possible(self, action: str) -> bool:
        """See `ConsoleScreen`."""
        return action not in self.sometimes or bool(self.sometimes[action]())

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        self._errands.apply_retention(message.plans)

    @on(Decided)
    def _decided(self, message: Decided) -> None:
        self._errands.delete(message.decisions)

    def action_backup(self) -> None:
        """Ask, then back up."""
        self._errands.backup(self._local, self._s3)

    def action_cancel(self) -> None:
        """Ask, then cancel."""
        if (job := self._board.cancellable) is not None:
            self._errands.cancel(job)

    def action_upload(self) -> None:
        """Ask, then copy the selected local backup to S3."""
        if (backup := self._uploadable()) is not None:
            self._errands.upload(backup)

    @on(BackupTable.Opened)
    def action_open(self) -> None:
        """Look into the selected copy."""
        if (backup := self._copy) is not None:
            from pgconsole.screens.opening import opened  # noqa: PLC0415 - after the first paint

            known = self._s3 if backup.place is Place.S3 else self._local
            others = known.value.backups if known.value is not None else None
            screen = opened(self.settings, backup, others, self._sources, self._marks, self._now)
            self.app.push_screen(screen)

    def action_verify(self) -> None:
        """Ask, then verify the chosen copies."""
        if self._copies:
            self._errands.verify(self._copies, self._marks)

    def action_restore(self) -> None:
        """Show what it would do, ask, then restore the selected copy."""
        if (backup := self._copy) is not None:
            self._errands.restore(backup)

    def action_plan(self) -> None:
        """Show what restoring the selected copy would do."""
        if (backup := self._copy) is not None:
            self._errands.plan_restore(backup)

    def action_download(self) -> None:
        """Ask, then have the chosen copies of S3 here."""
        if self._in_s3:
            self._errands.download(self._in_s3)

    def action_delete(self) -> None:
        """Work out which of the chosen copies may go, ask, then delete them."""
        if self._copies:
            self._errands.plan_deletion(self._copies)

    def action_pin(self) -> None:
        """Pin the selected backup, or ask, then unpin it."""
        if (backup := self._copy) is not None:
            self._errands.pin(backup, self._marks)

    def action_pause(self) -> None:
        """Pause the schedule, or ask, then let it go on."""
        if (table := self._panes.schedule.known.value) is not None:
            self._errands.pause(table)

    def action_prune(self) -> None:
        """Work out what retention would delete, ask, then delete it."""
        self._errands.plan_retention()

    def action_jobs(self) -> None:
        """All jobs."""
        from pgconsole.screens.jobs import JobsScreen  # noqa: PLC0415 - after the first paint

        screen = screen_for(JobsScreen, self.settings)
        self.app.push_screen(screen(self.settings, self._sources, self._now))

    def action_job(self) -> None:
        """Open the job whose log is shown, else the last one."""
        if (job := self._told_job) is not None:
            from pgconsole.screens.job import JobScreen  # noqa: PLC0415 - as above

            screen = screen_for(JobScreen, self.settings)
            self.app.push_screen(screen(self.settings, job.id, self._sources, self._now))

    def action_doctor(self) -> None:
        """Look at everything that a backup needs."""
        self.app.push_screen(DoctorScreen(self.settings))

    @property
    def _told_job(self) -> Job | None:
        """The job that the log is narrowed to, else the one that runs, else the newest."""
        chosen = (job for job in self._board.jobs if job.id == self._log.job)
        return next(chosen, self._board.followed)

    @property
    def _marks(self) -> Marks:
        """Proofs and pins, as far as they are known."""
        return self._local.value.marks if self._local.value is not None else NO_MARKS

    @property
    def _copy(self) -> StoredBackup | None:
        """The copy under the cursor."""
        return self._backups.copy if self._panes.on_backups else None

    @property
    def _copies(self) -> tuple[StoredBackup, ...]:
        """The marked copies, else the one under the cursor."""
        return self._backups.chosen_copies if self._panes.on_backups else ()

    @property
    def _in_s3(self) -> tuple[StoredBackup, ...]:
        """The same, as they lie in S3."""
        rows = self._backups.chosen if self._panes.on_backups else ()
        return tuple(row.s3 for row in rows if row.s3 is not None)

    def _uploadable(self) -> StoredBackup | None:
        """The selected local backup if it has a manifest and is known not to be in S3."""
        row = self._backups.selected if self._panes.on_backups else None
        s3 = self._s3
        if row is None or row.local is None or row.s3 is not None:
            return None
        if s3.value is None or s3.problem is not None or not row.local.size:
            return None
        return row.local if row.local.has_manifest else None
