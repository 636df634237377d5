"""What becomes of each table: every case by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.planning.making import content, head, manifest, newest, section, table, there

from pgconsole.planning.fates import Fate, Rows, TableFate, fates
from pgconsole.postgres.relations import Kind, Relation
from pgconsole.postgres.rows_now import Seen

USERS = table(1, "users", 90)


def only(*args: object) -> TableFate:
    (one,) = fates(*args)  # type: ignore[arg-type]
    return one


def by_name(*args: object) -> dict[str, TableFate]:
    return {one.name: one for one in fates(*args)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "now", "change", "certain"),
    [
        ({}, Rows(90), -80, False),
        ({1: Seen(100)}, Rows(100, exact=True), -90, True),
        ({1: Seen(10)}, Rows(10, exact=True), 0, True),
        ({1: Seen(7)}, Rows(7, exact=True), 3, True),
        ({1: Seen(None, "locked")}, Rows(90, why="locked"), -80, False),
    ],
)
def test_an_exact_figure_replaces_the_estimate(
    seen: dict[int, Seen], now: Rows, change: int, certain: bool
) -> None:
    one = only(content({"users": 10}), there(USERS), seen)
    assert one == TableFate("public.users", Fate.REPLACED, now, 10)
    assert (one.change, one.is_certain) == (change, certain)


def test_a_table_that_nothing_is_known_of() -> None:
    one = only(content({"users": 10}), there(table(1, "users", None, readable=False)), {})
    assert one.now == Rows(None, why="no right to read it")
    assert one.change is None  # never nothing


def test_what_only_one_of_both_has() -> None:
    found = by_name(content({"old": 4}), there(table(2, "newer", 3)), {2: Seen(3)})
    assert found["public.old"] == TableFate("public.old", Fate.MADE, None, 4)
    assert found["public.newer"].fate is Fate.STAYS
    assert (found["public.old"].change, found["public.newer"].change) == (4, 0)


def test_the_newest_row_is_kept() -> None:
    when = newest("2026-02-25 01:00:00+00")
    one = only(content({"users": 10}), there(USERS), {1: Seen(9, "", when)})
    assert one.newest == when


EVENTS = table(10, "events", None, kind=Kind.PARTITIONED)
MONTHS = table(11, "months", None, kind=Kind.PARTITIONED, parent=10)
OLD, NEW = table(12, "old", 5, parent=10), table(13, "new", 7, parent=11)
SEEN = {12: Seen(5), 13: Seen(7)}


def test_a_new_partition_goes_with_its_table() -> None:
    """DROP TABLE takes all partitions along, also those that the dump does not know."""
    known = replace(content({"old": 5}), head=head("old", "events"))
    found = by_name(known, there(EVENTS, MONTHS, OLD, NEW), SEEN)
    assert found.keys() == {"public.old", "public.new"}  # each row counts once
    assert found["public.new"].fate is Fate.GOES
    assert found["public.new"].about == "public.events"
    assert found["public.new"].change == -7


def test_without_the_sql_its_fate_follows_from_the_other_partitions() -> None:
    blind = replace(content({"old": 5}), head=None)
    assert by_name(blind, there(EVENTS, OLD, replace(NEW, parent=10)), SEEN)["public.new"].fate is (
        Fate.GOES
    )
    # If the backup has none of them, nobody can tell whether it has the partitioned table.
    found = by_name(replace(content({"x": 5}), head=None), there(EVENTS, NEW, MONTHS), SEEN)
    assert found["public.new"].fate is Fate.UNKNOWN
    assert found["public.new"].change is None


def test_a_new_partitioned_table_stays_with_all_its_parts() -> None:
    found = by_name(content({"users": 1}), there(EVENTS, MONTHS, OLD, NEW), SEEN)
    assert {found[name].fate for name in ("public.old", "public.new")} == {Fate.STAYS}


def test_a_table_that_was_partitioned_since() -> None:
    found = by_name(content({"events": 20}), there(EVENTS, MONTHS, OLD, NEW), SEEN)
    assert found.keys() == {"public.events"}
    assert found["public.events"].now == Rows(12, exact=True)
    assert found["public.events"].change == 8
    partly = by_name(content({"events": 20}), there(EVENTS, MONTHS, OLD, NEW), {12: Seen(5)})
    assert partly["public.events"].now == Rows(12, exact=False)


@pytest.mark.parametrize(
    ("now", "in_backup", "words"),
    [
        (Kind.VIEW, "table", "a view now and a table in the backup"),
        (Kind.MATERIALIZED, "table", "a materialized view now and a table in the backup"),
        (Kind.FOREIGN, "table", "a foreign table now and a table in the backup"),
        (Kind.TABLE, "view", "a table now and a view in the backup"),
        (Kind.PARTITIONED, "view", "a table now and a view in the backup"),
        (Kind.VIEW, "materialized_view", "a view now and a materialized view in the backup"),
    ],
)
def test_another_kind_of_the_same_name_makes_it_fail(now: Kind, in_backup: str, words: str) -> None:
    known = content({}, head=head(thing=in_backup))
    one = only(known, there(table(1, "thing", kind=now)), {})
    assert (one.fate, one.about, one.change) == (Fate.BLOCKS, words, None)


def test_without_the_sql_a_view_in_place_of_a_table_is_found_too() -> None:
    known = content({"thing": 3}, head=None)
    assert only(known, there(table(1, "thing", kind=Kind.VIEW)), {}).fate is Fate.BLOCKS


def test_what_has_no_rows_of_its_own_is_left_out() -> None:
    views = there(table(1, "v", kind=Kind.VIEW), table(2, "m", kind=Kind.MATERIALIZED))
    assert fates(content({}), views, {}) == ()


def test_rows_elsewhere_and_of_extensions() -> None:
    relations = there(
        table(1, "remote", kind=Kind.FOREIGN), table(2, "spatial", 9, extension="postgis")
    )
    found = by_name(content({"spatial": 2}), relations, {2: Seen(9)})
    assert found["public.remote"].fate is Fate.ELSEWHERE
    assert found["public.spatial"].fate is Fate.EXTENSION
    assert found["public.spatial"].about == "postgis"
    assert found["public.spatial"].change is None


def test_without_a_manifest_the_sql_tells_which_tables_are_replaced() -> None:
    known = content({}, manifest=None, head=head("users"))
    found = by_name(known, there(USERS, table(2, "newer", 3)), {})
    assert found["public.users"] == TableFate("public.users", Fate.REPLACED, Rows(90), None)
    assert found["public.users"].change is None
    assert found["public.newer"].fate is Fate.STAYS


def test_what_is_not_known_is_not_nothing() -> None:
    unread = only(None, there(USERS), {})
    assert (unread.fate, unread.change) == (Fate.UNKNOWN, None)
    unreached = only(content({"users": 5}), None, {}, "it is not reachable")
    assert unreached.now == Rows(None, why="it is not reachable")
    assert unreached.change is None
    assert fates(None, None, {}) == ()


def test_old_dumps_that_name_no_schema() -> None:
    old = content({}, manifest=manifest({"users": 5, "twice": 1}, schema=None), head=None)
    relations = there(
        replace(USERS, schema="app"), table(2, "twice", 1),
        Relation(3, "app", "twice", Kind.TABLE),
    )  # fmt: skip
    found = by_name(old, relations, {})
    assert found["app.users"].held == 5
    assert found["twice"].fate is Fate.UNKNOWN
    assert found["twice"].now is not None
    assert "several tables" in found["twice"].now.why


def test_the_gravest_come_first() -> None:
    blocks = TableFate("b", Fate.BLOCKS, Rows(None), 1)
    loses = TableFate("l", Fate.REPLACED, Rows(9, exact=True), 1)
    loses_more = TableFate("m", Fate.GOES, Rows(90, exact=True), None)
    unknown = TableFate("u", Fate.REPLACED, Rows(None, why="x"), 1)
    same = TableFate("s", Fate.REPLACED, Rows(1, exact=True), 1)
    more = TableFate("p", Fate.MADE, None, 5)
    ordered = [blocks, loses_more, loses, unknown, same, more]
    mixed = [same, unknown, more, loses, blocks, loses_more]
    assert sorted(mixed, key=lambda one: one.severity) == ordered


def test_hostile_names() -> None:
    name = 'a"; DROP TABLE x; --\n[red]'
    described = manifest({}, sections=(section(name, 1, "sch.ema"),))
    one = only(
        content({}, manifest=described, head=None),
        there(Relation(1, "sch.ema", name, Kind.TABLE)), {1: Seen(1)},
    )  # fmt: skip
    assert (one.fate, one.name, one.change) == (Fate.REPLACED, f"sch.ema.{name}", 0)
