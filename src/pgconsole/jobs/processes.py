"""Which process is which."""

from __future__ import annotations

from pathlib import Path


def process_started(pid: int) -> int | None:
    """Start of a process in clock ticks since boot, or None if there is no such process here.

    Field 22 of /proc/<pid>/stat (proc_pid_stat(5)). With the number it names a process for good:
    numbers are used again, at another time.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The second field is the command in brackets, which may contain brackets and spaces.
    return int(stat[stat.rindex(b")") + 2 :].split()[22 - 3])
