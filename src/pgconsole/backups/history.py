"""How a backup compares with those before it: its trend, and what is odd about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import NamedTuple

from pgconsole.backups.pins import backup_id
from pgconsole.dumps.naming import BackupName

_BEFORE = 7  # backups that a backup is measured against: a week of daily ones
_FEWEST = 3  # fewer say nothing about what is usual
# A modified z-score above 3.5 is an outlier (Iglewicz and Hoaglin, How to Detect and Handle
# Outliers, 1993): that far from the median, in medians of all such distances.
_FAR = 3.5 / 0.6745
_LEAST_FAR = 0.3  # of the median; a database that hardly changes has hardly any distances
_MANY_ROWS = 100  # a table that loses so many at once and has none left is worth a word

Rows = Mapping[str, int]
"""The rows of each table of a dump, as its manifest says them."""


class Dump(NamedTuple):
    """What is compared: one dump of a database, whatever names it has."""

    name: BackupName
    size: int


@dataclass(frozen=True, slots=True)
class History:
    """A backup among those before it.

    Attributes:
        trend: How much larger it is than the one before: 0.05 is 5 %; None: there is none.
        oddity: What is far from usual, in words; empty if nothing is.
    """

    trend: float | None = None
    oddity: str = ""


NO_HISTORY = History()


def histories(dumps: Iterable[Dump], rows: Mapping[str, Rows]) -> dict[str, History]:
    """Compare each backup with those of the same database before it.

    Args:
        dumps: In any order; of the copies of a backup the first one counts. Empty ones do not.
        rows: By `backup_id`, for those backups of which they are known.

    Returns:
        By `backup_id`.
    """
    by_id: dict[str, Dump] = {}
    for dump in dumps:
        if dump.size:
            by_id.setdefault(backup_id(dump.name), dump)
    ordered = sorted(by_id.items(), key=lambda one: (one[1].name.database, one[1].name.taken_at))
    found: dict[str, History] = {}
    for _, group in groupby(ordered, key=lambda one: one[1].name.database):
        series = list(group)
        sizes = [dump.size for _, dump in series]
        for at, (backup, dump) in enumerate(series):
            before = sizes[max(0, at - _BEFORE) : at]
            if not before:
                found[backup] = NO_HISTORY
                continue
            earlier = [rows[one] for one, _ in series[max(0, at - _BEFORE) : at] if one in rows]
            oddity = _odd_size(dump.size, before) or _odd_rows(rows.get(backup), earlier)
            found[backup] = History(dump.size / before[-1] - 1, oddity)
    return found


def _odd_size(size: int, before: Sequence[int]) -> str:
    if not _is_far(size, before):
        return ""
    return f"its size is {_share(size, before)} the usual ({_the(before)} before)"


def _odd_rows(now: Rows | None, before: Sequence[Rows]) -> str:
    """The tables that lost all of their rows, or a number of rows that is far from usual."""
    if now is None or not before:
        return ""
    emptied = [
        (count, table)
        for table, count in before[-1].items()
        if count >= _MANY_ROWS and not now.get(table)
    ]
    if emptied:
        count, table = max(emptied)
        more = f", and {len(emptied) - 1:,} more tables like it" if len(emptied) > 1 else ""
        what = "is empty" if table in now else "is gone"
        return f"table {table} {what}; the backup before had {count:,} rows in it{more}"
    total, totals = sum(now.values()), [sum(one.values()) for one in before]
    if not _is_far(total, totals):
        return ""
    return f"it has {_share(total, totals)} the usual rows ({_the(totals)} before)"


def _is_far(value: int, before: Sequence[int]) -> bool:
    if len(before) < _FEWEST:
        return False
    usual = median(before)
    spread = median(abs(one - usual) for one in before)
    return abs(value - usual) > max(_FAR * spread, _LEAST_FAR * usual)


def _share(value: int, before: Sequence[int]) -> str:
    """`41 % of`, `3.2 times`."""
    usual = median(before)
    ratio = value / usual if usual else float("inf")
    if ratio < 2:
        return f"{100 * ratio:.0f} % of"
    return f"{ratio:.1f} times" if ratio < 1e6 else "many times"


def _the(before: Sequence[int]) -> str:
    return f"the median of the {len(before)}"
