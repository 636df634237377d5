"""The checks before a restore: each passed, failed and not known; and when nobody can say yes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.planning.making import (
    FITNESS,
    HOST,
    NOW,
    content,
    copy,
    facts,
    head,
    proof,
    table,
    target,
)

from pgconsole.backups.evidence import Proof
from pgconsole.errors import BusyError, DamagedError, PgconsoleError, ServerError, StorageError
from pgconsole.planning.checks import Check, Outcome, refusal
from pgconsole.planning.plan import conclude
from pgconsole.postgres.relations import Kind
from pgconsole.storage.base import Place

BUSY = BusyError("Database 'thinktank' is busy", cause="backup by ana", fix="wait")
UNREACHABLE = ServerError("It is not reachable", cause="refused", fix="look at PGHOST")
GONE = StorageError("S3 is gone", cause="refused", fix="look at S3_ENDPOINT_URL")
FULL = PgconsoleError("/backups is too full", cause="3 bytes are free", fix="free some space")


def found(**parts: Any) -> dict[str, Check]:
    given = facts(**parts)
    return {check.name: check for check in conclude(given, NOW).checks}


def test_all_is_well() -> None:
    every = found()
    assert {name: check.outcome for name, check in every.items()} == dict.fromkeys(
        ("Copy", "Integrity", "Server", "Nobody else", "Compatible", "Newer objects",
         "Safety backup"), Outcome.PASSED,
    )  # fmt: skip
    assert refusal(every.values()) == ""
    assert every["Copy"].text == "it is there, 126.0 MiB, of PostgreSQL 16.14, 1 table"
    assert every["Integrity"].text == (
        "proven complete 2 h 2 min ago by scheduler; the restore reads all of it first, before it "
        "touches anything"
    )
    assert every["Server"].text == "PostgreSQL 16.14 at db.example.com:5432 has 'thinktank'"
    assert every["Safety backup"].text == "there is room: 41.0 GiB are free"


@pytest.mark.parametrize(
    ("name", "parts", "words"),
    [
        ("Copy", {"content": GONE}, "S3 is gone: refused. Next: look at S3_ENDPOINT_URL"),
        ("Copy", {"content": content({}, copy=replace(copy(), size=5))},
         "The copy was replaced since it was listed. Next: go back, and choose it again"),
        ("Copy", {"content": content({}, copy=replace(copy(), modified=NOW))}, "was replaced"),
        ("Copy", {"copy": replace(copy(), size=0),
                  "content": content({}, copy=replace(copy(), size=0))}, "The copy is empty"),
        ("Copy", {"content": content({}, manifest=None, manifest_problem=DamagedError("Bad"))},
         "Bad"),
        ("Copy", {"content": content({}, head=None, head_problem=DamagedError("No dump"))},
         "No dump"),
        ("Integrity", {"host": replace(HOST, proof=proof(Proof.DAMAGED, problem="wrong CRC"))},
         "The copy was found damaged 2 h 2 min ago by scheduler: wrong CRC. Next: use another "
         "backup, or verify this one again"),
        ("Integrity", {"host": replace(HOST, proof=proof(Proof.ALTERED, problem="no fit"))},
         "The copy was found altered 2 h 2 min ago by scheduler: no fit. Next: use another "
         "backup, or verify this one again"),
        ("Server", {"target": UNREACHABLE}, "It is not reachable: refused. Next: look at PGHOST"),
        ("Nobody else", {"host": replace(HOST, busy=BUSY)}, "is busy: backup by ana. Next: wait"),
        ("Nobody else", {"target": target(table(1, "users", 5), busy=BUSY)}, "is busy"),
        ("Compatible", {"fitness": replace(FITNESS, obstacles=(UNREACHABLE, FULL))},
         "It is not reachable: refused. Next: look at PGHOST; /backups is too full"),
        ("Compatible", {"fitness": UNREACHABLE}, "It is not reachable"),
        ("Newer objects", {"fitness": replace(FITNESS, holders=(("view v", "table t"),) * 5)},
         "PostgreSQL would refuse to drop what the backup replaces: view v depends on table t: "
         "view v depends on table t; view v depends on table t; and 2 more. Next: drop what is in "
         "the way, or restore into a new, empty database"),
        ("Newer objects", {"fitness": replace(FITNESS, collisions=("public.a", "public.b"))},
         "does not drop them: public.a and others: it was made by pg_dump without --clean"),
        ("Newer objects",
         {"content": content({}, head=head("users")),
          "target": target(table(1, "users", kind=Kind.VIEW))},
         "public.users is a view now and a table in the backup"),
        ("Safety backup", {"fitness": replace(FITNESS, unsafe=(FULL,))}, "/backups is too full"),
        ("Safety backup", {"host": replace(HOST, unwritable=GONE)}, "S3 is gone"),
        ("Safety backup", {"host": replace(HOST, free_bytes=1 << 20)},
         "/backups has too little free space: 1.0 MiB are free, about 126.0 MiB are needed for the "
         "download and the safety backup. Next: free some space"),
        # The download needs room too.
        ("Safety backup", {"copy": copy(Place.S3), "host": replace(HOST, free_bytes=200 << 20),
                           "content": content({}, copy=copy(Place.S3))},
         "200.0 MiB are free, about 252.0 MiB are needed"),
    ],
)  # fmt: skip
def test_what_fails_and_refuses(name: str, parts: dict[str, Any], words: str) -> None:
    every = found(**parts)
    assert every[name].outcome is Outcome.FAILED
    assert words in every[name].text
    assert every[name].brief
    assert refusal(every.values()) in {check.brief for check in every.values()} - {""}


@pytest.mark.parametrize(
    ("name", "parts", "words"),
    [
        ("Integrity", {"host": replace(HOST, proof=None)}, "nobody has verified this copy; the"),
        ("Integrity", {"host": replace(HOST, proof=proof(Proof.LISTED))}, "nobody has verified"),
        ("Integrity", {"host": replace(HOST, proof=None, proof_problem="it can't be read")},
         "it can't be read; the restore reads all of it first"),
        ("Compatible", {"content": content({"users": 5}, head=None)}, "the rest is not known"),
        ("Newer objects", {"fitness": replace(FITNESS, holders=None)}, "is not known"),
    ],
)  # fmt: skip
def test_what_is_not_known_before_refuses_nothing(
    name: str, parts: dict[str, Any], words: str
) -> None:
    every = found(**parts)
    assert every[name].outcome is Outcome.UNKNOWN
    assert words in every[name].text
    assert refusal(every.values()) == ""


def test_a_copy_without_a_manifest_can_be_restored() -> None:
    every = found(content=content({}, manifest=None))
    assert every["Copy"].text == (
        "it is there, 126.0 MiB, of PostgreSQL 16.14; it has no manifest: verify it first, and its "
        "rows are known beforehand"
    )
    assert refusal(every.values()) == ""


@pytest.mark.parametrize(
    ("parts", "asked"),
    [
        ({"content": None, "fitness": None},
         "Copy, Compatible, Newer objects, Safety backup"),
        ({"host": None}, "Integrity, Nobody else, Safety backup"),
        ({"target": None, "fitness": None},
         "Server, Nobody else, Compatible, Newer objects, Safety backup"),
        ({"fitness": None}, "Compatible, Newer objects, Safety backup"),
    ],
)  # fmt: skip
def test_nobody_can_say_yes_before_all_has_answered(parts: dict[str, Any], asked: str) -> None:
    assert refusal(found(**parts).values()) == f"Not all is known yet: {asked}. Wait a moment"


def test_what_depends_on_what_failed_is_not_asked_for_ever() -> None:
    for parts in ({"target": UNREACHABLE, "fitness": None}, {"content": GONE, "fitness": None}):
        every = found(**parts)
        assert Outcome.ASKING not in {check.outcome for check in every.values()}
        assert every["Compatible"].outcome is Outcome.UNKNOWN
    unread = found(host=GONE)
    assert unread["Integrity"].outcome is Outcome.UNKNOWN
    assert "S3 is gone" in unread["Nobody else"].text


def test_a_failure_counts_more_than_what_was_known_before() -> None:
    """A server that was there and is gone now has not passed."""
    given = facts()
    given = replace(given, target=replace(given.target, problem=UNREACHABLE))
    every = {check.name: check for check in conclude(given, NOW).checks}
    assert every["Server"].outcome is Outcome.FAILED
    assert given.there is None


def test_without_a_safety_backup_on_request() -> None:
    every = found(fitness=replace(FITNESS, unsafe=(FULL,)), without_safety_backup=True)
    assert every["Safety backup"].outcome is Outcome.UNKNOWN
    assert every["Safety backup"].text.endswith("It goes on without one, as asked for")
    assert refusal(every.values()) == ""
