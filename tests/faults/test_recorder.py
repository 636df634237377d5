"""The table says what was recorded: a broken promise is seen in it, and nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.report import Results, page

KILLED = Fault(Group.KILL, "the runner is killed", "nothing half-made")
FULL = Fault(Group.DISK, "the disk is full", "an error that says so")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def recording(record: Path) -> Faults:
    return Faults(7, long=False, record=record)


def test_the_same_outcomes_are_added_up(recording: Faults, record: Path):
    for times in (1, 1, 500):
        with recording.trial(KILLED) as trial:
            trial.hit("backup: dump")
            trial.happened("interrupted", times)
    with recording.trial(KILLED) as trial:
        trial.happened("done before the kill | so to speak")
    tables = Results(record).tables()
    assert (
        "| the runner is killed | 503 | nothing half-made "
        "| 502 × interrupted; 1 × done before the kill \\| so to speak |" in tables
    )
    assert "| backup: dump | 3 |" in tables


def test_a_broken_promise_is_in_the_table_and_fails_the_test(recording: Faults, record: Path):
    with pytest.raises(AssertionError), recording.trial(FULL):
        raise AssertionError("a half-made file\nand more")
    results = Results(record)
    assert results.broken
    assert "BROKEN: AssertionError: a half-made file |" in results.tables()
    assert "Not every promise was kept" in page(results, 7, 60, ["16.14"])


def test_a_trial_that_says_nothing_is_broken(recording: Faults, record: Path):
    with pytest.raises(AssertionError, match="nobody said"), recording.trial(FULL):
        pass
    assert Results(record).broken


def test_what_could_not_be_tried_is_listed_with_its_reason(recording: Faults, record: Path):
    with pytest.raises(pytest.skip.Exception):
        recording.untried(FULL, "needs the right to mount a tmpfs")
    with pytest.raises(pytest.skip.Exception), recording.trial(KILLED):
        pytest.skip("no tmux")
    results = Results(record)
    assert not results.broken
    assert "- Disk: the disk is full: needs the right to mount a tmpfs." in results.tables()
    assert "| the disk is full" not in results.tables()
    assert "the runner is killed: no tmux" in results.tables()


def test_chance_is_of_the_seed_and_the_names_alone(recording: Faults):
    again = Faults(7, long=True, record=None)
    other = Faults(8, long=False, record=None)
    drawn = recording.random("kill", 3).random()
    assert again.random("kill", 3).random() == drawn
    assert other.random("kill", 3).random() != drawn
    assert again.random("kill", 4).random() != drawn
