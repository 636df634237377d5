"""A run that should have made a backup and did not: said, with the reason where that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.status.scenes import (
    DAY,
    HERE,
    LAST,
    LOSS,
    MONTHLY,
    NOW,
    SUNDAY,
    WEEKLY,
    answered,
    copy,
    evidence,
    expect,
    facts,
    holdings,
    job,
)

from pgconsole.jobs import JobStatus
from pgconsole.schedule.state import Pause
from pgconsole.status.facts import Holdings, Scheduler
from pgconsole.status.status import class_statuses, judge
from pgconsole.status.verdict import State


def test_overdue_run() -> None:
    late = NOW + DAY
    last = "last good backup 26 h ago (complete, local only)"
    text = f"At risk: the run due 2 h ago made no good backup; {last}."
    assert expect(facts(), State.STALE, text, late).loss == LOSS + "26 h 02 m."
    # Not within the hour that it may take.
    assert judge(facts(), LAST + DAY + timedelta(minutes=59)).state is State.FRESH


def test_overdue_says_why_where_it_is_known() -> None:
    late = NOW + DAY
    pause = Pause("bob", "moving house", NOW, None)
    paused = facts(scheduler=answered(Scheduler(None, pause)))
    assert "(the schedule is paused by bob: moving house)" in judge(paused, late).text
    hangs = facts(jobs=(job(JobStatus.RUNNING, LAST + timedelta(hours=1)),))
    assert "running since 2026-02-25 03:00 UTC)" in judge(hangs, late).text
    assert judge(hangs, late).state is State.STALE


def test_a_run_that_is_under_way_is_not_overdue() -> None:
    late = NOW + DAY
    running = job(JobStatus.RUNNING, LAST + DAY)
    assert judge(facts(jobs=(running,)), late).state is State.FRESH


def test_overdue_weekly_and_monthly() -> None:
    monday = SUNDAY + 8 * DAY  # the 2nd of March; Sunday was the 1st
    fresh = copy(monday)
    found = facts(holdings(fresh, *HERE))
    text = judge(found, monday + timedelta(hours=2)).text
    assert text.startswith("At risk: the weekly run due 26 h ago made no good backup; last good")
    weekly = copy(monday - DAY, WEEKLY)
    found = facts(holdings(fresh, weekly, *HERE))
    text = judge(found, monday + timedelta(hours=2)).text
    assert text.startswith("At risk: the monthly run due 26 h ago made no good backup;")
    monthly = copy(monday - DAY, MONTHLY)
    found = facts(holdings(fresh, weekly, monthly, *HERE))
    assert judge(found, monday + timedelta(hours=2)).state is State.FRESH


def test_a_class_that_was_never_due_is_not_overdue() -> None:
    first = facts(holdings(copy()))
    assert judge(first, NOW).state is State.FRESH
    assert [found.due for found in class_statuses(first, NOW)] == [None, None, None]
    # A Sunday without a weekly one, since pgconsole is here, is.
    sunday = datetime(2026, 3, 1, 2, tzinfo=UTC)
    later = facts(holdings(copy(), copy(sunday)))
    overdue = [found.overdue for found in class_statuses(later, sunday + timedelta(hours=2))]
    assert overdue == [False, True, True]
    # Files of the old scripts, which nobody verified, promise nothing.
    old = copy(SUNDAY - 30 * DAY)
    mixed = Holdings((copy(), old), {copy().location: evidence(copy())})
    assert judge(facts(mixed), NOW).state is State.FRESH


def test_failed_first_backups_count_as_the_beginning() -> None:
    failing = (job(JobStatus.FAILED, SUNDAY - DAY),)
    found = facts(holdings(copy()), jobs=failing)
    daily, weekly, monthly = class_statuses(found, NOW)
    assert (daily.overdue, weekly.due, weekly.overdue) == (False, SUNDAY, True)
    assert monthly.due is None
