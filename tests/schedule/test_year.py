"""A year in five time zones, with downtime, pauses, pruning and backups that take too long."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from tests.schedule.simulation import World, slots_by_hand

from pgconsole.schedule.history import SLOTS, SlotOutcome, last_slots

YEARS = [
    ("UTC", 2026, "0 */6 * * *", lambda at: at.hour % 6 == 0 and at.minute == 0),
    ("America/New_York", 2026, "30 1,2,14 * * *",
     lambda at: at.hour in (1, 2, 14) and at.minute == 30),
    ("Europe/Berlin", 2026, "0 * * * *", lambda at: at.minute == 0),
    ("Australia/Lord_Howe", 2026, "*/15 1,2 * * *",
     lambda at: at.hour in (1, 2) and at.minute % 15 == 0),
    ("America/Sao_Paulo", 2018, "0 0,23 * * 0-5",
     lambda at: at.hour in (0, 23) and at.minute == 0 and at.isoweekday() != 6),
    ("Pacific/Apia", 2011, "45 */4 * * *", lambda at: at.hour % 4 == 0 and at.minute == 45),
]  # fmt: skip


DECIDED = (SlotOutcome.STARTED, SlotOutcome.SKIPPED, SlotOutcome.MISSED)
CLOCK_SET_BACK = timedelta(hours=1.5)  # at most, in the simulation


@pytest.mark.parametrize(("zone", "year", "expression", "matches"), YEARS)
def test_every_slot_of_a_year_is_accounted_for_once(zone, year, expression, matches, tmp_path):
    timezone = ZoneInfo(zone)
    start = datetime(year, 1, 1, 0, 0, 7, tzinfo=UTC)
    end = datetime(year, 12, 31, tzinfo=UTC)
    world = World(expression, timezone, tmp_path, start, random.Random(zone))
    world.live_until(end)

    accounted = {slot.due: slot for slot in last_slots(tmp_path, 100_000)}
    at_start = {due for due in accounted if due.second or due.microsecond}
    every_hour = expression.split()[1] == "*"
    expected = [slot for slot in slots_by_hand(matches, every_hour, timezone, year) if slot > start]
    last = max(accounted)
    assert sorted(accounted.keys() - at_start) == [slot for slot in expected if slot <= last]
    assert last > end - timedelta(days=30)

    # Each was decided on once, and each backup ended once.
    lines = [json.loads(line) for line in (tmp_path / SLOTS).read_text().splitlines()]
    decided = Counter(line["due"] for line in lines if line["outcome"] in DECIDED)
    ended = Counter(line["due"] for line in lines if line["outcome"] not in DECIDED)
    assert set(decided.values()) == set(ended.values()) == {1}
    assert ended.keys() <= decided.keys()

    # No two backups at once, and none of a slot twice.
    assert len({due for _, _, due in world.backups}) == len(world.backups)
    for (_, ended_at, _), (started_at, _, _) in pairwise(world.backups):
        assert ended_at - started_at <= CLOCK_SET_BACK

    # What was not taken has its reason.
    outcomes = Counter(slot.outcome for slot in accounted.values())
    assert outcomes[SlotOutcome.DONE] > len(expected) / 4
    assert outcomes[SlotOutcome.MISSED] > 0
    assert world.waited
    assert world.spared
    for due, taken in world.spared.items():
        assert accounted[due].outcome is SlotOutcome.SKIPPED
        assert not any(taken <= slot <= due for slot in expected)
    own = [(since, until) for since, until, _ in world.backups]
    reasons = {
        "backup": own, "restore": world.others, "paused": world.pauses, "prune": world.prunes,
        "the": [(due, due) for due in world.spared],
    }  # fmt: skip
    assert any(slot.why.startswith("prune") for slot in accounted.values())
    for slot in accounted.values():
        if slot.outcome is SlotOutcome.MISSED:
            # Or it waited, and while it did the host fell asleep.
            times = world.down + world.prunes
            assert any(since <= slot.due <= until for since, until in times), slot
        if slot.outcome is SlotOutcome.SKIPPED:
            times = reasons[slot.why.split()[0]]
            assert any(since <= slot.at and slot.due <= until for since, until in times), slot
