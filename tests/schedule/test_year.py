"""A year in six time zones, with downtime, pauses, pruning and backups that take too long."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from tests.schedule.year import YEARS, live_a_year

from pgconsole.schedule.history import SlotOutcome


@pytest.mark.parametrize(("zone", "year", "expression", "matches"), YEARS)
def test_every_slot_of_a_year_is_accounted_for_once(zone, year, expression, matches, tmp_path):
    world, accounted, expected = live_a_year(
        zone, year, expression, matches, tmp_path, random.Random(zone)
    )
    # All that can happen did.
    outcomes = Counter(slot.outcome for slot in accounted.values())
    assert outcomes[SlotOutcome.DONE] > len(expected) / 4
    assert outcomes[SlotOutcome.MISSED] > 0
    assert world.waited
    assert world.spared
    assert any(slot.why.startswith("prune") for slot in accounted.values())
