"""The main screen: status, running job, local backups, S3 backups, schedule, log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Footer

from pgconsole.actions import Where, actions_of
from pgconsole.jobs import Job
from pgconsole.screens import feeds as news
from pgconsole.screens.base import ConsoleScreen, Offer
from pgconsole.screens.bindings import bindings
from pgconsole.screens.doctor import DoctorScreen
from pgconsole.screens.errands import Errands, Planned
from pgconsole.screens.job_board import JobBoard
from pgconsole.screens.log_pane import LogPane
from pgconsole.screens.outcome import OutcomeScreen
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Accepted, Noted, Work
from pgconsole.settings import Settings
from pgconsole.status.past_jobs import is_active
from pgconsole.status.status import judge
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.answer import facts_of
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import NO_MARKS, Marks
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.pane_tabs import PaneTab, PaneTabs
from pgconsole.widgets.panes import Panes
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.strips import HeaderStrip, JobStrip, StatusStrip
from pgconsole.widgets.words import clean

_SOMETIMES = ("cancel", "upload", "verify", "restore", "pin", "pause", "outcome")


class MainScreen(ConsoleScreen, inherit_bindings=False):
    """Owns what is known; widgets draw it, feeds bring it.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from.
        now: The clock.
    """

    WHERE = Where.MAIN
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.MAIN))

    def __init__(self, settings: Settings, sources: Sources, now: Callable[[], datetime]) -> None:
        super().__init__(settings)
        self._sources = sources
        self._now = now
        self._feeds = news.Feeds(settings, sources, self.post_message, now)
        work = Work(settings, self.post_message)
        self._errands = Errands(lambda: self.app, settings, work, now)
        self._local: Known[Shelf] = Known()
        self._s3: Known[Shelf] = Known()
        self._jobs: Known[tuple[Job, ...]] = Known()
        self._board = JobBoard()
        self._before_log = "local"
        self._possible: dict[str, bool] = {}
        self._header = HeaderStrip(settings)
        self._status = StatusStrip(settings)
        self._job = JobStrip()
        self._log = LogPane(settings, sources.logs, now, 4)
        self._panes = Panes(settings, self._log)
        self._tabs = PaneTabs(tuple(self._panes.tabs))

    def compose(self) -> ComposeResult:
        """The strips, the tabs, the panes, the footer."""
        yield self._header
        yield self._status
        yield self._job
        yield self._tabs
        yield self._panes
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Paint first, then read."""
        self._panes.activate("local")
        self._tick()
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._feeds.start)

    def offers(self) -> list[Offer]:
        """See `ConsoleScreen`; in the log also what its keys do."""
        offers = super().offers()
        if self._panes.active == "log":
            more = [action for action in actions_of(Where.LOG) if action not in self.actions]
            offers += [Offer(action, self._log) for action in more]
        return offers

    def on_unmount(self) -> None:
        """Quitting waits for nobody."""
        self._feeds.stop()

    # What the feeds bring

    @on(news.LocalKnown)
    def _local_known(self, message: news.LocalKnown) -> None:
        self._local = message.known
        self._show_backups()

    @on(news.S3Known)
    def _s3_known(self, message: news.S3Known) -> None:
        self._s3 = message.known
        self._show_backups()

    @on(news.ScheduleKnown)
    def _schedule_known(self, message: news.ScheduleKnown) -> None:
        self._panes.schedule.show_known(message.known, self._now())
        self._show_status()

    @on(news.JobsKnown)
    def _jobs_known(self, message: news.JobsKnown) -> None:
        known = message.known
        self._jobs = known
        if known.value is None or known.asked_at is not None:
            return
        if self._board.take(known.value):
            self._feeds.reload()
        if self._board.follow():
            self._feeds.follow(self._board.followed)
        self._log.show_jobs(known.value)
        self._show_status()

    @on(news.JournalKnown)
    def _journal_known(self, message: news.JournalKnown) -> None:
        known = message.known
        if known.value is None or known.asked_at is not None or known.problem is not None:
            return
        if self._board.grew(known.value):
            self._show_status()

    @on(Accepted)
    def _accepted(self) -> None:
        self._feeds.reload_jobs()

    @on(Noted)
    def _noted(self, message: Noted) -> None:
        self._feeds.reload_local()
        self._feeds.reload_schedule()
        self.notify(clean(message.text), markup=False)

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        self._errands.apply_retention(message.plans)

    # Drawing

    def _tick(self) -> None:
        now = self._now()
        self._header.tick(now)
        self._panes.tick(now)
        self._show_status()

    def _show_backups(self) -> None:
        now = self._now()
        self._panes.local.show_known(self._local, _sizes(self._s3), self._marks, now)
        self._panes.s3.show_known(self._s3, _sizes(self._local), self._marks, now)
        self._show_status()

    def _show_status(self) -> None:
        """The verdict, and under it the job that runs or is news."""
        now = self._now()
        board, table = self._board, self._panes.schedule.known
        verdict = judge(facts_of(self.settings, self._local, self._s3, self._jobs, table), now)
        self._status.judge(verdict, self._panes.schedule.due(now))
        told = verdict.job if self._status.is_whole else ""
        job, progress = board.notice(now)
        self._job.show_job(job, progress, now, running=board.running, told=told)
        self._log.tick(now)
        self._show_tabs()

    @on(Panes.Activated)
    @on(Pane.Retitled)
    def _show_tabs(self) -> None:
        self._tabs.show(self._panes.tabs, self._panes.active)
        self._show_keys()

    def _show_keys(self) -> None:
        """The footer is built anew at every change, so only where there is one."""
        possible = {name: self.is_possible(name) for name in _SOMETIMES}
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    # Panes

    @on(PaneTab.Chosen)
    def _tab_chosen(self, message: PaneTab.Chosen) -> None:
        self.action_pane(message.pane)

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        self.remove_class("-log-full")
        self._panes.activate(name)

    def action_next_pane(self) -> None:
        """Go to the next pane."""
        self.remove_class("-log-full")
        self._panes.step(1)

    def action_previous_pane(self) -> None:
        """Go to the pane before."""
        self.remove_class("-log-full")
        self._panes.step(-1)

    def action_move(self, where: str) -> None:
        """Move in the active pane."""
        self._panes.move(where)
        self._show_tabs()

    def action_log_full(self) -> None:
        """Show the log on the whole screen, or go back."""
        if self.has_class("-log-full"):
            self.action_pane(self._before_log)
        else:
            self._before_log = self._panes.active
            self._panes.activate("log")
            self.add_class("-log-full")

    def action_back(self) -> None:
        """From the log on the whole screen to all panes."""
        if self.has_class("-log-full"):
            self.action_log_full()

    # Work

    def is_possible(self, action: str) -> bool:
        """See `ConsoleScreen`."""
        if action == "cancel":
            return self._board.cancellable is not None
        if action == "upload":
            return self._uploadable() is not None
        if action in ("open", "verify", "restore", "pin"):
            return self._panes.selected is not None
        if action == "pause":
            return self._panes.schedule.known.value is not None
        if action == "outcome":
            job = self._told_job
            return job is not None and not is_active(job)
        return True

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

    def action_open(self) -> None:
        """Look into the selected copy."""
        if (backup := self._panes.selected) is not None:
            from pgconsole.screens.opening import opened  # noqa: PLC0415 - after the first paint

            known = self._s3 if backup.place is Place.S3 else self._local
            others = known.value.backups if known.value is not None else None
            screen = opened(self.settings, backup, others, self._sources, self._marks, self._now)
            self.app.push_screen(screen)

    def action_verify(self) -> None:
        """Ask, then verify the selected copy."""
        if (backup := self._panes.selected) is not None:
            self._errands.verify(backup, self._marks)

    def action_restore(self) -> None:
        """Ask, then restore the selected copy."""
        if (backup := self._panes.selected) is not None:
            self._errands.restore(backup, self._marks)

    def action_pin(self) -> None:
        """Pin the selected backup, or ask, then unpin it."""
        if (backup := self._panes.selected) is not None:
            self._errands.pin(backup, self._marks)

    def action_pause(self) -> None:
        """Pause the schedule, or ask, then let it go on."""
        if (table := self._panes.schedule.known.value) is not None:
            self._errands.pause(table)

    def action_prune(self) -> None:
        """Work out what retention would delete, ask, then delete it."""
        self._errands.plan_retention()

    def action_outcome(self) -> None:
        """All that is known of the job whose log is shown, else of the last one."""
        if (job := self._told_job) is not None:
            self.app.push_screen(OutcomeScreen(job, self._now()))

    def action_doctor(self) -> None:
        """Look at everything that a backup needs."""
        self.app.push_screen(DoctorScreen(self.settings))

    @property
    def _told_job(self) -> Job | None:
        """The job that the log is narrowed to, else the newest."""
        chosen = (job for job in self._board.jobs if job.id == self._log.job)
        return next(chosen, self._board.followed)

    @property
    def _marks(self) -> Marks:
        """Proofs and pins, as far as they are known."""
        return self._local.value.marks if self._local.value is not None else NO_MARKS

    def _uploadable(self) -> StoredBackup | None:
        """The selected local backup if it has a manifest and is known not to be in S3."""
        there = _sizes(self._s3)
        backup = self._panes.local.table.selected
        if self._panes.active != "local" or there is None or backup is None:
            return None
        if backup.name.relative_path in there or not backup.size:
            return None
        return backup if backup.has_manifest else None

    # The console itself

    def action_dismiss_notice(self) -> None:
        """Take the notice about an ended job off the screen."""
        self._board.dismiss(self._now())
        self._show_status()

    def action_reload(self) -> None:
        """Read everything again."""
        self._feeds.reload()


def _sizes(known: Known[Shelf]) -> Mapping[str, int] | None:
    """What lies there; None if that is not known now: old lists don't say that a copy is there."""
    if known.value is None or known.problem is not None:
        return None
    return known.value.sizes
