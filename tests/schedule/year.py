"""A year of a scheduler's lives, and what has to be true of its book afterwards."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.schedule.simulation import World, slots_by_hand

from pgconsole.schedule.history import SLOTS, Slot, SlotOutcome, last_slots

Matches = Callable[[datetime], bool]
YEARS: list[tuple[str, int, str, Matches]] = [
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


def live_a_year(
    zone: str, year: int, expression: str, matches: Matches, book: Path, chance: random.Random
) -> tuple[World, dict[datetime, Slot], list[datetime]]:
    """Let schedulers live through a year of downtime, pauses, pruning and clocks that jump.

    Every slot is accounted for once, with a reason where it was not taken, and no two backups ran
    at once: that is checked here.

    Returns:
        What happened, the slots that were accounted for, and those that the wall clock shows.
    """
    timezone = ZoneInfo(zone)
    start = datetime(year, 1, 1, 0, 0, 7, tzinfo=UTC)
    end = datetime(year, 12, 31, tzinfo=UTC)
    world = World(expression, timezone, book, start, chance)
    world.live_until(end)

    accounted = {slot.due: slot for slot in last_slots(book, 100_000)}
    at_start = {due for due in accounted if due.second or due.microsecond}
    every_hour = expression.split()[1] == "*"
    expected = [slot for slot in slots_by_hand(matches, every_hour, timezone, year) if slot > start]
    last = max(accounted)
    assert sorted(accounted.keys() - at_start) == [slot for slot in expected if slot <= last]
    assert last > end - timedelta(days=30)

    # Each was decided on once, and each backup ended once.
    lines = [json.loads(line) for line in (book / SLOTS).read_text().splitlines()]
    decided = Counter(line["due"] for line in lines if line["outcome"] in DECIDED)
    ended = Counter(line["due"] for line in lines if line["outcome"] not in DECIDED)
    assert set(decided.values()) == set(ended.values()) == {1}
    assert ended.keys() <= decided.keys()

    # No two backups at once, and none of a slot twice.
    assert len({due for _, _, due in world.backups}) == len(world.backups)
    for (_, ended_at, _), (started_at, _, _) in pairwise(world.backups):
        assert ended_at - started_at <= CLOCK_SET_BACK

    # What was not taken has its reason.
    for due, taken in world.spared.items():
        assert accounted[due].outcome is SlotOutcome.SKIPPED
        assert not any(taken <= slot <= due for slot in expected)
    own = [(since, until) for since, until, _ in world.backups]
    reasons = {
        "backup": own, "restore": world.others, "paused": world.pauses, "prune": world.prunes,
        "the": [(due, due) for due in world.spared],
    }  # fmt: skip
    for slot in accounted.values():
        if slot.outcome is SlotOutcome.MISSED:
            # Or it waited, and while it did the host fell asleep.
            times = world.down + world.prunes
            assert any(since <= slot.due <= until for since, until in times), slot
        if slot.outcome is SlotOutcome.SKIPPED:
            times = reasons[slot.why.split()[0]]
            assert any(since <= slot.at and slot.due <= until for since, until in times), slot
    return world, accounted, expected
