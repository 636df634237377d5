"""All jobs there are, however many: read page by page, and those that have ended only once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from pgconsole.jobs.spec import parse_id
from pgconsole.jobs.store import Job, jobs_directory, look, unlistable
from pgconsole.settings import Settings


class News(NamedTuple):
    """What has changed since the last look.

    Attributes:
        ended: Jobs that have ended, or that have come and had ended before.
        began: Jobs that have come and run.
        gone: Ids of jobs whose directories are not there any more.
    """

    ended: list[Job]
    began: list[Job]
    gone: set[str]


class JobPages:
    """The jobs of a backup directory, the newest first. Not for several threads.

    Of jobs that have ended it keeps the names only: whoever wants them keeps what is read.

    Args:
        settings: Whose jobs.
    """

    def __init__(self, settings: Settings) -> None:
        self._directory = jobs_directory(settings)
        self._names: set[str] = set()
        self._unread: list[str] = []  # the oldest first
        self._oldest = ""  # of those that were read
        self._active: dict[str, Job] = {}
        self._written = 0  # nanoseconds: when the directory last changed
        self._is_settled = False  # listed since then, and once more

    @property
    def active(self) -> Mapping[str, Job]:
        """Those that had not ended when they were looked at last, by id."""
        return self._active

    @property
    def unread(self) -> int:
        """How many older ones were not read yet, or a few less: any other name counts too."""
        return len(self._unread)

    def renew(self) -> News:
        """Look again at what had not ended, and for what has come since the last time.

        Raises:
            StorageError: The directory of all jobs can't be read.
        """
        names = self._list()
        gone = self._names - names
        running = [job_id for job_id in self._active if job_id not in gone]
        ended = [job for job in map(self._read, running) if job.status.ended]
        come = self._take(names, gone)
        ended += [job for job in come if job.status.ended]
        return News(ended, [job for job in come if not job.status.ended], gone)

    def read_on(self, count: int) -> list[Job]:
        """Read so many older ones, as far as there are any, and return them."""
        read: list[Job] = []
        while len(read) < count and self._unread:
            name = self._unread.pop()
            if parse_id(name) is not None:
                read.append(self._read(name))
        return read

    def _list(self) -> set[str]:
        """All names, listed anew only if the directory has changed."""
        try:
            written = os.stat(self._directory).st_mtime_ns  # noqa: PTH116 - as below
            same = written == self._written
            if same and self._is_settled:
                return self._names
            names = set(os.listdir(self._directory))  # noqa: PTH208 - ten times as fast
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise unlistable(self._directory, error) from error
        # One more time after a change: what comes within the same tick of the file system's clock
        # leaves the time as it was.
        self._is_settled, self._written = same, written
        return names

    def _take(self, names: set[str], gone: set[str]) -> list[Job]:
        """Take in names, and read what is newer than the oldest job that was read."""
        come = names - self._names
        self._names = names
        if gone:
            self._unread = [name for name in self._unread if name not in gone]
            for name in gone:
                self._active.pop(name, None)
        if come:
            self._unread = sorted([*self._unread, *come])
        read: list[Job] = []
        # No page comes past these again. Before the first page there are none.
        while self._oldest and self._unread and self._unread[-1] > self._oldest:
            read += self.read_on(1)
        return read

    def _read(self, job_id: str) -> Job:
        job = look(self._directory / job_id)
        self._oldest = min(self._oldest or job_id, job_id)
        if job.status.ended:
            self._active.pop(job_id, None)
        else:
            self._active[job_id] = job
        return job
