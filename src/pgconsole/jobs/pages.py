"""All jobs there are, however many: read page by page, and those that have ended only once."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pgconsole.errors import StorageError
from pgconsole.jobs.spec import parse_id
from pgconsole.jobs.store import Job, jobs_directory, look
from pgconsole.settings import Settings


class JobPages:
    """The jobs of a backup directory as far as they were read, the newest first.

    Not for several threads.

    Args:
        settings: Whose jobs.
    """

    def __init__(self, settings: Settings) -> None:
        self._directory = jobs_directory(settings)
        self._names: set[str] = set()
        self._unread: list[str] = []  # the oldest first
        self._jobs: dict[str, Job] = {}
        self._active: set[str] = set()
        self._written = 0  # nanoseconds: when the directory last changed
        self._is_settled = False  # listed since then, and once more

    @property
    def jobs(self) -> Iterable[Job]:
        """What was read, in no order."""
        return self._jobs.values()

    @property
    def active(self) -> Iterable[Job]:
        """Those of them that had not ended when they were looked at last."""
        return [self._jobs[job_id] for job_id in self._active]

    @property
    def unread(self) -> int:
        """How many older ones were not read yet, or a few less: any other name counts too."""
        return len(self._unread)

    def renew(self) -> bool:
        """Look again at what had not ended, and at what has come since the last time.

        Returns:
            Whether there are other jobs than before, or one has ended.

        Raises:
            StorageError: The directory of all jobs can't be read.
        """
        changed = self._list()
        for job_id in tuple(self._active):
            changed |= self._read(job_id).status.ended
        return changed

    def read_on(self, count: int) -> list[Job]:
        """Read so many older ones, as far as there are any, and return them."""
        read: list[Job] = []
        while len(read) < count and self._unread:
            name = self._unread.pop()
            if parse_id(name) is not None:
                read.append(self._read(name))
        return read

    def _list(self) -> bool:
        """Take in the names, if the directory has changed."""
        try:
            written = os.stat(self._directory).st_mtime_ns  # noqa: PTH116 - as below
            same = written == self._written
            if same and self._is_settled:
                return False
            names = set(os.listdir(self._directory))  # noqa: PTH208 - ten times as fast
            # One more time after a change: what comes within the same tick of the file system's
            # clock leaves the time as it was.
            self._is_settled, self._written = same, written
        except FileNotFoundError:
            names = set()
        except OSError as error:
            raise StorageError(
                f"The jobs in {self._directory} can't be listed",
                cause=str(error),
                fix="run pgconsole as the user that owns the backup directory",
            ) from error
        return self._take(names)

    def _take(self, names: set[str]) -> bool:
        come, gone = names - self._names, self._names - names
        self._names = names
        if gone:
            self._unread = [name for name in self._unread if name not in gone]
            self._active -= gone
            for name in gone:
                self._jobs.pop(name, None)
        if come:
            self._unread = sorted([*self._unread, *come])
            self._read_new()
        return bool(come or gone)

    def _read_new(self) -> None:
        """Read what is newer than the oldest that was read: no page comes past that again."""
        if not self._jobs:
            return
        oldest = min(self._jobs)
        while self._unread and self._unread[-1] > oldest:
            self.read_on(1)

    def _read(self, job_id: str) -> Job:
        job = self._jobs[job_id] = look(self._directory / job_id)
        if job.status.ended:
            self._active.discard(job_id)
        else:
            self._active.add(job_id)
        return job
