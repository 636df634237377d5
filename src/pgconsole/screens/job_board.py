"""What the main screen knows of the jobs: which there are, which is followed, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pgconsole.jobs import Job, JobStatus
from pgconsole.screens.feeds import Growth
from pgconsole.status.past_jobs import is_active
from pgconsole.widgets.job_notice import job_to_show
from pgconsole.widgets.progress import Progress, ProgressMeter


class JobBoard:
    """The jobs, the newest first, and the one whose progress is read.

    Args:
        since: What ended before is no news.
    """

    def __init__(self, since: datetime) -> None:
        self._since = since
        self.jobs: tuple[Job, ...] = ()
        self.followed: Job | None = None
        self._dismissed: set[str] = set()
        self._meter = ProgressMeter()

    @property
    def running(self) -> int:
        """How many jobs run."""
        return sum(map(is_active, self.jobs))

    @property
    def cancellable(self) -> Job | None:
        """The newest job that runs and was not told to stop yet."""
        for job in self.jobs:
            if is_active(job) and job.status is not JobStatus.CANCELLING:
                return job
        return None

    def take(self, jobs: tuple[Job, ...]) -> list[Job]:
        """Take in the jobs as they are now.

        Returns:
            Those that have ended since the last time, also if they had not begun then.
        """
        before = {job.id: job for job in self.jobs}
        self.jobs = jobs
        return [job for job in jobs if not is_active(job) and self._is_new(job, before)]

    def _is_new(self, job: Job, before: Mapping[str, Job]) -> bool:
        if job.id in before:
            return is_active(before[job.id])
        # An interrupted job has no end that anybody knows.
        return job.finished_at is not None and job.finished_at >= self._since

    def follow(self) -> bool:
        """Decide whose progress is read: a running job's, else the newest's.

        Returns:
            Whether it is another job than before.
        """
        before = self.followed
        active = (job for job in self.jobs if is_active(job))
        self.followed = wanted = next(active, self.jobs[0] if self.jobs else None)
        return wanted is not None and (before is None or before.id != wanted.id)

    def grew(self, growth: Growth) -> bool:
        """Take in new entries of a journal; False if they are of a job not followed any more."""
        if self.followed is None or growth.job_id != self.followed.id:
            return False
        if growth.first:
            self._meter = ProgressMeter()
        for entry in growth.entries:
            self._meter.feed(entry)
        return True

    def notice(self, now: datetime) -> tuple[Job | None, Progress]:
        """The job that the strip shows, and how far it is."""
        job = job_to_show(self.jobs, self._dismissed, now)
        same = job is not None and self.followed is not None and job.id == self.followed.id
        return job, self._meter.progress if same else Progress()

    def dismiss(self, now: datetime) -> None:
        """Take the notice about an ended job off the screen."""
        job, _ = self.notice(now)
        if job is not None and not is_active(job):
            self._dismissed.add(job.id)
