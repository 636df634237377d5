"""How the console does with twenty thousand backups: first picture, whole list, keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.terminal import Console

BACKUPS = 20_000
_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
# Up and down, by pages, to both ends; sorted by size and back; marked; filtered letter by letter.
_KEYS = (b"j", b"k", b"\x1b[6~", b"\x1b[5~", b"G", b"g", b"s", b"S", b" ", b"/", b"2", b"0", b"2")


def fill(backup_dir: Path, database: str) -> None:
    """Lay down as many files of the old scripts, an hour between two."""
    daily = backup_dir / "daily"
    daily.mkdir(parents=True)
    for hours in range(BACKUPS):
        taken = _NEWEST - timedelta(hours=hours)
        name = f"{database}_daily_{taken:%Y%m%d_%H%M%S}.sql.gz"
        (daily / name).write_bytes(bytes(20 + hours % 7))


def measure(
    program: Path, environment: dict[str, str], cwd: Path, times: int
) -> tuple[list[float], list[float], list[float]]:
    """Open the console on these backups.

    Args:
        program: The console.
        environment: All of its variables.
        cwd: Where it runs.
        times: How often.

    Returns:
        Seconds to the first picture, to the whole list, and from each key to its first paint.
    """
    first, whole, keys = [], [], []
    for _ in range(times):
        with Console([program], environment, cwd) as console:
            first.append(console.painted(b"Local"))
            whole.append(console.painted(f"{BACKUPS:,}".encode()))
            keys += [console.press(key) for key in _KEYS]
    return first, whole, keys
