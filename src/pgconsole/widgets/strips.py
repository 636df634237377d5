"""The strips on top: where we are, whether the backups are good, what is running."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from pgconsole.jobs import Job, JobStatus
from pgconsole.settings import Settings
from pgconsole.widgets.health import Level, Verdict, is_active
from pgconsole.widgets.job_notice import figures, outcome, title
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.progress import Progress
from pgconsole.widgets.words import ago, clean, clipped, stamp, until, zone_name

GLYPHS = {Level.GOOD: "✓", Level.WARNING: "!", Level.BAD: "✗", Level.UNKNOWN: "?"}
STYLES = {
    Level.GOOD: "$text-success",
    Level.WARNING: "$text-warning",
    Level.BAD: "$text-error",
    Level.UNKNOWN: "$text-warning",
}
_BAR_FULL, _BAR_REST = "━", "─"


class HeaderStrip(Line):
    """The program, the database and its server, and the clock of the schedule's time zone."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(id="header")
        self._settings = settings

    def tick(self, now: datetime) -> None:
        """Show the time."""
        settings = self._settings
        zone = settings.backup_timezone
        clock = f"{now.astimezone(zone):%H:%M:%S} {zone_name(zone, now)}"
        server = f" on {clean(settings.pghost)}:{settings.pgport}"
        room = self.size.width - len(" pgconsole    ") - len(clock) - 2
        database = clipped(clean(settings.pgdatabase), max(12, room - len(server)))
        server = clipped(server, max(8, room - len(database)))
        gap = " " * max(1, room - len(database) - len(server))
        self.show(
            (" pgconsole ", "$header-brand bold"),
            "   ",
            (database, "bold"),
            (server, "$text-muted"),
            gap,
            (f"{clock} ", "$text-muted"),
        )


class StatusStrip(Line):
    """Are my backups good? What would a restore lose? When is the next run due?"""

    def __init__(self, settings: Settings) -> None:
        super().__init__(id="status")
        self._zone = settings.backup_timezone

    def judge(self, verdict: Verdict, next_run: datetime | None, now: datetime) -> None:
        """Show a verdict."""
        style = STYLES[verdict.level]
        parts: list[Part] = [(f"{GLYPHS[verdict.level]} ", f"{style} bold"), (verdict.text, style)]
        below = []
        if verdict.lost_since is not None:
            moment = f"{stamp(verdict.lost_since, self._zone)} "
            moment += zone_name(self._zone, verdict.lost_since)
            below.append(f"A restore would lose changes since {moment}")
        if next_run is not None:
            below.append(f"next run due {until(next_run, now)}")
        if below:
            text = " · ".join(below)
            parts.append((f"\n  {text[0].upper()}{text[1:]}", "$text-muted"))
        self.show(*parts)


class JobStrip(Line):
    """The running job, or how the last one ended as long as that is news."""

    def __init__(self) -> None:
        super().__init__(id="job")
        self.display = False

    def show_job(self, job: Job | None, progress: Progress, now: datetime, running: int) -> None:
        """Show a job.

        Args:
            job: None: nothing worth saying.
            progress: Of that job, if it runs.
            now: The time.
            running: How many jobs run.
        """
        self.display = job is not None
        if job is None:
            return
        self.set_class(not is_active(job), "-ended")
        if is_active(job):
            self._show_running(job, progress, now, running)
        else:
            level, headline, second = outcome(job, now)
            style = STYLES[level]
            dismiss = ("   x dismisses this", "$text-disabled")
            below: list[Part] = [(f"\n  {second}", "$text-muted")] if second else []
            self.show((f"{GLYPHS[level]} {headline}", style), *below, dismiss)

    def _show_running(self, job: Job, progress: Progress, now: datetime, running: int) -> None:
        word = {JobStatus.QUEUED: "starting", JobStatus.CANCELLING: "cancelling"}.get(
            job.status, "running"
        )
        more = f" (+{running - 1} more)" if running > 1 else ""
        head = f"● {title(job)} {word}{more}  "
        phase = clean(progress.phase or job.phase or "")
        numbers = figures(progress)
        bar = self._bar(progress, len(head) + len(phase) + 2 + len(numbers[0] if numbers else ""))
        top: list[Part] = [(head, "$text-primary bold"), (f"{phase}  ", "bold"), *bar]
        if numbers:
            top.append(numbers[0])
        started = f"started {ago(job.started_at or job.created_at, now)} by {clean(job.actor)}"
        table = clean(progress.table) if progress.table else ""
        rest = "   ".join([*numbers[1:], started])
        room = max(10, self.size.width - len(rest) - 8)
        below = f"{clipped(table, room)}   {rest}" if table else rest
        self.show(*top, (f"\n  {below}", "$text-muted"))

    def _bar(self, progress: Progress, taken: int) -> list[Part]:
        share = progress.share
        if share is None:
            return []
        width = max(8, min(60, self.size.width - taken - 12))
        full = round(share * width)
        return [
            (_BAR_FULL * full, "$text-primary"),
            (_BAR_REST * (width - full), "$text-disabled"),
            Content(f" {share:>4.0%}  "),
        ]
