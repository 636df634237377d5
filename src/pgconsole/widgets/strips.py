"""The strips on top: where we are, whether the backups are good, what is running."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal

from pgconsole.jobs import Job, JobStatus
from pgconsole.settings import Settings
from pgconsole.status.past_jobs import is_active
from pgconsole.status.verdict import Verdict
from pgconsole.widgets.answer import answer
from pgconsole.widgets.health import GLYPHS, OF_STATE, STYLES
from pgconsole.widgets.job_notice import figures, outcome, title
from pgconsole.widgets.line import Key, Line, Part
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import clean, clipped, span, zone_name

_BAR_FULL, _BAR_REST = "━", "─"
_SIGN = 2  # cells
_GUTTER = 6  # the sign, and the padding of a high window


class HeaderStrip(Line):
    """The program, what holds here, the database and its server, and the schedule's clock."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(id="header", classes="-protected" if settings.protected else None)
        self._settings = settings
        self._now: datetime | None = None

    def on_resize(self) -> None:
        """Fill the new width."""
        if self._now is not None:
            self.tick(self._now)

    def tick(self, now: datetime) -> None:
        """Show the time."""
        self._now = now
        settings = self._settings
        zone = settings.backup_timezone
        form = "%H:%M" if settings.low_bandwidth else "%H:%M:%S"
        clock = f"{now.astimezone(zone):{form}} {zone_name(zone, now)}"
        server = f" on {clean(settings.pghost)}:{settings.pgport}"
        words = [f" {word} " for word, holds in _modes(settings) if holds]
        room = self.size.width - len(" pgconsole    ") - len(clock) - 2
        room -= sum(len(word) + 1 for word in words)
        muted = "" if settings.protected else "$muted"
        database = clipped(clean(settings.pgdatabase), max(12, room - len(server)))
        server = clipped(server, max(8, room - len(database)))
        gap = " " * max(1, room - len(database) - len(server))
        self.show(
            (" pgconsole ", "$header-brand bold"),
            "   ",
            *(part for word in words for part in ((word, "bold reverse"), " ")),
            (database, "bold"),
            (server, muted),
            gap,
            (f"{clock} ", muted),
        )


def _modes(settings: Settings) -> tuple[tuple[str, bool], ...]:
    return ("READ-ONLY", settings.read_only), ("PROTECTED", settings.protected)


class _Strip(Horizontal):
    """A sign, and lines beside it that wrap by themselves."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name, classes="strip")
        self._sign = Line(classes="strip-sign")
        self._text = Line(classes="strip-text")

    def compose(self) -> ComposeResult:
        """The two columns."""
        yield self._sign
        yield self._text

    def _show(self, sign: str, style: str, *parts: Part) -> None:
        self._sign.show((sign, f"{style} bold"))
        self._text.show(*parts)


class StatusStrip(_Strip):
    """Are my backups good? What would be lost now? When is the next run due?"""

    def __init__(self, settings: Settings) -> None:
        super().__init__("status")
        self._settings = settings
        self._again: Callable[[], None] = lambda: None
        self._is_whole = False

    @property
    def is_whole(self) -> bool:
        """Whether all of the verdict is on the screen."""
        return self._is_whole

    def on_resize(self) -> None:
        """Fill the new width."""
        self._again()

    def judge(self, verdict: Verdict, due: tuple[str, bool]) -> None:
        """Show a verdict, and what to expect next; True: that is cause for worry."""
        self._again = partial(self._show_verdict, verdict, due)
        self._again()

    def _show_verdict(self, verdict: Verdict, due: tuple[str, bool]) -> None:
        level = OF_STATE[verdict.state]
        width = max(20, (self.container_size.width or 80) - _SIGN - self.gutter.width)
        shown = answer(verdict, due, self._settings, width)
        self._is_whole = shown.is_whole
        between = "\n" if shown.below else " "
        rest: list[Part] = []
        for text, worry in shown.rest:
            rest.append((f"! {text}", "$text-warning") if worry else (text, "$muted"))
            rest.append((" · ", "$muted"))
        style = STYLES[level]
        after = [between, *rest[:-1]] if rest else []
        self._show(GLYPHS[level], style, (shown.text, f"{style} bold"), *after)


class JobStrip(_Strip):
    """The running job, or how the last one ended as long as that is news.

    Attributes:
        job_id: Of the job that it shows.
    """

    def __init__(self) -> None:
        super().__init__("job")
        self.job_id: str | None = None
        self.display = False
        self._again: Callable[[], None] = lambda: None

    def on_resize(self) -> None:
        """Fill the new width."""
        self._again()

    def show_job(
        self, job: Job | None, progress: Progress, now: datetime, *, running: int, told: str
    ) -> None:
        """Show a job.

        Args:
            job: None: nothing worth saying.
            progress: Of that job, if it runs.
            now: The time.
            running: How many jobs run.
            told: Id of the job whose cause the status tells.
        """
        self.display = job is not None
        self.job_id = job.id if job is not None else None
        if job is None:
            return
        if is_active(job):
            self._again = partial(self._show_running, job, progress, now, running)
            self._again()
            return
        self._again = lambda: None  # wraps by itself
        level, headline, second = outcome(job, now, cause_told=job.id == told)
        below = f"{second}   " if second else ""
        self._show(
            GLYPHS[level],
            STYLES[level],
            (headline, STYLES[level]),
            (f"\n{below}", "$muted"),
            (Key("dismiss_notice"), "$text-primary bold"),
            (" dismisses this", "$muted"),
        )

    def _show_running(self, job: Job, progress: Progress, now: datetime, running: int) -> None:
        word = {JobStatus.QUEUED: "starting", JobStatus.CANCELLING: "cancelling"}.get(
            job.status, "running"
        )
        more = f" (+{running - 1} more)" if running > 1 else ""
        head = f"{title(job)} {word}{more}"
        phase = clean(progress.phase or job.phase)
        numbers = figures(progress)
        amount = numbers[0] if numbers else ""
        so_far = f"{span(now - (job.started_at or job.created_at))} so far"
        rest = "   ".join([*numbers[1:], so_far])
        room = self.size.width - _GUTTER - len(rest)
        by = f"   by {clean(job.actor)}"
        if progress.table:
            table = clipped(clean(progress.table), max(16, room - 3))
            rest = f"{table}   {rest}"
        below = rest + by if len(rest + by) <= self.size.width - _GUTTER else rest
        style = "$muted"
        if silence := progress.silence(now):
            reason = clean(progress.reason) or "why is not known yet"
            below, style = f"! no byte for {silence:.0f} s: {reason}", "$text-warning"
        self._show(
            "●",
            "$text-primary",
            (head, "$text-primary bold"),
            (f"  {phase}  ", "bold"),
            *self._bar(progress, len(head) + len(phase) + len(amount)),
            amount,
            (f"\n{below}", style),
        )

    def _bar(self, progress: Progress, taken: int) -> list[Part]:
        share = progress.share
        if share is None:
            return []
        width = max(8, min(60, self.size.width - taken - 16))
        full = round(share * width)
        return [
            (_BAR_FULL * full, "$text-primary"),
            (_BAR_REST * (width - full), "$faint"),
            f" {share:>4.0%}  ",
        ]
