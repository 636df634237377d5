"""The plan of retention: what may never go never goes, and the counts are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pgconsole.backups.pins import Pin, backup_id
from pgconsole.backups.retention import Plan, Rules, Trust, Verdict, plan
from pgconsole.dumps.naming import BackupClass, BackupName, parse_name
from pgconsole.storage.base import ForeignFile, Listing, Place, StoredBackup

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD, BAD = Verdict(Trust.VERIFIED), Verdict(Trust.DAMAGED, "member 3 at byte 77: CRC")
DAILY, WEEKLY, MONTHLY = BackupClass
DATABASES = ("app", "app2", "app_daily", "app_daily_2", "App", "ap")
FOREIGN = (
    "/b/daily/notes.txt",
    "/b/daily/app_daily_20260230_020000.sql.gz",
    "/b/weekly/app.sql.gz",
)
PARTIAL = "/b/daily/app_daily_20260301_020000.sql.gz.partial"


def copy(
    days: int, cls: BackupClass = DAILY, database: str = "app", size: int = 1000
) -> StoredBackup:
    """A backup that is so many days old."""
    name = BackupName(database, NOW - timedelta(days=days), cls)
    return StoredBackup(name, Place.LOCAL, f"/b/{name.relative_path}", size, NOW, True)


def rules(daily: int = 7, weekly: int = 4, monthly: int = 3, database: str = "app") -> Rules:
    """How many of each class to keep."""
    return Rules(database, {DAILY: daily, WEEKLY: weekly, MONTHLY: monthly})


def pin_of(backup: StoredBackup, note: str = "") -> dict[str, Pin]:
    """The backup's pin, as `read_pins` returns it."""
    key = backup_id(backup.name)
    return {key: Pin(key, note, "alice", NOW)}


def listing_of(backups: Sequence[StoredBackup]) -> Listing:
    """Those, among a partial file and files that are no backups."""
    return Listing(tuple(backups), tuple(ForeignFile(path, 9) for path in FOREIGN), (PARTIAL,))


def made(
    backups: Sequence[StoredBackup],
    counts: Rules,
    verdicts: dict[str, Verdict],
    pins: dict[str, Pin] | None = None,
    stored: frozenset[str] = frozenset(),
) -> Plan:
    """The plan for these backups."""
    return plan(
        listing_of(backups), counts, pins or {}, verdicts, NOW, lambda one: one.location in stored
    )


def all_good(backups: Sequence[StoredBackup]) -> dict[str, Verdict]:
    """Every copy was verified."""
    return {backup.location: GOOD for backup in backups}


def deleted(result: Plan) -> set[str]:
    """Where what goes lies."""
    return {entry.location for entry in result.delete}


def reason(result: Plan, backup: StoredBackup) -> str:
    """Why a backup stays or goes."""
    (found,) = {
        entry.reason for entry in result.keep + result.delete if entry.location == backup.location
    }
    return found


