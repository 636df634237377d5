"""The job strip of screens that lie above the main screen, fed by a thread of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from textual.message import Message

from pgconsole.jobs import Job
from pgconsole.screens.feed import Feed
from pgconsole.screens.feeds import Growth
from pgconsole.screens.job_board import JobBoard
from pgconsole.screens.pace import drawn_at, paced
from pgconsole.screens.sources import Journal, Sources
from pgconsole.settings import Settings
from pgconsole.widgets.known import Known
from pgconsole.widgets.strips import JobStrip

_EVERY = 0.5  # seconds


@dataclass
class JobLineKnown(Message):
    """What is known of the jobs, and what is new in the log of the one that is followed."""

    known: Known[tuple[tuple[Job, ...], Growth | None]]


class JobLine:
    """Which job runs, how far it is, and how it ended. Only of jobs of this screen's time.

    Args:
        settings: For the redactor.
        sources: Where the data comes from.
        post: Takes messages from any thread.
        now: The clock.

    Attributes:
        strip: Shows it.
        board: Knows it.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        post: Callable[[Message], bool],
        now: Callable[[], datetime],
    ) -> None:
        self.strip = JobStrip()
        self._opened_at = now()
        self.board = JobBoard(self._opened_at)
        self._sources = sources
        self._now: Callable[[], datetime] = lambda: drawn_at(now(), settings)
        self._reading: tuple[str, Journal] | None = None

        def deliver(known: Known[tuple[tuple[Job, ...], Growth | None]]) -> None:
            post(JobLineKnown(known))

        self._feed: Feed[tuple[tuple[Job, ...], Growth | None]] = Feed(
            "The list of jobs", lambda _: self._read(), deliver,
            every=paced(_EVERY, settings), now=now, redact=settings.redactor,
        )  # fmt: skip

    def start(self) -> None:
        """Begin to read."""
        self._feed.start()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._feed.stop()

    def refresh(self) -> None:
        """Read again now."""
        self._feed.refresh()

    def take(self, message: JobLineKnown) -> list[Job]:
        """Show what came; the jobs that have ended since the last time."""
        known = message.known
        if known.value is None or known.asked_at is not None or known.problem is not None:
            return []
        jobs, growth = known.value
        ended = self.board.take(jobs)
        self.board.follow()
        if growth is not None:
            self.board.grew(growth)
        self.tick()
        return ended

    def tick(self) -> None:
        """Let ages grow."""
        now = self._now()
        job, progress = self.board.notice(now)
        self.strip.show_job(job, progress, now, running=self.board.running, told="")

    def dismiss(self) -> None:
        """Take the notice about an ended job off the screen."""
        self.board.dismiss(self._now())
        self.tick()

    def _read(self) -> tuple[tuple[Job, ...], Growth | None]:
        jobs = tuple(
            job for job in self._sources.jobs()
            if not job.status.ended or (job.finished_at or job.created_at) >= self._opened_at
        )  # fmt: skip
        job = next((one for one in jobs if not one.status.ended), jobs[0] if jobs else None)
        if job is None:
            return jobs, None
        first = self._reading is None or self._reading[0] != job.id
        if self._reading is None or first:
            self._reading = (job.id, self._sources.journal(job))
        entries = self._reading[1].read()
        return jobs, Growth(job.id, entries, first) if entries or first else None
