"""Which files there are: found again under other names, let go when they are gone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from pgconsole.jobs.journal import EVENTS
from pgconsole.jobs.spec import parse_id
from pgconsole.jobs.store import jobs_directory
from pgconsole.logs.segment import Place, Row, Segment
from pgconsole.schedule.service_log import OLDER, SERVICE_LOG
from pgconsole.schedule.state import schedule_directory
from pgconsole.settings import Settings
from pgconsole.untrusted import open_regular

Places = Callable[[], Sequence[Place]]
SERVICE = "service"
# Gone again, a symbolic link, a pipe: nothing that could be a log.
_NO_LOG = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ENXIO}


def places_of(settings: Settings, most_jobs: int, job: str = "") -> list[Place]:
    """The scheduler's log, and the journals of the newest jobs, the newest first; or of one job.

    Raises:
        OSError: The directory of all jobs can't be read.
    """
    directory = jobs_directory(settings)
    if job:
        return [_of_job(directory, job)]
    try:
        names = sorted(filter(parse_id, os.listdir(directory)))  # noqa: PTH208 - ten times as fast
    except FileNotFoundError:
        names = []
    # In this order: a file that is renamed between the two looks is seen twice, never not at all.
    found = [
        Place(schedule_directory(settings) / name, "", SERVICE) for name in (SERVICE_LOG, OLDER)
    ]
    return found + [_of_job(directory, name) for name in reversed(names[-most_jobs:])]


def _of_job(directory: Path, job: str) -> Place:
    parsed = parse_id(job)
    return Place(directory / job / EVENTS, job, parsed[1] if parsed is not None else "")


class Files:
    """The open files of all logs.

    Args:
        places: Where logs are now.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._open: dict[tuple[int, int], Segment] = {}
        self._numbers = count()
        self.segments: dict[int, Segment] = {}
        self.unreadable: dict[Path, OSError] = {}
        """The logs that may not be read, as of the last look."""

    def refresh(self) -> set[int]:
        """Look which files there are now.

        Returns:
            The numbers of the segments that are gone: removed, cut off, or written anew.

        Raises:
            OSError: The places are not known, or an open file can't be read.
        """
        seen: set[tuple[int, int]] = set()
        gone: set[int] = set()
        self.unreadable = {}
        for place in self._places():
            try:
                status = os.stat(place.path, follow_symlinks=False)  # noqa: PTH116 - often
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self.unreadable[place.path] = error
                continue
            file = (status.st_dev, status.st_ino)
            segment = self._open.get(file)
            if segment is not None and segment.is_another():
                gone.add(self._close(file))
                segment = None
            if segment is None and not self._take(file, place):
                continue
            seen.add(file)
        for file in self._open.keys() - seen:
            gone.add(self._close(file))
        return gone

    def read(self, most_bytes: int) -> tuple[list[Row], bool]:
        """New lines, then older ones, about so many bytes of them at most.

        Returns:
            The lines, and whether there may be more.

        Raises:
            OSError: A file can't be read.
        """
        rows: list[Row] = []
        left = most_bytes
        for segment in self.segments.values():
            before = segment.newer
            while left > 0 and before:
                rows += segment.read_newer()
                after = segment.newer
                if after >= before:  # half a line, or its writer is faster than we are
                    break
                left -= before - after
                before = after
        while left > 0 and (older := [one for one in self.segments.values() if one.older]):
            segment = max(older, key=lambda one: one.earliest)
            before = segment.older
            rows += segment.read_older()
            left -= before - segment.older
        return rows, left <= 0

    def forget_older(self) -> None:
        """Lines that are older than those which were read are not wanted."""
        for segment in self.segments.values():
            segment.forget_older()

    def forget_blocks(self) -> None:
        """Let go of what was kept for lines beside the last ones."""
        for segment in self.segments.values():
            segment.forget_block()

    @property
    def unread(self) -> int:
        """Bytes that were not looked at yet."""
        return sum(segment.older + segment.newer for segment in self.segments.values())

    def _take(self, file: tuple[int, int], place: Place) -> bool:
        try:
            fd = open_regular(place.path)
        except OSError as error:
            if error.errno not in _NO_LOG:
                self.unreadable[place.path] = error
            return False
        status = os.fstat(fd)
        if (status.st_dev, status.st_ino) != file or file in self._open:
            os.close(fd)  # replaced since: the next look finds it
            return False
        segment = Segment(next(self._numbers), place, fd)
        self._open[file] = segment
        self.segments[segment.number] = segment
        return True

    def _close(self, file: tuple[int, int]) -> int:
        segment = self._open.pop(file)
        del self.segments[segment.number]
        segment.close()
        return segment.number
