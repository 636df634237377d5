"""The pane that shows the logs, and what can be done by key in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from pgconsole.actions import Where, actions_of
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job
from pgconsole.logs.lines import LEVELS
from pgconsole.logs.query import ALWAYS, Query, pattern_of, test_of, window_of
from pgconsole.logs.requests import Copied, Copy, Find, Found, Save, Saved
from pgconsole.screens.log_talk import LogKnown, LogTalk
from pgconsole.screens.new_file import new_file
from pgconsole.screens.sources import LogPlaces
from pgconsole.settings import Settings
from pgconsole.widgets import log_words
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.console import key_map_of
from pgconsole.widgets.filter_line import FilterLine
from pgconsole.widgets.log_view import LogView
from pgconsole.widgets.pane import Pane
from pgconsole.widgets.problem import notify_problem
from pgconsole.widgets.words import clean, counted

_WINDOWS = "15m, 2h, 02:00, 02:00..03:30, 2026-02-25 02:00"
_ORDERS = {Find: "searching", Save: "saving", Copy: "copying"}


class LogPane(Pane):
    """All logs as one, or one job's.

    Args:
        settings: What the operator configured.
        places: Where the logs are.
        now: The clock.
        number: The key that goes there; None: there is none.
        job: The id of the job that it is about; empty: all logs, and `[` and `]` step through jobs.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(actions_of(Where.LOG))

    def __init__(
        self,
        settings: Settings,
        places: LogPlaces,
        now: Callable[[], datetime],
        number: int | None,
        *,
        job: str = "",
    ) -> None:
        self._zone = settings.backup_timezone
        self.view = LogView(self._zone, kinds=not job)
        super().__init__("log", number, ("Log", "Log"), self.view)
        self._talk = LogTalk(
            self.view, Query(job=job), partial(places, job), self.post_message, settings.redactor
        )
        self._now = now
        self._fixed = job
        self._jobs: Sequence[Job] = ()
        self._was_narrowed = False
        self._filter = FilterLine(lambda: self.view)
        self._search = FilterLine(
            lambda: self.view, "?", "search for an expression", id="log-search"
        )
        self._line = FilterLine(lambda: self.view, id="log-line")  # in which all else is typed
        self._take: Callable[[str], None] | None = None  # takes that

    def compose(self) -> ComposeResult:
        """The words for a state, the lines, what is typed, the line about all that."""
        yield self.notice
        yield self.view
        yield self._search
        yield self._filter
        yield self._line
        yield self.info

    def on_mount(self) -> None:
        """Paint first, then read."""
        self.call_after_refresh(self._talk.start)

    def on_unmount(self) -> None:
        """Leaving waits for nobody."""
        self._talk.stop()

    @property
    def job(self) -> str:
        """The id of the job that it is narrowed to; empty if it is not."""
        return self._talk.query.job

    @property
    def tab_text(self) -> str:
        """See `Pane`. It is short: all tabs share a line."""
        text = log_words.tab(self._state(self._now()))
        return f"{self.number} Log · {text}" if text else f"{self.number} Log"

    def show_jobs(self, jobs: Sequence[Job]) -> None:
        """Which jobs there are, the newest first."""
        self._jobs = jobs

    def move(self, where: str) -> None:
        """Scroll."""
        self.view.move(where)

    def tick(self, now: datetime) -> None:
        """Say what is shown, and let ages grow."""
        state = self._state(now)
        if self._is_narrowed is not self._was_narrowed:
            self._was_narrowed = self._is_narrowed
            self.refresh_bindings()
        self.say(*log_words.notice(state))
        self.set_count(log_words.heading(state))
        self.tell_age(log_words.info(state, self.size.width - 4))

    def _state(self, now: datetime) -> log_words.LogState:
        talk, viewport = self._talk, self.view.viewport
        top = viewport.line(viewport.top)
        return log_words.LogState(
            now=now,
            zone=self._zone,
            query=talk.query,
            job=next((job for job in self._jobs if job.id == self.job), None),
            answer=talk.answer,
            problem=talk.problem,
            following=viewport.following,
            top=top.time if top is not None else None,
            marked=self.view.marked_count,
            order=_ORDERS[type(talk.order)] if talk.order is not None else "",
            busy=talk.busy,
            keys=key_map_of(self),
        )

    # What the reading thread says

    @on(LogKnown)
    def _known(self, message: LogKnown) -> None:
        done = self._talk.take(message)
        if isinstance(done, Found):
            self._found(done)
        elif isinstance(done, Copied):
            self._copied(done)
        elif done is not None:
            self._saved(done)
        answer = self._talk.answer
        if answer is not None and self._talk.query.filter == self._filter.text:
            self._filter.say(f"{answer.count:,} of {answer.total:,}")
        self.tick(self._now())

    @on(LogView.Moved)
    def _moved(self) -> None:
        self._talk.ask()
        self.tick(self._now())

    def _found(self, found: Found) -> None:
        if found.order.pattern is not self.view.viewport.layout.pattern:
            return  # something else is searched for by now
        if found.key is None:
            self.view.forget_found()
            self._search.say("no match")
            return
        self.view.reveal(found.key)
        around = f"on from the {'end' if found.order.back else 'start'} · " if found.around else ""
        key = key_map_of(self).key
        self._search.say(f"{around}{key('next_match')} next, {key('previous_match')} before")

    def _copied(self, copied: Copied) -> None:
        if copied.text:
            self.app.copy_to_clipboard(copied.text)
        else:
            key = key_map_of(self).key("save")
            text = f"{copied.count:,} lines are too many for a terminal: {key} saves them"
            self.notify(text, severity="warning", markup=False)

    def _saved(self, saved: Saved) -> None:
        if saved.problem is not None:
            notify_problem(self, saved.problem)
            return
        text = f"{counted(saved.lines, 'line')} in {clean(str(saved.order.path))}"
        self.notify(text, title="Saved", markup=False)

    # Which lines

    def _want(self, **changes: object) -> None:
        query = replace(self._talk.query, **changes)  # type: ignore[arg-type]
        self._talk.want(query)
        self.view.lay_out(replace(self.view.viewport.layout, kinds=not query.job))
        self.tick(self._now())

    def action_filter(self) -> None:
        """Type a filter."""
        self._filter.open()

    @on(FilterLine.Changed)
    def _typed(self, message: FilterLine.Changed) -> None:
        message.line.say("")
        if message.line is self._filter:
            try:
                test_of(message.text)
            except PgconsoleError as error:
                self._filter.say(f"! {error.cause}")
            else:
                self._want(filter=message.text)

    def action_level(self) -> None:
        """Leave out lines that want less attention; after the last level: none."""
        rank = LEVELS.index(self._talk.query.level) + 1
        self._want(level=LEVELS[rank % len(LEVELS)])

    def action_window(self) -> None:
        """Type a window of time."""
        self._ask(self._set_window, "T", _WINDOWS)

    def _set_window(self, text: str) -> None:
        self._want(window=window_of(text, self._now(), self._zone))

    def action_older_job(self) -> None:
        """Only the newest job; then the one before."""
        self._step(1)

    def action_newer_job(self) -> None:
        """The job after; after the newest: all."""
        self._step(-1)

    def action_all_jobs(self) -> None:
        """All jobs and the scheduler."""
        self._want(job=self._fixed)

    def _step(self, older: int) -> None:
        ids = ["", *(job.id for job in self._jobs)]
        at = ids.index(self.job) + older if self.job in ids else 0
        if not self._fixed and 0 <= at < len(ids):
            self._want(job=ids[at])

    def action_clear(self) -> None:
        """Take back what was narrowed, one thing at a time."""
        query = self._talk.query
        if self.view.marked is not None:
            self.view.end_marking()
        elif self._search.text:
            self._search.action_clear()
        elif self._filter.text:
            self._filter.action_clear()
        elif query.window:
            self._want(window=ALWAYS)
        elif query.level is not LEVELS[0]:
            self._want(level=LEVELS[0])
        else:
            self.action_all_jobs()

    @property
    def _is_narrowed(self) -> bool:
        """Whether there is something to take back."""
        query, typed = self._talk.query, self._search.text or self._filter.text
        narrowed = query.window or query.level is not LEVELS[0] or query.job != self._fixed
        return bool(self.view.marked is not None or typed or narrowed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is nothing to take back, its key goes back, as the footer says."""
        return action != "clear" or self._is_narrowed

    # Search

    def action_search(self) -> None:
        """Type what to search for."""
        self._search.open()

    def action_next_match(self) -> None:
        """The next match towards the end."""
        self._go_on(back=False)

    def action_previous_match(self) -> None:
        """The next match towards the beginning."""
        self._go_on(back=True)

    def _search_for(self, text: str) -> None:
        """Look for something else in what is in view, then in older lines."""
        layout = self.view.viewport.layout
        pattern = pattern_of(text) if text else None
        self.view.forget_found()
        self.view.lay_out(replace(layout, pattern=pattern))
        self._talk.give(None)
        if pattern is not None:
            self._go_on(back=True)

    def _go_on(self, *, back: bool) -> None:
        pattern = self.view.viewport.layout.pattern
        if pattern is None:
            self.action_search()
            return
        self._search.say("searching …")
        after = self.view.search_from(back=back)
        self._talk.give(Find(self._talk.new_number(), pattern, after, back))

    # Lines taken away

    def action_copy(self) -> None:
        """Begin to mark lines; then copy them."""
        marked = self.view.marked
        if marked is None:
            self.view.begin_marking()
        else:
            self.view.end_marking()
            self._talk.give(Copy(self._talk.new_number(), *marked))

    def action_save(self) -> None:
        """Type where to save what is shown."""
        name = f"pgconsole-{self.job or 'logs'}-{self._now():%Y%m%d_%H%M%S}.log"
        self._ask(self._save_as, "S", "a file that is not there yet", name)

    def _save_as(self, text: str) -> None:
        self._talk.give(Save(self._talk.new_number(), new_file(text)))
        self.tick(self._now())

    # How they are shown

    def action_move(self, where: str) -> None:
        """Scroll."""
        self.view.move(where)

    def action_follow(self) -> None:
        """Pause, or go to the end and follow it."""
        self.view.toggle_following()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        layout = self.view.viewport.layout
        self.view.lay_out(replace(layout, wrap=not layout.wrap, left=0))

    def action_shift(self, where: str) -> None:
        """Scroll cut lines sideways."""
        self.view.shift(where)

    # What is typed

    def _ask(self, take: Callable[[str], None], sign: str, hint: str, text: str = "") -> None:
        self._take = take
        self._line.ask(sign, hint, text)

    @on(FilterLine.Left)
    def _left(self, message: FilterLine.Left) -> None:
        line = message.line
        try:
            if line is self._search:
                self._search_for(line.text)
            elif line is self._line:
                line.display = False
                if self._take is not None and line.text:
                    self._take(line.text)
        except PgconsoleError as error:  # what was typed can be corrected
            line.correct(f"! {error.cause}: {error.fix}")
