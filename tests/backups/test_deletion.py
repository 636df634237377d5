"""What may be deleted by hand: only what a proven copy that stays makes up for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.backups.shelf import name_of

from pgconsole.backups.deletion import Decision, decide
from pgconsole.backups.pins import Pin, backup_id
from pgconsole.backups.retention import Trust, Verdict
from pgconsole.dumps.naming import BackupClass
from pgconsole.storage.base import Place, StoredBackup

GOOD, BAD = Verdict(Trust.VERIFIED), Verdict(Trust.DAMAGED, "byte 7 is wrong")


def copy(
    age: int,
    place: Place = Place.LOCAL,
    cls: BackupClass = BackupClass.DAILY,
    *,
    size: int = 1000,
    database: str = "app",
) -> StoredBackup:
    name = name_of(age, cls, database)
    return StoredBackup(name, place, f"{place}:{name.relative_path}", size, name.taken_at, True)


def one(
    wanted: StoredBackup,
    *staying: StoredBackup,
    proven: tuple[StoredBackup, ...] = (),
    damaged: tuple[StoredBackup, ...] = (),
    whole: bool = False,
    pin: Pin | None = None,
) -> Decision:
    """What is decided about a single copy."""
    verdicts = {each.location: GOOD for each in proven} | {each.location: BAD for each in damaged}
    pins = {pin.backup: pin} if pin else {}
    return decide([wanted], [wanted, *staying], verdicts, pins, lambda _: whole)[0]


def test_an_old_one_goes_where_a_newer_good_one_stays() -> None:
    old, new = copy(5), copy(0)
    decision = one(old, new, proven=(new,))
    assert decision.allowed
    assert decision.keeper == new
    assert decision.reason == f"{new.name.filename} stays here, proven complete"


def test_nothing_goes_for_one_that_nobody_has_verified() -> None:
    decision = one(copy(5), copy(0))
    assert not decision.allowed
    assert "no copy that is proven complete" in decision.reason


def test_nothing_goes_for_an_older_one() -> None:
    new, old = copy(0), copy(1)
    assert not one(new, old, proven=(new, old)).allowed


def test_nothing_goes_for_another_database() -> None:
    other = copy(0, database="app_2")
    assert not one(copy(5), other, proven=(other,)).allowed


def test_the_newest_goes_where_another_copy_of_it_stays() -> None:
    here, there = copy(0), copy(0, Place.S3)
    assert one(here, there, proven=(here, there)).allowed
    weekly = copy(0, cls=BackupClass.WEEKLY)
    same = replace(weekly.name, taken_at=here.name.taken_at)
    assert one(here, replace(weekly, name=same), proven=(weekly,)).allowed


def test_an_object_that_was_stored_whole_counts_if_nothing_is_proven() -> None:
    here, there = copy(0), copy(0, Place.S3)
    decision = one(here, there, proven=(here,), whole=True)
    assert decision.keeper == there
    assert not one(here, there, proven=(here,)).allowed
    assert not one(here, there, damaged=(there,), whole=True).allowed


def test_what_is_no_good_may_go() -> None:
    assert one(copy(0, size=0)).reason == "it is empty"
    bad = copy(0)
    decision = one(bad, damaged=(bad,))
    assert decision.allowed
    assert decision.reason == "it is damaged: byte 7 is wrong"


def test_what_was_altered_goes_only_where_a_good_one_stays() -> None:
    """It may be the fault of a key that is not trusted any more."""
    altered = Verdict(Trust.ALTERED, "signed by a key that is not trusted")
    old, new, there = copy(5), copy(0), copy(0, Place.S3)
    for wanted, others, known, allowed in (
        (new, [old], {new: altered, old: GOOD}, False),
        (old, [new], {old: altered, new: GOOD}, True),
        (old, [there], {there: altered}, False),
    ):
        verdicts = {each.location: verdict for each, verdict in known.items()}
        [decision] = decide([wanted], [wanted, *others], verdicts, {}, lambda _: True)
        assert decision.allowed == allowed


def test_what_is_pinned_stays() -> None:
    old, new = copy(5), copy(0)
    pin = Pin(backup_id(old.name), "audit", "ana", datetime(2026, 2, 1, tzinfo=UTC))
    decision = one(old, new, proven=(new,), pin=pin)
    assert not decision.allowed
    assert decision.reason == "pinned by ana: audit"


def test_all_are_decided_as_if_all_went() -> None:
    old, new = copy(1), copy(0)
    verdicts = {old.location: GOOD, new.location: GOOD}
    decided = decide([old, new], [old, new], verdicts, {}, lambda _: False)
    assert [decision.allowed for decision in decided] == [False, False]


COPIES = [copy(age, place) for age in range(4) for place in Place]
SOME = st.frozensets(st.sampled_from(COPIES))


@given(wanted=SOME, proven=SOME, damaged=SOME, whole=SOME)
def test_something_proven_always_stays(
    wanted: frozenset[StoredBackup],
    proven: frozenset[StoredBackup],
    damaged: frozenset[StoredBackup],
    whole: frozenset[StoredBackup],
) -> None:
    """After every deletion the newest good backup that there was can still be had."""
    good = proven - damaged
    verdicts = {each.location: GOOD for each in good} | {each.location: BAD for each in damaged}
    decided = decide(list(wanted), COPIES, verdicts, {}, lambda each: each in whole)
    gone = {decision.backup for decision in decided if decision.allowed}
    usable = good | {each for each in whole - damaged if each.place is Place.S3}
    if good - gone != good:
        assert usable - gone
        newest = max(each.name.taken_at for each in good)
        assert max(each.name.taken_at for each in usable - gone) >= newest
    assert all(each in good | damaged or usable - gone for each in gone)
