"""Another time for whole processes, which can be moved while they run (libfaketime)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

CLOCK = "clock"
_VARIABLE = "FAKETIME_TIMESTAMP_FILE"


def library() -> Path | None:
    """The library of this kind of machine, if there is one."""
    spec = find_spec("libfaketime")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return path if path.exists() else None


class Clock:
    """What processes with its environment take for the present. It goes on by itself.

    Args:
        path: A file of its own.
        present: What it shows at first; timezone-aware.
    """

    def __init__(self, path: Path, present: datetime) -> None:
        self.path = path
        self.set(present)

    def set(self, present: datetime) -> None:
        """Move it."""
        ahead = (present - datetime.now(UTC)).total_seconds()
        aside = self.path.with_suffix(".new")
        aside.write_text(f"{ahead:+.3f}\n")
        aside.replace(self.path)

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to live by it."""
        return clock_environment(str(self.path))


def clock_environment(path: str) -> dict[str, str]:
    """The variables that put a process under the clock of this file."""
    return {
        "LD_PRELOAD": str(library()),
        _VARIABLE: path,
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",  # the monotonic clock knows no jumps
        "NO_FAKE_STAT": "1",  # nor does the file system's
    }


def under(path: str) -> bool:
    """Whether this process lives by that clock already."""
    return os.environ.get(_VARIABLE) == path