class TestRules:
    """Each rule by itself."""

    def test_the_newest_of_each_class_stay(self):
        backups = [copy(day, cls) for cls in BackupClass for day in range(10)]
        result = made(backups, rules(7, 4, 3), all_good(backups))
        kept = [entry.backup.name for entry in result.keep if entry.backup]
        assert [sum(name.backup_class is cls for name in kept) for cls in BackupClass] == [7, 4, 3]
        assert min(name.taken_at for name in kept) == NOW - timedelta(days=6)
        assert reason(result, copy(2)) == "daily 3 of 7"
        assert reason(result, copy(7)) == "older than the 7 good daily backups that stay"

    def test_zero_keeps_all_of_its_class_only(self):
        backups = [copy(day, cls) for cls in (DAILY, WEEKLY) for day in range(10)]
        result = made(backups, rules(0, 1), all_good(backups))
        assert deleted(result) == {copy(day, WEEKLY).location for day in range(1, 10)}
        assert reason(result, copy(9)) == "all daily backups stay"

    def test_one_keeps_the_newest(self):
        backups = [copy(day) for day in range(3)]
        assert deleted(made(backups, rules(1), all_good(backups))) == {
            copy(1).location,
            copy(2).location,
        }

    def test_nothing_goes_while_nobody_verified_anything(self):
        result = made([copy(day) for day in range(30)], rules(), {})
        assert not result.delete
        assert reason(result, copy(29)).startswith("never verified: takes no slot")
        assert sum(entry.waits for entry in result.keep) == 30

    def test_unverified_ones_never_push_out_a_good_one(self):
        good = [copy(day) for day in range(10, 17)]
        halves = [copy(day) for day in range(10)]  # valid gzip of half a dump, for all we know
        assert not made([*good, *halves], rules(7), all_good(good)).delete

    def test_an_unverified_one_goes_when_there_are_enough_newer_good_ones(self):
        good, old = [copy(day) for day in range(7)], copy(8)
        assert deleted(made([*good, old], rules(7), all_good(good))) == {old.location}
        assert not made([*good[1:], old], rules(7), all_good(good)).delete

    def test_failed_for_weeks_deletes_nothing(self):
        """Age-based retention would have deleted everything."""
        backups = [copy(100 + day) for day in range(7)]
        assert not made(backups, rules(7), all_good(backups)).delete

    def test_damaged_and_empty_ones_take_no_slot(self):
        good = [copy(day) for day in range(2, 9)]
        damaged, empty = copy(0), copy(1, size=0)
        verdicts = all_good([*good, empty]) | {damaged.location: BAD}
        result = made([damaged, empty, *good], rules(7), verdicts)
        assert not result.delete
        assert reason(result, damaged) == f"damaged: takes no slot ({BAD.problem})"
        assert reason(result, empty) == "empty: takes no slot"
        assert reason(result, copy(2)) == "daily 1 of 7"

    def test_a_pin_holds_all_classes_and_takes_no_slot(self):
        backups = [copy(day, cls) for cls in BackupClass for day in range(3)]
        pinned = copy(2)
        result = made(
            backups, rules(1, 1, 1), all_good(backups), pin_of(pinned, "before the migration")
        )
        assert deleted(result) == {copy(1, cls).location for cls in BackupClass}
        assert reason(result, pinned) == "pinned by alice: before the migration"
        held = made(backups, rules(1, 1, 1), all_good(backups), pin_of(copy(0)))
        assert reason(held, copy(0)) == "pinned by alice"
        assert reason(held, copy(1)) == "daily 1 of 1"

    def test_a_clock_that_ran_ahead_costs_no_backup(self):
        future = copy(-300)
        backups = [future, copy(0), copy(1)]
        result = made(backups, rules(1), all_good(backups))
        assert deleted(result) == {copy(1).location}
        assert reason(result, future) == "dated in the future: takes no slot"

    def test_stored_from_a_verified_dump_takes_a_slot(self):
        backups = [copy(day) for day in range(4)]
        stored = frozenset(backup.location for backup in backups[:2])
        result = made(backups, rules(2), {}, stored=stored)
        assert deleted(result) == {copy(2).location, copy(3).location}

    def test_only_as_many_are_looked_into_as_there_are_slots(self):
        asked = []

        def look(backup: StoredBackup) -> bool:
            asked.append(backup)
            return True

        plan(listing_of([copy(day) for day in range(99)]), rules(3), {}, {}, NOW, look)
        assert asked == [copy(0), copy(1), copy(2)]

    def test_the_newest_that_evidence_verified_stays_beside_stored_ones(self):
        backups = [copy(day) for day in range(9)]
        stored = frozenset(backup.location for backup in backups[:2])
        verdicts = {copy(6).location: GOOD, copy(8).location: GOOD}
        result = made(backups, rules(2), verdicts, stored=stored)
        assert reason(result, copy(6)) == "newest verified backup"
        assert reason(result, copy(8)).startswith("older than")

    def test_databases_whose_names_are_prefixes(self):
        names = [
            f"{database}_{cls}_2026010{day}_020000.sql.gz"
            for database in DATABASES for cls in BackupClass for day in range(1, 9)
        ]  # fmt: skip
        backups = [
            StoredBackup(name, Place.LOCAL, f"/b/{name.relative_path}", 9, NOW, True)
            for name in map(parse_name, names) if name
        ]  # fmt: skip
        assert len(backups) == len(names)
        for database in DATABASES:
            result = made(backups, rules(1, 1, 1, database), all_good(backups))
            gone = {entry.backup.name.database for entry in result.delete if entry.backup}
            assert gone == {database}
            assert len(result.delete) == 3 * 7

    def test_what_is_no_backup_stays_and_says_so(self):
        result = made([], rules(1), {})
        assert {entry.location: entry.reason for entry in result.keep} == {
            **dict.fromkeys(FOREIGN, "not a backup"),
            PARTIAL: "partial: the next backup looks after it",
        }


