"""What is usual for a backup, and what is odd about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgconsole.backups.history import Dump, Rows, histories
from pgconsole.backups.pins import backup_id
from pgconsole.dumps.naming import BackupClass, BackupName

FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
USUAL = (1000, 1010, 990, 1005, 1000, 1020, 1010)


def name(day: int, cls: BackupClass = BackupClass.DAILY, database: str = "app") -> BackupName:
    return BackupName(database, FIRST + timedelta(days=day), cls)


def dumps(*sizes: int) -> list[Dump]:
    return [Dump(name(day), size) for day, size in enumerate(sizes)]


def oddity(*sizes: int) -> str:
    """Of the last of these."""
    return histories(dumps(*sizes), {})[backup_id(name(len(sizes) - 1))].oddity


def with_rows(*rows: Rows) -> str:
    """What is odd about the last of these, which are all of one size."""
    known = {backup_id(name(day)): counts for day, counts in enumerate(rows)}
    found = histories(dumps(*[1000] * len(rows)), known)
    return found[backup_id(name(len(rows) - 1))].oddity


def test_the_trend_is_against_the_one_before() -> None:
    found = histories(dumps(100, 110, 55), {})
    trends = [found[backup_id(name(day))].trend for day in range(3)]
    assert trends[0] is None
    assert trends[1:] == pytest.approx([0.1, -0.5])


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (1000, ""),
        (1290, ""),
        (710, ""),
        (690, "its size is 69 % of the usual (the median of the 7 before)"),
        (41, "its size is 4 % of the usual (the median of the 7 before)"),
        (1400, "its size is 139 % of the usual (the median of the 7 before)"),
        (50_000, "its size is 49.8 times the usual (the median of the 7 before)"),
    ],
)
def test_a_size_far_from_usual_is_odd(last: int, said: str) -> None:
    assert oddity(*USUAL, last) == said


def test_what_varies_much_is_usual() -> None:
    assert oddity(100, 900, 300, 1200, 150, 700, 1000, 250) == ""
    assert oddity(1, 50) == ""  # two before it at the most say nothing
    assert oddity(1, 1, 50) == ""
    assert oddity(1, 1, 1, 50)


def test_a_database_that_grows_evenly_is_never_odd() -> None:
    found = histories(dumps(*[1000 + 40 * day for day in range(60)]), {})
    assert not any(one.oddity for one in found.values())


def test_other_databases_and_other_names_of_a_backup_do_not_count() -> None:
    others = [Dump(name(day, database="app_2"), 5) for day in range(9)]
    weekly = [Dump(name(day, BackupClass.WEEKLY), 1) for day in range(9)]
    ours = dumps(*[1000] * 9)
    found = histories([*ours, *others, *weekly], {})
    assert not any(one.oddity for one in found.values())
    assert {one.trend for one in found.values()} == {None, 0.0}


def test_empty_files_are_no_history() -> None:
    found = histories(dumps(1000, 1000, 0, 1000, 1000), {})
    assert backup_id(name(2)) not in found
    assert found[backup_id(name(3))].trend == 0.0


def test_a_table_that_lost_all_rows_is_named() -> None:
    before = {"public.users": 12_000, "public.log": 50, "public.t": 400}
    assert with_rows(before, before | {"public.users": 0}) == (
        "table public.users is empty; the backup before had 12,000 rows in it"
    )
    assert with_rows(before, {"public.log": 50, "public.t": 400}) == (
        "table public.users is gone; the backup before had 12,000 rows in it"
    )
    assert with_rows(before, {"public.log": 0}).endswith("in it, and 1 more tables like it")
    assert with_rows(before, before | {"public.log": 0}) == ""


def test_a_number_of_rows_far_from_usual_is_odd() -> None:
    usual = [{"public.t": 1000 + day} for day in range(5)]
    assert with_rows(*usual, {"public.t": 1020}) == ""
    said = with_rows(*usual, {"public.t": 300})
    assert said == "it has 30 % of the usual rows (the median of the 5 before)"
    assert with_rows(*usual) == ""


@given(st.lists(st.integers(0, 10**15), max_size=40))
def test_whatever_the_sizes(sizes: list[int]) -> None:
    found = histories(dumps(*sizes), {})
    assert len(found) == sum(size > 0 for size in sizes)
