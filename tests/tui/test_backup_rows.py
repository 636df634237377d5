"""One row for each backup: where it is, what is known of it, which are shown in which order."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tui.scenes import LAST, MIB, NOW, marks_of, proof, settings, stored

from pgconsole.backups.evidence import Proof
from pgconsole.backups.history import History
from pgconsole.backups.pins import Pin, backup_id
from pgconsole.backups.standing import Standing
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.arrangement import EVERYTHING, SortBy, Wanted, arrange, compiled
from pgconsole.widgets.backup_columns import Scope, columns, trend_text
from pgconsole.widgets.backup_rows import BackupRow, Knowledge, View, Where, merged
from pgconsole.widgets.cells import fitted
from pgconsole.widgets.marks import Marks

ZONE = settings().backup_timezone


def copy(
    days: int = 0, place: Place = Place.LOCAL, size: int = MIB, database: str = "thinktank"
) -> StoredBackup:
    name = BackupName(database, LAST - timedelta(days=days), BackupClass.DAILY)
    return stored(name, place, size)


def row(local: StoredBackup | None, s3: StoredBackup | None = None) -> BackupRow:
    one = local or s3
    assert one is not None
    return BackupRow(one.name.relative_path, one.name, local, s3)


def known(marks: Marks | None = None, **more: object) -> Knowledge:
    marks = marks if marks is not None else marks_of()
    return replace(Knowledge(marks, s3_enabled=True), **more)  # type: ignore[arg-type]


def by_path(*copies: StoredBackup) -> dict[str, StoredBackup]:
    return {one.name.relative_path: one for one in copies}


def test_copies_of_both_places_are_one_row() -> None:
    here = by_path(copy(0), copy(1))
    there = by_path(copy(0, Place.S3), copy(2, Place.S3))
    rows = merged(here, there)
    assert [(one.local is not None, one.s3 is not None) for one in rows] == [
        (True, True), (True, False), (False, True),
    ]  # fmt: skip
    assert [one.copy(View.ALL).place for one in rows] == [Place.LOCAL, Place.LOCAL, Place.S3]
    assert rows[0].copy(View.S3).place is Place.S3


@pytest.mark.parametrize(
    ("one", "facts", "where"),
    [
        (row(copy(), copy(place=Place.S3)), {}, Where.BOTH),
        (row(copy(), copy(place=Place.S3, size=1)), {}, Where.DIFFERS),
        (row(copy(), copy(place=Place.S3)), {"s3_current": False}, Where.MAYBE_BOTH),
        (row(copy(), copy(place=Place.S3)), {"local_current": False}, Where.MAYBE_BOTH),
        (row(copy()), {}, Where.LOCAL),
        (row(copy()), {"s3_current": False}, Where.MAYBE_LOCAL),
        (row(copy()), {"s3_current": False, "s3_enabled": False}, Where.LOCAL),
        (row(None, copy(place=Place.S3)), {}, Where.S3),
        (row(None, copy(place=Place.S3)), {"local_current": False}, Where.MAYBE_S3),
    ],
)
def test_where_it_is_and_what_is_only_a_guess(
    one: BackupRow, facts: dict[str, object], where: Where
) -> None:
    assert known(**facts).where(one) is where


def test_in_the_list_of_all_bad_news_wins_then_the_best() -> None:
    here, there = copy(), copy(place=Place.S3)
    both = row(here, there)
    good = marks_of(proof(here), proof(there, Proof.INTACT))
    assert known(good).standing(both, View.ALL)[0] is Standing.COMPLETE
    assert known(good).standing(both, View.S3)[0] is Standing.INTACT
    bad = marks_of(proof(here), proof(there, Proof.DAMAGED))
    assert known(bad).standing(both, View.ALL)[0] is Standing.DAMAGED
    assert known(bad).standing(both, View.LOCAL)[0] is Standing.COMPLETE
    other = row(here, replace(there, size=1))
    assert known().standing(other, View.ALL)[0] is Standing.DIFFERS


def test_what_is_wrong() -> None:
    here, there = copy(), copy(place=Place.S3)
    odd = {backup_id(here.name): History(-0.9, "its size is 9 % of the usual")}
    assert known().problem(row(here, there), View.ALL) == ""
    assert known().problem(row(here), View.ALL) == "not in S3"
    assert known(s3_current=False).problem(row(here), View.ALL) == ""  # not known is not wrong
    assert known(s3_enabled=False).problem(row(here), View.ALL) == ""
    assert known().problem(row(None, there), View.ALL) == ""  # retention keeps fewer here
    assert known(histories=odd).problem(row(here, there), View.ALL).startswith("its size")
    assert known(marks_of(proof(here, Proof.DAMAGED))).problem(row(here), View.ALL) == "damaged"
    assert known().problem(row(replace(here, size=0)), View.LOCAL) == "empty"


def shown(wanted: Wanted, *rows: BackupRow, facts: Knowledge | None = None) -> list[int]:
    """Which of these the list of all shows, by their age in days."""
    found = arrange(tuple(rows), facts or known(), wanted, ZONE).rows[View.ALL]
    return [(LAST - one.name.taken_at).days for one in found]


ROWS = tuple(row(copy(day, size=MIB * (5 - day)), copy(day, Place.S3)) for day in range(5))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("2026-02-2[34]", [1, 2]),
        ("!2026-02-2[34]", [0, 3, 4]),
        ("LISTED", [4]),  # the only one whose copies have one size
        ("differs", [0, 1, 2, 3]),
        ("_20260221_", [4]),
        ("!", [0, 1, 2, 3, 4]),
        ("nothing has this", []),
    ],
)
def test_filter(text: str, days: list[int]) -> None:
    assert shown(Wanted(filter=text), *ROWS) == days


def test_a_filter_that_is_none_is_refused() -> None:
    with pytest.raises(re.error):
        compiled("(")


def test_a_pin_is_found_by_its_note() -> None:
    pin = Pin(backup_id(ROWS[3].name), "before v2", "ana", NOW)
    assert shown(Wanted(filter="v2"), *ROWS, facts=known(marks_of(pins=(pin,)))) == [3]


def test_only_what_is_wrong() -> None:
    marks = marks_of(proof(ROWS[4].copies[0], Proof.DAMAGED))
    facts = known(marks)
    assert shown(Wanted(wrong_only=True), *ROWS, facts=facts) == [0, 1, 2, 3, 4]
    same = row(copy(1), copy(1, Place.S3))
    assert shown(Wanted(wrong_only=True), same, ROWS[4], facts=known(marks)) == [4]


def test_each_list_has_its_own_rows_and_total() -> None:
    rows = (row(copy(0)), row(copy(1), copy(1, Place.S3)), row(None, copy(2, Place.S3)))
    arranged = arrange(rows, known(), Wanted(filter="!2026-02-24"), ZONE)
    assert arranged.totals == {View.ALL: 3, View.LOCAL: 2, View.S3: 2}
    assert [len(arranged.rows[view]) for view in View] == [2, 1, 1]


def test_orders() -> None:
    facts = known(
        marks_of(proof(ROWS[2].copies[0], Proof.DAMAGED), proof(ROWS[1].copies[0])),
        histories={backup_id(ROWS[3].name): History(-0.5), backup_id(ROWS[0].name): History(0.1)},
    )
    assert shown(EVERYTHING, *ROWS) == [0, 1, 2, 3, 4]
    assert shown(Wanted(reverse=False), *ROWS) == [4, 3, 2, 1, 0]
    assert shown(Wanted(sort=SortBy.SIZE), *ROWS) == [0, 1, 2, 3, 4]
    assert shown(Wanted(sort=SortBy.SIZE, reverse=False), *ROWS) == [4, 3, 2, 1, 0]
    assert shown(Wanted(sort=SortBy.TREND), *ROWS, facts=facts)[:2] == [3, 0]
    assert shown(Wanted(sort=SortBy.STATE, reverse=False), *ROWS, facts=facts)[0] == 2


def test_s_goes_through_all_orders_and_comes_back() -> None:
    wanted = EVERYTHING
    seen = []
    for _ in SortBy:
        wanted = wanted.sorted_by_next()
        seen.append(wanted.sort)
    assert set(seen) == set(SortBy)
    assert wanted == EVERYTHING


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.booleans(), st.integers(0, 9))),
    st.sampled_from(SortBy), st.booleans(), st.booleans(),
)  # fmt: skip
def test_sorting_loses_nothing(
    drawn: list[tuple[int, bool, bool, int]], sort: SortBy, reverse: bool, enabled: bool
) -> None:
    here = by_path(*(copy(day, size=size) for day, one, _, size in drawn if one))
    there = by_path(*(copy(day, Place.S3, size) for day, _, one, size in drawn if one))
    rows = merged(here, there)
    arranged = arrange(rows, known(s3_enabled=enabled), Wanted(sort=sort, reverse=reverse), ZONE)
    assert sorted(one.path for one in arranged.rows[View.ALL]) == sorted({*here, *there})
    assert {one.path for one in arranged.rows[View.LOCAL]} == set(here)
    assert {one.path for one in arranged.rows[View.S3]} == set(there)


@pytest.mark.parametrize("width", range(20, 250))
@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("several", [False, True])
def test_columns_fit_into_any_width(width: int, view: View, several: bool) -> None:
    scope = Scope(view, known(), ZONE, NOW)
    found = columns(scope, width, several_databases=several)
    names = [column.name for column in found]
    assert names[0] == "TAKEN UTC"
    assert len(set(names)) == len(names)
    assert "DATABASE" in names or not several
    taken = 3 + sum(column.width + 2 for column in found) - 2
    assert taken <= max(width, 78 if several else 76)
    one = row(copy(), copy(place=Place.S3))
    for column in found:
        if column.name in ("HERE", "IN S3", "LOCAL", "STATE, PROVEN", "AGE", "SIZE", "WHERE"):
            assert fitted(column.cell(one, scope)[0], column.width)


@pytest.mark.parametrize(
    ("trend", "text"),
    [
        (None, ""), (0.0, "="), (0.004, "="), (-0.004, "="), (0.03, "+3 %"), (-0.5, "-50 %"),
        (-1.0, "-100 %"), (9.0, "+900 %"), (13.0, "×14"), (1e12, "×99999"),
    ],
)  # fmt: skip
def test_trend(trend: float | None, text: str) -> None:
    assert trend_text(trend) == text
