"""The main screen: status, running job, local backups, S3 backups, schedule, log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer

from pgconsole.jobs import Job, JobStatus
from pgconsole.screens import feeds as news
from pgconsole.screens.bindings import bindings
from pgconsole.screens.confirm import Confirmation, ConfirmScreen
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.questions import ask_backup, ask_cancel, ask_upload
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Accepted, Refused, Work
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.backup_pane import BackupPane
from pgconsole.widgets.health import Evidence, is_active, judge
from pgconsole.widgets.job_notice import job_to_show
from pgconsole.widgets.known import Known
from pgconsole.widgets.log_pane import LogPane
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.pane_tabs import PaneTab, PaneTabs
from pgconsole.widgets.progress import Progress, ProgressMeter
from pgconsole.widgets.schedule_pane import SchedulePane
from pgconsole.widgets.shelf import Shelf, Standing, standing
from pgconsole.widgets.strips import HeaderStrip, JobStrip, StatusStrip

PANES = ("local", "s3", "schedule", "log")


class MainScreen(Screen[None]):
    """Owns what is known; widgets draw it, feeds bring it.

    Args:
        settings: What the operator configured.
        sources: Where the data comes from.
        now: The clock.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (120, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-low"), (30, "-high")]
    AUTO_FOCUS = "#local-table"

    def __init__(self, settings: Settings, sources: Sources, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._settings = settings
        self._now = now
        self._feeds = news.Feeds(settings, sources, self.post_message, now)
        self._work = Work(settings, self.post_message)
        self._local: Known[Shelf] = Known()
        self._s3: Known[Shelf] = Known()
        self._jobs: tuple[Job, ...] = ()
        self._dismissed: set[str] = set()
        self._chosen_job: str | None = None  # None: whatever runs, else the newest
        self._followed: Job | None = None
        self._meter = ProgressMeter()
        self._active = "local"
        self._before_log: str | None = None

    def compose(self) -> ComposeResult:
        """The strips, the tabs, the panes, the footer."""
        settings = self._settings
        yield HeaderStrip(settings)
        yield StatusStrip(settings)
        yield JobStrip()
        yield PaneTabs(PANES)
        with Container(id="panes"):
            yield BackupPane(settings, Place.LOCAL, 1)
            yield BackupPane(settings, Place.S3, 2)
            yield SchedulePane(settings, 3)
            yield LogPane(settings, 4)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Paint first, then read."""
        self._activate("local")
        self._tick()
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._feeds.start)

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
        self.query_one(SchedulePane).show_known(message.known, self._now())
        self._show_status()

    @on(news.JobsKnown)
    def _jobs_known(self, message: news.JobsKnown) -> None:
        if message.known.problem is not None:
            self.query_one(LogPane).show_problem(message.known.problem)
        if message.known.value is None or message.known.asked_at is not None:
            return
        before, self._jobs = self._jobs, message.known.value
        self.query_one(LogPane).show_problem(message.known.problem)
        if _ended_between(before, self._jobs):
            self._feeds.reload()
        self._follow()
        self._show_jobs()
        self._show_status()
        self.refresh_bindings()

    @on(news.JournalKnown)
    def _journal_known(self, message: news.JournalKnown) -> None:
        growth = message.known.value
        followed = self._followed
        if (
            growth is None
            or message.known.asked_at is not None
            or message.known.problem is not None
        ):
            return
        if followed is None or growth.job_id != followed.id:
            return
        pane = self.query_one(LogPane)
        if growth.first:
            pane.restart()
            self._meter = ProgressMeter()
        for entry in growth.entries:
            self._meter.feed(entry)
        pane.extend(growth.entries)
        self._show_jobs()

    @on(Accepted)
    def _accepted(self, message: Accepted) -> None:
        self._chosen_job = None
        self._feeds.reload_jobs()
        self.notify(message.text, timeout=4, markup=False)

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        error = message.error
        text = "\n".join(part for part in (error.cause, f"Next: {error.fix}") if part)
        self.notify(text, title=error.problem, severity="error", timeout=20, markup=False)

    # Drawing

    def _tick(self) -> None:
        now = self._now()
        self.query_one(HeaderStrip).tick(now)
        for pane in self.query(BackupPane):
            pane.tick(now)
        self.query_one(SchedulePane).tick(now)
        self.query_one(LogPane).tick(now)
        self._show_jobs()
        self._show_status()
        self._show_tabs()

    def _show_backups(self) -> None:
        now = self._now()
        local, s3 = self._local.value, self._s3.value
        # A list that can't be read any more must not say that a copy is there.
        s3_sizes = s3.sizes if s3 is not None and self._s3.problem is None else None
        local_sizes = local.sizes if local is not None and self._local.problem is None else None
        self.query_one("#local", BackupPane).show_known(self._local, s3_sizes, now)
        self.query_one("#s3", BackupPane).show_known(self._s3, local_sizes, now)
        self._show_status()
        self._show_tabs()

    def _show_status(self) -> None:
        now = self._now()
        evidence = Evidence(
            self._settings.pgdatabase,
            self._local,
            self._s3 if self._settings.s3_enabled else None,
            self._jobs,
        )
        next_run = self.query_one(SchedulePane).next_run
        self.query_one(StatusStrip).judge(judge(evidence, now), next_run, now)

    def _show_jobs(self) -> None:
        now = self._now()
        job = job_to_show(self._jobs, self._dismissed, now)
        same = job is not None and self._followed is not None and job.id == self._followed.id
        progress = self._meter.progress if same else Progress()
        running = sum(map(is_active, self._jobs))
        self.query_one(JobStrip).show_job(job, progress, now, running)
        self.query_one(LogPane).show_job(self._followed, now)

    def _show_tabs(self) -> None:
        texts = {pane.id or "": pane.tab_text for pane in self.query(Pane)}
        self.query_one(PaneTabs).show(texts, self._active)

    def _follow(self) -> None:
        """Decide whose log is shown; a job that is followed is followed as it changes."""
        wanted = next((job for job in self._jobs if job.id == self._chosen_job), None)
        if wanted is None:
            running = (job for job in self._jobs if is_active(job))
            wanted = next(running, self._jobs[0] if self._jobs else None)
        if wanted is not None and (self._followed is None or self._followed.id != wanted.id):
            self._feeds.follow(wanted)
        self._followed = wanted

    # Panes

    def _activate(self, name: str) -> None:
        self._active = name
        for pane in self.query(Pane):
            pane.set_class(pane.id == name, "-active")
        body = self.query_one(f"#{name}", Pane).body
        if self.focused is not body:
            body.focus(scroll_visible=False)
        self._show_tabs()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click into a pane makes it the active one."""
        for pane in self.query(Pane):
            if event.widget is pane.body and pane.id and pane.id != self._active:
                self._activate(pane.id)

    @on(PaneTab.Chosen)
    def _tab_chosen(self, message: PaneTab.Chosen) -> None:
        self.action_pane(message.pane)

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        self.remove_class("-log-full")
        self._activate(name)

    def action_next_pane(self) -> None:
        """Go to the next pane."""
        self.action_pane(PANES[(PANES.index(self._active) + 1) % len(PANES)])

    def action_previous_pane(self) -> None:
        """Go to the pane before."""
        self.action_pane(PANES[PANES.index(self._active) - 1])

    def action_move(self, where: str) -> None:
        """Move in the active pane."""
        body = self.query_one(f"#{self._active}", Pane).body
        move: Callable[[str], None] = getattr(body, "move")  # noqa: B009 - every body has it
        move(where)
        self.query_one(LogPane).tick(self._now())

    def action_log_full(self) -> None:
        """Show the log on the whole screen, or go back."""
        if self.has_class("-log-full"):
            self.action_pane(self._before_log or "local")
        else:
            self._before_log = self._active
            self._activate("log")
            self.add_class("-log-full")

    def action_follow(self) -> None:
        """Pause or follow the log."""
        pane = self.query_one(LogPane)
        pane.log_view.toggle_following()
        pane.tick(self._now())
        self._show_tabs()

    def action_older_job(self) -> None:
        """The log of the job before."""
        self._step_job(1)

    def action_newer_job(self) -> None:
        """The log of the job after."""
        self._step_job(-1)

    def _step_job(self, step: int) -> None:
        ids = [job.id for job in self._jobs]
        if self._followed is None or self._followed.id not in ids:
            return
        target = ids.index(self._followed.id) + step
        if target < len(ids):
            self._chosen_job = ids[target] if target >= 0 else None
            self._follow()
            self._show_jobs()

    # Work

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey what can't be done now."""
        if action == "cancel":
            return True if self._cancellable() is not None else None
        if action == "upload":
            return True if self._uploadable() is not None else None
        return True

    def _cancellable(self) -> Job | None:
        running = (job for job in self._jobs if is_active(job))
        return next((job for job in running if job.status is not JobStatus.CANCELLING), None)

    def _uploadable(self) -> StoredBackup | None:
        """The selected local backup if it is known not to be in S3, and can be trusted."""
        there = self._s3.value
        if self._active != "local" or there is None or self._s3.problem is not None:
            return None
        backup = self.query_one("#local", BackupPane).table.selected
        if backup is None or backup.name.relative_path in there.sizes:
            return None
        return backup if standing(backup, {}) is Standing.COMPLETE else None

    def action_backup(self) -> None:
        """Ask, then back up."""
        question = ask_backup(self._settings, self._local, self._s3, self._now())
        self._ask(question, lambda: self._work.start("backup", {}))

    def action_cancel(self) -> None:
        """Ask, then cancel."""
        job = self._cancellable()
        if job is not None:
            self._ask(ask_cancel(job, self._now()), lambda: self._work.cancel(job))

    def action_upload(self) -> None:
        """Ask, then copy the selected local backup to S3."""
        backup = self._uploadable()
        if backup is not None:
            question = ask_upload(self._settings, backup, self._now())
            request = {"filename": backup.name.filename}
            self._ask(question, lambda: self._work.start("upload", dict(request)))

    def action_dismiss_notice(self) -> None:
        """Take the notice about an ended job off the screen."""
        job = job_to_show(self._jobs, self._dismissed, self._now())
        if job is not None and not is_active(job):
            self._dismissed.add(job.id)
            self._show_jobs()

    def action_reload(self) -> None:
        """Read everything again."""
        self._feeds.reload()

    def action_palette(self) -> None:
        """All commands."""
        self.app.action_command_palette()

    def action_help(self) -> None:
        """All keys."""
        self.app.push_screen(HelpScreen())

    def action_quit(self) -> None:
        """Close the console; jobs go on."""
        self.app.exit()

    def _ask(self, question: Confirmation, do: Callable[[], None]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                do()

        self.app.push_screen(ConfirmScreen(question), answered)


def _ended_between(before: tuple[Job, ...], after: tuple[Job, ...]) -> bool:
    """Whether a job that ran before does not run any more."""
    running = {job.id for job in after if is_active(job)}
    return any(is_active(job) and job.id not in running for job in before)
