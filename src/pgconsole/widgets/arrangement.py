"""Which rows a list shows, in which order. Pure; for tens of thousands of rows not for the loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pgconsole.backups.standing import Standing
from pgconsole.logs.query import expression
from pgconsole.widgets.backup_rows import BackupRow, Knowledge, View, Where
from pgconsole.widgets.words import stamp

_WORST_FIRST = list(reversed(Standing))


class SortBy(StrEnum):
    """The columns that rows can be sorted by, in the order in which `s` goes through them."""

    TAKEN = "taken"
    SIZE = "size"
    TREND = "trend"
    STATE = "state"
    CLASS = "class"
    WHERE = "where"
    DATABASE = "database"


# What one wants to see on top: the newest, the largest, what changed most, what is worst.
_DESCENDING = frozenset({SortBy.TAKEN, SortBy.SIZE, SortBy.TREND})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator wants to see.

    Attributes:
        filter: An expression that is found in a row; with `!` in front, that is not; or empty.
        wrong_only: Only what is wrong.
        sort: By which column.
        reverse: Whether the greatest comes first.
    """

    filter: str = ""
    wrong_only: bool = False
    sort: SortBy = SortBy.TAKEN
    reverse: bool = True

    @property
    def hides(self) -> bool:
        """Whether there may be backups that are not shown."""
        return bool(self.filter) or self.wrong_only

    def sorted_by_next(self) -> Wanted:
        """The same, by the next column."""
        columns = list(SortBy)
        column = columns[(columns.index(self.sort) + 1) % len(columns)]
        return replace(self, sort=column, reverse=column in _DESCENDING)


EVERYTHING = Wanted()


@dataclass(frozen=True)
class Arranged:
    """What the lists show.

    Attributes:
        wanted: What was asked for.
        known: What the rows are judged by.
        rows: Of each list.
        totals: How many each would have if nothing were hidden.
    """

    wanted: Wanted = EVERYTHING
    known: Knowledge = field(default_factory=Knowledge)
    rows: Mapping[View, tuple[BackupRow, ...]] = field(default_factory=dict)
    totals: Mapping[View, int] = field(default_factory=dict)


def compiled(text: str) -> tuple[re.Pattern[str] | None, bool]:
    """The expression of a filter, and whether it is inverted.

    Raises:
        re.error: It is none.
    """
    wanted = text.removeprefix("!")
    pattern = expression(wanted, re.IGNORECASE) if wanted else None
    return pattern, text.startswith("!")


def arrange(
    rows: tuple[BackupRow, ...], known: Knowledge, wanted: Wanted, zone: ZoneInfo
) -> Arranged:
    """Sort all rows and pick those that are wanted.

    Args:
        rows: The newest first.
        known: What they are judged by.
        wanted: What to show.
        zone: The time zone in which rows show times.

    Raises:
        re.error: The filter is no expression.
    """
    found: Iterable[BackupRow] = _sorted(rows, known, wanted)
    pattern, inverse = compiled(wanted.filter)
    if pattern is not None:
        search = pattern.search
        found = [row for row in found if bool(search(text_of(row, known, zone))) != inverse]
    lists = {
        view: tuple(
            row for row in found
            if row.is_in(view) and (not wanted.wrong_only or known.problem(row, view))
        )
        for view in View
    }  # fmt: skip
    totals = {view: sum(row.is_in(view) for row in rows) for view in View}
    return Arranged(wanted, known, lists, totals)


def text_of(row: BackupRow, known: Knowledge, zone: ZoneInfo) -> str:
    """What a filter looks at: all that a row shows in the list of all, and its file's name."""
    if row.path not in known.texts:
        words = [stamp(row.name.taken_at, zone), row.path, known.where(row)]
        words += [known.standing(row, View.ALL)[0], known.history(row).oddity]
        pin = known.pin(row)
        words += ["pinned", pin.note] if pin is not None else []
        known.texts[row.path] = " ".join(words)
    return known.texts[row.path]


def _sorted(rows: tuple[BackupRow, ...], known: Knowledge, wanted: Wanted) -> tuple[BackupRow, ...]:
    """Equal ones stay in their order: the newest first."""
    if wanted.sort is SortBy.TAKEN:  # the order in which they are merged
        return rows if wanted.reverse else tuple(reversed(rows))
    keys: dict[SortBy, Callable[[BackupRow], Any]] = {
        SortBy.SIZE: lambda row: row.copy(View.ALL).size,
        SortBy.TREND: lambda row: abs(known.history(row).trend or 0.0),
        SortBy.STATE: lambda row: _WORST_FIRST.index(known.standing(row, View.ALL)[0]),
        SortBy.CLASS: lambda row: row.name.backup_class,
        SortBy.WHERE: lambda row: list(Where).index(known.where(row)),
        SortBy.DATABASE: lambda row: row.name.database,
    }
    return tuple(sorted(rows, key=keys[wanted.sort], reverse=wanted.reverse))
