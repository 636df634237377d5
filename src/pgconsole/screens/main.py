"""The main screen: status, running job, lists of backups, schedule, log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from pgconsole.actions import Where, actions_of
from pgconsole.jobs import Job
from pgconsole.screens import feeds as news
from pgconsole.screens.arranger import ArrangedKnown, Arranger
from pgconsole.screens.base import Offer
from pgconsole.screens.job_toast import tell_ended
from pgconsole.screens.main_work import MainWork
from pgconsole.screens.pace import paced
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Accepted, Noted
from pgconsole.settings import Settings
from pgconsole.status.status import judge
from pgconsole.widgets.answer import facts_of
from pgconsole.widgets.backups import Backups
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.clipboard import copy
from pgconsole.widgets.console import memory_of
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.known import Known
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.pane_tabs import PaneTab, PaneTabs
from pgconsole.widgets.panes import USUAL_SHARE, Panes
from pgconsole.widgets.strips import HeaderStrip, JobStrip, StatusStrip
from pgconsole.widgets.words import clean

_STEP = 5  # per cent of the window's height


class MainScreen(MainWork, inherit_bindings=False):
    """Owns what is known; widgets draw it, feeds bring it.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from.
        now: The clock.
    """

    WHERE = Where.MAIN
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.MAIN))

    def __init__(self, settings: Settings, sources: Sources, now: Callable[[], datetime]) -> None:
        super().__init__(settings, sources, now)
        self._clock = now
        self._feeds = news.Feeds(settings, sources, self.post_message, now)
        self._jobs: Known[tuple[Job, ...]] = Known()
        self._before_log = "all"
        self._were_possible: dict[str, bool] = {}
        self._header = HeaderStrip(settings)
        self._status = StatusStrip(settings)
        self._job = JobStrip()
        self._arranger = Arranger(settings, self.post_message, now)
        self._tabs = PaneTabs(tuple(self._panes.tabs))

    def compose(self) -> ComposeResult:
        """The strips, the tabs, the panes, the footer."""
        yield self._header
        yield self._status
        yield self._job
        yield self._tabs
        yield self._panes
        yield KeyFooter()

    def on_mount(self) -> None:
        """Paint first, then read."""
        memory = memory_of(self)
        self._panes.share = memory.get("main.share", USUAL_SHARE, of=self.settings)
        usual = self._backups.active.id or ""
        self._panes.activate(memory.get("main.pane", usual, of=self.settings))
        self._tick()
        self.set_interval(paced(1.0, self.settings), self._tick)
        self.call_after_refresh(self._start)

    def on_unmount(self) -> None:
        """Quitting waits for nobody."""
        self._feeds.stop()
        self._arranger.stop()

    def _start(self) -> None:
        self._feeds.start()
        self._arranger.start()

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
        ended = self._board.take(known.value)
        if ended:
            self._feeds.reload()
        if self._board.follow():
            self._feeds.follow(self._board.followed)
        self._log.show_jobs(known.value)
        self._show_status()
        for job in ended:
            tell_ended(self.app, job, self._now())

    @on(news.JournalKnown)
    def _journal_known(self, message: news.JournalKnown) -> None:
        known = message.known
        if known.value is None or known.asked_at is not None or known.problem is not None:
            return
        if self._board.grew(known.value):
            self._show_status()

    @on(Accepted)
    def _accepted(self) -> None:
        self._backups.unmark()
        self._feeds.reload_jobs()

    @on(Noted)
    def _noted(self, message: Noted) -> None:
        self._feeds.reload_local()
        self._feeds.reload_schedule()
        self.notify(clean(message.text), markup=False)

    def offers(self) -> list[Offer]:
        """See `ConsoleScreen`; what there are keys for in the active pane, too."""
        if self._panes.active == "log":
            return [*super().offers(), *self.offers_in(Where.LOG, self._log)]
        return [*super().offers(), *self.offers_in(Where.BACKUPS, self._backups)]

    # Drawing

    def _tick(self) -> None:
        now = self._now()
        self._header.tick(self._clock())
        self._panes.tick(now)
        self._show_status()

    def _show_backups(self) -> None:
        self._backups.show_known(self._local, self._s3, self._now())
        self._arrange()
        self._show_status()

    @on(Backups.Asked)
    def _arrange(self) -> None:
        self._arranger.ask(self._local, self._s3, self._backups.wanted)

    @on(ArrangedKnown)
    def _arranged(self, message: ArrangedKnown) -> None:
        if (arranged := message.known.value) is not None:
            self._backups.show_rows(arranged, self._now())
            self._show_tabs()

    @on(Backups.Copied)
    def _copied(self, message: Backups.Copied) -> None:
        copy(self.app, message.text)

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
    def _activated(self) -> None:
        memory_of(self).set("main.pane", self._panes.active, of=self.settings)
        self._show_tabs()

    @on(Pane.Retitled)
    def _show_tabs(self) -> None:
        self._tabs.show(self._panes.tabs, self._panes.active)
        self._show_keys()

    def _show_keys(self) -> None:
        """The footer is built anew at every change, so only where there is one."""
        possible = {name: self.is_possible(name) for name in self.sometimes}
        if possible != self._were_possible:
            self._were_possible = possible
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

    def action_resize(self, which: str) -> None:
        """Move the line between the upper and the lower panes."""
        self._panes.share += _STEP if which == "more" else -_STEP
        memory_of(self).set("main.share", self._panes.share, of=self.settings)

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

    # The console itself

    def action_dismiss_notice(self) -> None:
        """Take the notice about an ended job off the screen."""
        self._board.dismiss(self._now())
        self._show_status()

    def action_reload(self) -> None:
        """Read everything again."""
        self._feeds.reload()
