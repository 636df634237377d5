"""A job opened: how it stands, its phases and log, what it came to, the commands it ran."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from pgconsole.actions import Where, actions_of
from pgconsole.jobs import Job
from pgconsole.screens.base import Offer, screen_for
from pgconsole.screens.job_feed import JobFeed, JobKnown, JobView
from pgconsole.screens.job_work import JobWorkScreen
from pgconsole.screens.log_pane import LogPane
from pgconsole.screens.sources import Sources
from pgconsole.screens.work import Accepted
from pgconsole.settings import Settings
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.checks import checks_of
from pgconsole.widgets.job_notice import title
from pgconsole.widgets.job_text import (
    about_text,
    commands_text,
    ended_text,
    phases_text,
    result_text,
)
from pgconsole.widgets.key_footer import KeyFooter
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line
from pgconsole.widgets.log_view import LogView
from pgconsole.widgets.pane import Pane, age_text
from pgconsole.widgets.pane_tabs import PaneTab, PaneTabs
from pgconsole.widgets.problem import problem_text
from pgconsole.widgets.strips import JobStrip
from pgconsole.widgets.text_view import TextView
from pgconsole.widgets.words import clean

_TABS = {"course": "Course", "result": "Result", "commands": "Commands"}


class JobScreen(JobWorkScreen, inherit_bindings=False):
    """One job.

    Args:
        settings: What the operator configured.
        job_id: Which job.
        sources: Where the data comes from.
        now: The clock.
    """

    WHERE = Where.JOB
    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.JOB))

    def __init__(
        self, settings: Settings, job_id: str, sources: Sources, now: Callable[[], datetime]
    ) -> None:
        super().__init__(settings, sources, now)
        self._job_id = job_id
        self._feed = JobFeed(settings, sources, job_id, self.post_message, now)
        self._known: Known[JobView] = Known()
        self._active = ""
        self._strip = JobStrip()
        self._ended = Line(classes="inside-facts")
        self._about = Line(classes="job-about")
        self._tab_line = PaneTabs(tuple(_TABS))
        self._phases = Line(classes="job-phases")
        self._throughput = Line(classes="job-throughput")
        self._log = LogPane(settings, sources.logs, now, None, job=job_id)
        self._log.add_class("-active")
        self._result = TextView(id="result")
        self._commands = TextView(id="commands")

    def compose(self) -> ComposeResult:
        """Name, how it stands, tabs, what one of them shows, footer."""
        yield self.title_line
        yield self._strip
        yield self._ended
        yield self._about
        yield self._tab_line
        yield self.notice
        with ContentSwitcher(initial="course"):
            with Vertical(id="course"):
                yield self._phases
                yield self._throughput
                yield self._log
            yield self._result
            yield self._commands
        yield KeyFooter()

    @property
    def job(self) -> Job | None:
        """See `JobWorkScreen`."""
        view = self._view
        return view.job if view is not None else None

    @property
    def _view(self) -> JobView | None:
        return self._known.so_far or self._known.value

    def offers(self) -> list[Offer]:
        """See `ConsoleScreen`; where its log is shown what there are keys for in that, too."""
        if self._body is not self._log.view:
            return super().offers()
        return [*super().offers(), *self.offers_in(Where.LOG, self._log)]

    def start(self) -> None:
        """Begin to read."""
        self._log.view.focus()
        self._feed.start()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._feed.stop()

    def tick(self) -> None:
        """Let ages grow."""
        view, now = self._view, self.now()
        name = "Job" if view is None else title(view.job)
        self.title_line.show((f" {name} ", "bold"), (f" {self._job_id}", "$muted"))
        self._show_notice(now)
        self._log.tick(now)
        self._show_tabs()
        if view is not None:
            self._log.show_jobs((view.job,))
            self._show_job(view, now)

    # What the feed brings

    @on(JobKnown)
    def _job_known(self, message: JobKnown) -> None:
        self._known = message.known
        job = self.job
        if job is not None and not self._active:
            # What a job has checked or met is what one wants to see of it first.
            of_interest = job.problems or checks_of(job.result or {})
            self.action_tab("result" if of_interest else "course")
        self.show_keys()
        self.tick()

    @on(Accepted)
    def _accepted(self, message: Accepted) -> None:
        self._feed.refresh()
        if message.started:
            screen = screen_for(JobScreen, self.settings)
            self.app.push_screen(screen(self.settings, message.started, self.sources, self.now))

    # Drawing

    def _show_notice(self, now: datetime) -> None:
        known, view = self._known, self._view
        problem = known.problem or (view.log_problem if view is not None else None)
        parts = problem_text(problem) if problem is not None else []
        if view is None and not parts:
            text = f"Reading job {clean(self._job_id)} …\n{age_text(known, now)}".rstrip()
            parts = [(text, "$muted")]
        self.notice.show(*parts)
        self.notice.display = bool(parts)

    def _show_job(self, view: JobView, now: datetime) -> None:
        job, course, zone = view.job, view.course, self.settings.backup_timezone
        running = not job.status.ended
        self._strip.show_job(job if running else None, course.progress, now, running=1, told="")
        self._ended.set_class(running, "-hidden")
        if not running:
            self._ended.show(*ended_text(job, now))
        self._about.show(*about_text(job, zone, now))
        width = self.size.width - 2
        self._phases.show(*phases_text(job, course, zone, now, width))
        throughput = course.throughput
        if running and course.progress.silence(now):
            throughput = throughput.until(now)
        text = throughput.text(width)
        self._throughput.show((text, "$text-primary"))
        self._throughput.set_class(not text, "-hidden")
        self._result.show(*result_text(job, view.printed))
        self._commands.show(*commands_text(job, course, zone))

    @on(Pane.Retitled)
    def _show_tabs(self) -> None:
        paused = "" if self._log.view.viewport.following else " · log paused"
        texts = {
            tab: f"{number} {name}{paused if tab == 'course' else ''}"
            for number, (tab, name) in enumerate(_TABS.items(), start=1)
        }
        self._tab_line.show(texts, self._active or "course")

    # Tabs and the log

    @on(PaneTab.Chosen)
    def _tab_chosen(self, message: PaneTab.Chosen) -> None:
        self.action_tab(message.pane)

    def action_tab(self, name: str) -> None:
        """Go to a tab."""
        self.remove_class("-log-full")
        self._active = name
        self.query_one(ContentSwitcher).current = name
        self._body.focus()
        self._show_tabs()

    def action_next_tab(self) -> None:
        """Go to the next tab."""
        self.action_tab(self._tab_line.beside(self._active or "course", 1))

    def action_previous_tab(self) -> None:
        """Go to the tab before."""
        self.action_tab(self._tab_line.beside(self._active or "course", -1))

    @property
    def _body(self) -> LogView | TextView:
        texts = {"result": self._result, "commands": self._commands}
        return texts.get(self._active) or self._log.view

    def action_move(self, where: str) -> None:
        """Move in the log or in the text."""
        self._body.move(where)
        self._show_tabs()

    def action_log_full(self) -> None:
        """Show the log on the whole screen, or go back."""
        full = self.has_class("-log-full")
        self.action_tab("course")
        self.set_class(not full, "-log-full")

    def action_reload(self) -> None:
        """Read again now."""
        self._feed.refresh()
