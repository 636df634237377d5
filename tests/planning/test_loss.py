"""What is said of a loss: a test for each sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.planning.making import (
    NOW,
    content,
    copy,
    facts,
    newest,
    settings,
    table,
    target,
)

from pgconsole.errors import DamagedError, MissingDatabaseError, ServerError, StorageError
from pgconsole.planning.fates import Fate, Rows, TableFate
from pgconsole.planning.loss import Weight, sentence
from pgconsole.planning.moments import moment, newest_text
from pgconsole.planning.plan import conclude
from pgconsole.postgres.relations import Kind
from pgconsole.postgres.rows_now import Seen

SINCE = "every change since 2026-02-25 02:00 UTC"


def exact(count: int) -> Rows:
    return Rows(count, exact=True)


@pytest.mark.parametrize(
    ("now", "held", "words"),
    [
        (exact(1_250_310), 1_250_000,
         "1,250,310 rows now, 1,250,000 in the backup: 310 rows fewer"),
        (exact(1), 2, "1 row now, 2 in the backup: 1 row more"),
        (exact(0), 0, "0 rows now, 0 in the backup: as many rows"),
        (Rows(1_300), 1_250, "about 1,300 rows now, 1,250 in the backup: about 50 rows fewer"),
        (Rows(5), 5, "about 5 rows now, 5 in the backup: about as many rows"),
        (Rows(7, why="locked"), 5,
         "about 7 rows now (locked), 5 in the backup: about 2 rows fewer"),
        (Rows(None), 5, "rows now not known yet, 5 in the backup: what is lost of it is not known"),
        (Rows(None, why="no right to read it"), 5,
         "rows now not known (no right to read it), 5 in the backup: what is lost of it is not "
         "known"),
        (exact(5), None,
         "5 rows now, rows in the backup not known: what is lost of it is not known"),
    ],
)  # fmt: skip
def test_a_table_that_is_replaced(now: Rows, held: int | None, words: str) -> None:
    one = TableFate("public.documents", Fate.REPLACED, now, held)
    assert sentence(one, settings()) == f"public.documents: {words}"


@pytest.mark.parametrize(
    ("fate", "now", "held", "about", "words"),
    [
        (Fate.STAYS, exact(12), None, "", "12 rows now, not in the backup: stays as it is"),
        (Fate.GOES, exact(12), None, "public.events",
         "12 rows now, not in the backup: goes with public.events, which is replaced: all its rows "
         "are lost"),
        (Fate.MADE, None, 40, "", "not there now, 40 in the backup: is made"),
        (Fate.BLOCKS, Rows(None), 4, "a view now and a table in the backup",
         "rows now not known yet: it is a view now and a table in the backup, so PostgreSQL "
         "refuses to drop it and the restore fails"),
        (Fate.ELSEWHERE, Rows(None), None, "",
         "a foreign table: its rows are on another server and stay there"),
        (Fate.EXTENSION, exact(8_500), 2, "postgis",
         "8,500 rows now, 2 in the backup: extension postgis brings its rows anew; others come "
         "from the backup"),
        (Fate.UNKNOWN, exact(5), None, "",
         "5 rows now, rows in the backup not known: what is lost of it is not known"),
    ],
)  # fmt: skip
def test_a_table_with_another_fate(
    fate: Fate, now: Rows | None, held: int | None, about: str, words: str
) -> None:
    assert sentence(TableFate("t", fate, now, held, None, about), settings()) == f"t: {words}"


def test_the_newest_row_is_said_in_the_operators_zone() -> None:
    when = newest("2026-02-25 13:58:01.5+00")
    one = TableFate("t", Fate.REPLACED, exact(2), 1, when)
    words = "t: 2 rows now, 1 in the backup: 1 row fewer; newest row 2026-02-25 "
    assert sentence(one, settings()) == f"{words}13:58 (created_at)"
    berlin = settings(BACKUP_TIMEZONE="Europe/Berlin")
    assert sentence(one, berlin) == f"{words}14:58 (created_at)"


@pytest.mark.parametrize(
    ("at", "zoned", "words"),
    [
        ("2026-02-25 13:58:01+00", True, "2026-02-25 14:58"),
        ("2026-02-25 13:58:01.678", False, "2026-02-25 13:58"),  # of which zone, nobody knows
        ("2026-02-25", False, "2026-02-25"),
        ("0044-03-15 12:00:00+00 BC", True, "0044-03-15 12:00:00+00 BC"),
        ("0001-01-01 00:00:00+00", True, "0001-01-01 00:53"),
        ("-infinity", False, "-infinity"),
    ],
)
def test_moments_as_the_server_writes_them(at: str, zoned: bool, words: str) -> None:
    assert newest_text(newest(at, zoned=zoned), ZoneInfo("Europe/Berlin")) == words
    assert moment(NOW, ZoneInfo("Europe/Berlin")) == "2026-02-25 05:02 CET"


def said(**parts: Any) -> tuple[Weight, str]:
    given = facts(**parts)
    found = conclude(given, NOW).loss
    return found.weight, found.text


TABLES = {"documents": 1_250_000, "users": 4_812, "notes": 3}
THERE = target(table(1, "documents"), table(2, "users"), table(3, "notes"))
COUNTED = {1: Seen(1_250_310), 2: Seen(4_824), 3: Seen(3)}


def test_rows_that_are_lost() -> None:
    assert said(content=content(TABLES), target=THERE, rows=COUNTED) == (
        Weight.SOME,
        f"Loses at least 322 rows (public.documents 310, public.users 12) and {SINCE}",
    )


def test_as_many_rows_is_not_nothing_lost() -> None:
    assert said() == (
        Weight.SOME, f"No table has fewer rows afterwards, but {SINCE} is lost"
    )  # fmt: skip


def test_estimates_are_said_to_be_some() -> None:
    roughly = target(table(1, "documents", 1_250_300), table(2, "users", 4_812))
    weight, text = said(content=content(TABLES), target=roughly, rows={})
    assert text.startswith("Loses about 300 rows (public.documents 300) and every change")
    assert text.endswith("; 2 tables still to be counted")
    assert weight is Weight.SOME


def test_what_is_not_known_is_said_beside_what_is() -> None:
    seen = {1: Seen(1_250_310), 2: Seen(None, "no right to read it"), 3: Seen(3)}
    weight, text = said(content=content(TABLES), target=THERE, rows=seen)
    assert weight is Weight.UNKNOWN
    assert text == (
        f"Loses at least 310 rows (public.documents 310) and {SINCE}; "
        "not known for 1 table (public.users)"
    )


def test_many_are_not_all_named() -> None:
    names = [f"t{n}" for n in range(6)]
    there = target(*(table(n, name) for n, name in enumerate(names)))
    seen = {n: Seen(n + 1) for n in range(6)}
    _, text = said(content=content(dict.fromkeys(names, 0)), target=there, rows=seen)
    assert text.startswith(
        "Loses at least 21 rows (public.t5 6, public.t4 5, public.t3 4 and 3 more)"
    )


def test_of_another_database() -> None:
    weight, text = said(copy=copy(database="shop"), target=THERE, rows=COUNTED)
    assert text.endswith(". Careful: it is a backup of 'shop', not of 'thinktank'")
    assert "every change" not in text
    assert weight is Weight.SOME


def test_partitions_that_go_count_as_lost() -> None:
    there = target(
        table(9, "events", kind=Kind.PARTITIONED), table(1, "old", parent=9),
        table(2, "new", parent=9),
    )  # fmt: skip
    _, text = said(content=content({"old": 5}), target=there, rows={1: Seen(5), 2: Seen(7)})
    assert text.startswith("Loses at least 7 rows (public.new 7) and")


MISSING = MissingDatabaseError("Database 'thinktank' does not exist on x", fix="create it")


@pytest.mark.parametrize(
    ("parts", "weight", "words"),
    [
        ({"database": ""}, Weight.UNKNOWN, "Into which database? Name one"),
        ({"target": None}, Weight.ASKING,
         "Asking db.example.com:5432 what is in 'thinktank' now …"),
        ({"target": ServerError("It is not reachable", cause="x")}, Weight.UNKNOWN,
         "What would be lost is not known: It is not reachable"),
        ({"target": MISSING}, Weight.NONE,
         "Nothing is there to be lost: 'thinktank' does not exist on the server"),
        ({"target": target()}, Weight.NONE, "No rows are lost: 'thinktank' has no tables"),
        ({"content": None}, Weight.ASKING,
         "Reading what the backup holds. 5 rows in 1 table now …"),
        ({"content": StorageError("S3 is gone")}, Weight.UNKNOWN,
         "What the backup holds is not known: S3 is gone. 5 rows in 1 table now, and any of them "
         "may be lost"),
        ({"content": content({}, manifest=None)}, Weight.UNKNOWN,
         "What the backup holds is not known: it has no manifest. 5 rows in 1 table now, and any "
         "of them may be lost"),
        ({"content": content({}, manifest=None, manifest_problem=DamagedError("It is broken"))},
         Weight.UNKNOWN,
         "What the backup holds is not known: It is broken. 5 rows in 1 table now, and any of them "
         "may be lost"),
        ({"content": content({"other": 3})}, Weight.NONE,
         "No rows are lost: the backup has nothing of what is in 'thinktank' (1 table), so that "
         "stays; it makes 1 table"),
        ({"content": None, "rows": {}, "target": target(table(1, "a"), table(2, "b", 7))},
         Weight.ASKING,
         "Reading what the backup holds. About 7 rows in 2 tables, of 1 table not known now …"),
    ],
)  # fmt: skip
def test_other_states(parts: dict[str, Any], weight: Weight, words: str) -> None:
    assert said(**parts) == (weight, words)


def test_large_objects_alone_may_be_lost() -> None:
    there = replace(target(), relations=replace(target().relations, large_objects=3))
    weight, text = said(target=there)
    assert weight is Weight.UNKNOWN
    assert text.startswith("'thinktank' has no tables, but 3 large objects")
