"""`service.jsonl`: what the scheduler said about itself, for the console to read.

Lines as in a journal, and its own only: what it prints of a job stands in the journal of that job.
Two files of bounded size; whoever reads while they are exchanged finds every line in one of them.
What became of each slot is not left to this log: see `history`.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from pgconsole.durable import make_directory, open_to_append
from pgconsole.jobs.texts import json_line
from pgconsole.report import Level
from pgconsole.schedule.history import is_torn

SERVICE_LOG = "service.jsonl"
OLDER = "service.jsonl.1"
LARGEST = 2 << 20  # bytes of one file: some 10,000 lines, which is years of a daily schedule


class ServiceLog:
    """Appends lines. Only the scheduler writes it, so that nobody else exchanges the files.

    Args:
        directory: Where it is; need not exist yet.
        largest: Bytes after which a new file is begun.
    """

    def __init__(self, directory: Path, largest: int = LARGEST) -> None:
        self._path = directory / SERVICE_LOG
        self._largest = largest
        self._seq = 0

    def append(self, time: datetime, phase: str, level: Level, message: str) -> None:
        """Write one line.

        Raises:
            OSError: It can't be written.
        """
        self._seq += 1
        entry = json_line(
            {
                "seq": self._seq,
                "time": time.isoformat(timespec="milliseconds"),
                "phase": phase,
                "message": message,
                "level": level,
                "bytes_done": None,
                "bytes_expected": None,
                "table": None,
            }
        )
        make_directory(self._path.parent)
        self._make_room(len(entry))
        fd = open_to_append(self._path)
        try:
            # A full disk, or a kill, took half a line: only that one is lost.
            os.write(fd, b"\n" + entry if is_torn(self._path) else entry)
        finally:
            os.close(fd)

    def _make_room(self, wanted: int) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size + wanted > self._largest:
            self._path.rename(self._path.with_name(OLDER))
