"""What will happen, to what, for how long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.planning.making import (
    HOST,
    MIB,
    NOW,
    content,
    copy,
    facts,
    manifest,
    settings,
    table,
    target,
)

from pgconsole.errors import ServerError, StorageError
from pgconsole.planning.forecast import forecast, sessions_text, takes_text
from pgconsole.planning.past import Expected, PastRestore, expected
from pgconsole.postgres.sessions import Sessions
from pgconsole.storage.base import Place

SESSIONS = Sessions((("think[tank]-api", 4), ("psql", 1)))


def told(**parts: Any) -> dict[str, str]:
    return dict(forecast(facts(**parts), NOW))


def test_all_of_it() -> None:
    assert told(target=target(table(1, "users", 5), sessions=SESSIONS)) == {
        "What": "Replaces in 'thinktank' what the backup holds, all or nothing; all else stays",
        "Target": "'thinktank' on db.example.com:5432",
        "Backup": "/backups/daily/thinktank_daily_20260225_020000.sql.gz",
        "Taken": "of database 'thinktank', 2026-02-25 02:00 UTC (2 h 2 min ago), 126.0 MiB "
        "(512.0 MiB of SQL)",
        "Cuts off": "5 sessions connected to the target now: 4 of think[tank]-api, 1 of psql",
        "Safety": "Before, the target is backed up to /backups/safety/: about 126.0 MiB in about "
        "14 s (an estimate from the backup of 2026-02-25 02:00 UTC); 41.0 GiB are free",
        "Takes": "About 41 s, from 2 past restores of this database",
        "Failure": "Leaves the target as it was: all is one transaction",
        "Command": "pgconsole restore /backups/daily/thinktank_daily_20260225_020000.sql.gz "
        "--database thinktank",
    }


def test_from_s3_into_another_database() -> None:
    found = told(copy=copy(Place.S3), database="a b", settings=settings(PGPASSWORD="p@ss"))
    assert found["Backup"] == (
        "s3://my-thinktank-backups/backups/daily/thinktank_daily_20260225_020000.sql.gz"
    )
    assert found["Command"].startswith("pgconsole restore --from-s3 backups/daily/")
    assert found["Command"].endswith("--database 'a b'")
    assert found["Careful"] == "The backup is of 'thinktank', not of 'a b'"
    assert found["Download"] == (
        "126.0 MiB from S3 to /backups/restored/ first, unless it is there already"
    )
    assert "p@ss" not in str(found)


def test_what_no_backup_keeps() -> None:
    there = target(table(1, "users", 5), granted=3)
    there = replace(there, relations=replace(there.relations, large_objects=2))
    found = told(target=there)
    assert found["Grants"].startswith("Others' rights to 3 of its tables")
    assert found["Objects"].startswith("2 large objects now")


def test_a_file_whose_name_says_nothing() -> None:
    """A safety backup: its manifest says of which database it is, its file when it was written."""
    lone = replace(copy(), name=None, stored=None, location="/x/pre_restore.sql.gz")
    assert told(copy=lone, content=None)["Taken"].startswith("2026-02-25 02:00 UTC")
    described = content({}, manifest=manifest({}, database="shop"))
    found = told(copy=lone, content=described)
    assert found["Taken"].startswith("of database 'shop', 2026-02-25 02:00 UTC")
    assert found["Careful"] == "The backup is of 'shop', not of 'thinktank'"


@pytest.mark.parametrize(
    ("parts", "heading", "words"),
    [
        ({"target": None}, "Cuts off", "Asking the server …"),
        ({"target": ServerError("It did not answer")}, "Cuts off", "Not known: It did not answer"),
        ({"host": None}, "Takes", "Looking for past ones …"),
        ({"host": StorageError("The disk is gone")}, "Takes", "Not known: The disk is gone"),
        ({"content": None}, "Takes", "Reading how much the backup holds …"),
        ({"host": replace(HOST, past=())}, "Takes",
         "Not known: nothing has been restored from here yet"),
        ({"content": content({}, manifest=None)}, "Takes",
         "Not known: how much the backup holds is not known (2 past restores of this database)"),
        ({"host": None, "fitness": None}, "Safety",
         "Before, the target is backed up to /backups/safety/"),
        ({"host": replace(HOST, previous=None)}, "Safety",
         "Before, the target is backed up to /backups/safety/: about 126.0 MiB (an estimate from "
         "the backup of 2026-02-25 02:00 UTC); 41.0 GiB are free"),
        # Nobody took the time of a file of the old scripts.
        ({"host": replace(HOST, previous=manifest({}, host=""))}, "Safety",
         "Before, the target is backed up to /backups/safety/: about 126.0 MiB (an estimate from "
         "the backup of 2026-02-25 02:00 UTC); 41.0 GiB are free"),
        ({"without_safety_backup": True, "host": None, "fitness": None}, "Safety",
         "Before, the target is backed up to /backups/safety/. If that fails, it is restored all "
         "the same"),
    ],
)  # fmt: skip
def test_what_is_not_known(parts: dict[str, Any], heading: str, words: str) -> None:
    assert told(**parts)[heading] == words


def test_sessions() -> None:
    assert sessions_text(Sessions(())).startswith("Nobody: nobody else is connected")
    assert sessions_text(Sessions((("psql", 1),))).startswith("1 session connected")


PAST = [
    PastRestore("a", 600 * MIB, 60.0),
    PastRestore("b", 100 * MIB, 30.0),
    PastRestore("a", 400 * MIB, 40.0),
    PastRestore("a", 0, 1.0),
]


@pytest.mark.parametrize(
    ("database", "raw", "seconds", "words"),
    [
        ("a", 1000 * MIB, 100.0, "About 1 min 40 s, from 2 past restores of this database"),
        ("b", 200 * MIB, 60.0, "About 1 min, from 1 past restore of this database"),
        ("c", 110 * MIB, 13.0, "About 13 s, from 3 past restores of other databases"),
        ("a", 10, None, "About 1 s, from 2 past restores of this database"),
        # From minutes nobody knows what hours will bring.
        ("b", 2000 * MIB, None,
         "Not known: the largest of 1 past restore of this database was of 100.0 MiB only"),
    ],
)  # fmt: skip
def test_how_long_it_takes(database: str, raw: int, seconds: float | None, words: str) -> None:
    found = expected(PAST, database, raw)
    assert takes_text(found, raw) == words
    if seconds is not None:
        assert found.seconds == pytest.approx(seconds)


def test_without_any_past() -> None:
    assert expected([], "a", 1) == Expected(None)
    assert takes_text(Expected(None), None).startswith("Not known: nothing has been restored")