TRUST = (None, GOOD, GOOD, GOOD, BAD)
COPIES = st.lists(
    st.tuples(
        st.integers(-2, 12), st.sampled_from(BackupClass), st.sampled_from(DATABASES[:3]),
        st.sampled_from([0, 1000, 1000, 1000]),
    ),
    max_size=40, unique_by=lambda one: one[:3],
).map(lambda found: [copy(*one) for one in found])  # fmt: skip


@st.composite
def situations(draw: st.DrawFn):
    """Backups of several databases, with verdicts, pins and counts."""
    backups = draw(COPIES)
    verdicts = {
        backup.location: verdict
        for backup in backups
        if (verdict := draw(st.sampled_from(TRUST))) is not None
    }
    pins: dict[str, Pin] = {}
    for backup in backups:
        if draw(st.integers(0, 5)) == 0:
            pins |= pin_of(backup)
    stored = frozenset(b.location for b in backups if draw(st.booleans()))
    if draw(st.booleans()):
        stored = frozenset()
    counts = rules(*(draw(st.integers(0, 4)) for _ in BackupClass))
    return backups, counts, verdicts, pins, stored


SITUATIONS = settings(max_examples=300, deadline=None)


class TestAlways:
    """What holds whatever there is."""

    @SITUATIONS
    @given(situations())
    def test_everything_is_decided_once(self, situation):
        backups, *rest = situation
        result = made(backups, *rest)
        everything = [entry.location for entry in result.keep + result.delete]
        assert sorted(everything) == sorted(
            [*(backup.location for backup in backups), *FOREIGN, PARTIAL]
        )
        assert all(entry.reason for entry in result.keep + result.delete)

    @SITUATIONS
    @given(situations())
    def test_what_may_never_go_stays(self, situation):
        backups, counts, verdicts, pins, stored = situation
        gone = deleted(made(backups, counts, verdicts, pins, stored))
        assert not gone & {*FOREIGN, PARTIAL}
        for backup in backups:
            if (
                backup.name.database != counts.database
                or backup_id(backup.name) in pins
                or verdicts.get(backup.location) is BAD
                or backup.size == 0
                or backup.name.taken_at > NOW + timedelta(hours=1)
                or counts.counts[backup.name.backup_class] == 0
            ):
                assert backup.location not in gone

    @SITUATIONS
    @given(situations())
    def test_the_newest_verified_stays(self, situation):
        backups, counts, verdicts, pins, stored = situation
        gone = deleted(made(backups, counts, verdicts, pins, stored))
        verified = [
            backup for backup in backups
            if backup.name.database == "app" and verdicts.get(backup.location) is GOOD
            and backup.size and backup.name.taken_at <= NOW
        ]  # fmt: skip
        if verified:
            newest = max(backup.name.taken_at for backup in verified)
            assert not gone & {b.location for b in verified if b.name.taken_at == newest}

    @SITUATIONS
    @given(situations())
    def test_whatever_goes_leaves_enough_newer_good_ones(self, situation):
        backups, counts, verdicts, pins, stored = situation
        result = made(backups, counts, verdicts, pins, stored)
        gone = deleted(result)
        for entry in result.delete:
            assert entry.backup
            name = entry.backup.name
            newer = [
                backup for backup in backups
                if backup.name.database == name.database
                and backup.name.backup_class is name.backup_class
                and name.taken_at < backup.name.taken_at <= NOW
                and backup.size and backup_id(backup.name) not in pins
                and (verdicts.get(backup.location) is GOOD or (
                    verdicts.get(backup.location) is None and backup.location in stored))
                and backup.location not in gone
            ]  # fmt: skip
            assert len(newer) == counts.counts[name.backup_class]

    @SITUATIONS
    @given(situations())
    def test_what_is_left_is_left_by_a_second_plan(self, situation):
        backups, *rest = situation
        gone = deleted(made(backups, *rest))
        assert not made([b for b in backups if b.location not in gone], *rest).delete
