"""Are the backups good? Every sentence from its evidence; what is not known is never fresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.status.scenes import (
    DAILY,
    DOWN,
    FIRST,
    HERE,
    LAST,
    MONTHLY,
    NOW,
    SUNDAY,
    THERE,
    WEEKLY,
    answered,
    copy,
    evidence,
    facts,
    holdings,
    job,
)

from pgconsole.backups.evidence import Proof
from pgconsole.errors import StorageError
from pgconsole.jobs import Job, JobStatus
from pgconsole.schedule.state import Pause
from pgconsole.status.facts import Answer, Facts, Holdings, Scheduler
from pgconsole.status.status import class_statuses, judge
from pgconsole.status.verdict import State, Verdict
from pgconsole.storage.base import Place

GOOD = "Last backup 2 h 2 min ago: complete (verified 1 h 57 min ago), "
NOTHING = Holdings((), {})
DAY = timedelta(days=1)
FAILED = job(JobStatus.FAILED, problem="pg_dump failed", cause="/backups is full")
RUNNING = job(JobStatus.RUNNING)


def expect(found: Facts, state: State, text: str, now: datetime = NOW) -> Verdict:
    """Judge, and compare what is said."""
    verdict = judge(found, now)
    assert (verdict.state, verdict.text) == (state, text)
    return verdict


def test_fresh() -> None:
    verdict = expect(facts(), State.FRESH, GOOD + "local only (S3 is not set up)")
    assert verdict.lost_since == LAST
    expect(facts(s3=holdings(*THERE)), State.FRESH, GOOD + "local + S3")
    listed = Holdings(THERE, {})
    expect(facts(s3=listed), State.FRESH, GOOD + "local + S3 (listed only)")
    expect(facts(s3_enabled=True), State.FRESH, GOOD + "local (S3 was not asked)")


def test_a_restored_backup_says_so() -> None:
    found = judge(facts(holdings(*HERE, newest=Proof.RESTORED)), NOW)
    assert found.text.startswith("Last backup 2 h 2 min ago: restored (tried out 1 h 57 min ago)")


def test_unreadable_directory_is_unknown() -> None:
    gone = StorageError("Backup directory /backups can't be read")
    expect(
        facts(Answer(problem=gone)),
        State.UNKNOWN,
        "Unknown: Backup directory /backups can't be read",
    )
    seen = Answer(holdings(*HERE), NOW - timedelta(minutes=5), gone)
    expect(
        facts(seen),
        State.UNKNOWN,
        "Unknown: Backup directory /backups can't be read. "
        "Seen 5 min ago: the last backup was 2 h 2 min ago",
    )
    expect(facts(Answer()), State.UNKNOWN, "Unknown: the backup directory was not read yet")


def test_unreadable_proofs_prove_nothing() -> None:
    broken = replace(holdings(*HERE), proofs={}, proofs_problem="Permission denied")
    expect(
        facts(broken), State.UNKNOWN, "Unknown: what was proven can't be read: Permission denied"
    )


def test_never_verified_is_unknown() -> None:
    found = holdings(*HERE, newest=None)
    text = "Unknown: the backup of 2 h 2 min ago was never verified; last complete one 3 d ago"
    assert expect(facts(found), State.UNKNOWN, text).lost_since == SUNDAY
    alone = Holdings((copy(),), {})
    text = "Unknown: the backup of 2 h 2 min ago was never verified; no complete one exists"
    assert expect(facts(alone), State.UNKNOWN, text).lost_since is None


def test_intact_is_not_complete() -> None:
    expect(
        facts(holdings(*HERE, newest=Proof.INTACT)),
        State.UNKNOWN,
        "Unknown: the backup of 2 h 2 min ago is intact, but what is in it was never looked at; "
        "last complete one 3 d ago",
    )


def test_damaged_and_empty_are_failures() -> None:
    expect(
        facts(holdings(*HERE, newest=Proof.DAMAGED)),
        State.FAILED,
        "The backup of 2 h 2 min ago is damaged: byte 7 is wrong; last complete one 3 d ago",
    )
    empty = holdings(copy(size=0), *HERE[1:])
    expect(
        facts(empty),
        State.FAILED,
        "The backup of 2 h 2 min ago is empty; last complete one 3 d ago",
    )


def test_a_backup_from_the_future_says_nothing_about_now() -> None:
    ahead = holdings(*HERE, copy(NOW + 700 * DAY))
    expect(
        facts(ahead),
        State.UNKNOWN,
        "Unknown: the newest backup is 700 d ahead of this clock: one of them is wrong",
    )


def test_no_backup_yet() -> None:
    text = "No backup yet: nothing could be restored"
    expect(facts(NOTHING), State.STALE, text)
    expect(facts(NOTHING, NOTHING), State.STALE, text)
    expect(
        facts(NOTHING, s3_enabled=True),
        State.STALE,
        "No backup yet here (S3 was not asked): nothing could be restored",
    )


def test_the_first_backup_is_running() -> None:
    expect(
        facts(NOTHING, jobs=(RUNNING,)),
        State.UNKNOWN,
        "No good backup yet; the first one is running (began 10 min ago)",
    )
    # But not for ever: it should have ended by the slot after its start.
    hangs = job(JobStatus.RUNNING, NOW - 2 * DAY)
    assert judge(facts(NOTHING, jobs=(hangs,)), NOW).state is State.STALE


def test_only_in_s3() -> None:
    text = "No local backup; the newest in S3 was taken 2 h 2 min ago: complete"
    assert expect(facts(NOTHING, holdings(*THERE)), State.STALE, text).lost_since == LAST
    text = "No local backup; the newest in S3 was taken 2 h 2 min ago: listed"
    assert expect(facts(NOTHING, Holdings(THERE, {})), State.STALE, text).lost_since is None
    expect(
        facts(NOTHING, Answer(problem=DOWN)),
        State.UNKNOWN,
        "No local backup; S3 unknown: Bucket 'b' can't be listed",
    )


def test_a_failed_backup_tells_cause_and_last_good_one() -> None:
    verdict = expect(
        facts(jobs=(FAILED,)),
        State.FAILED,
        "Last backup failed 5 min ago: /backups is full; last good one 2 h 2 min ago",
    )
    assert verdict.job == FAILED.id
    dead = job(JobStatus.INTERRUPTED, cause="its process was killed")
    expect(
        facts(NOTHING, jobs=(dead,)),
        State.FAILED,
        "Last backup was interrupted 5 min ago: its process was killed; there is no good one",
    )


def test_what_came_after_a_failure_counts() -> None:
    before = job(JobStatus.FAILED, LAST - timedelta(hours=1))
    assert judge(facts(jobs=(before,)), NOW).state is State.FRESH  # cron made one since
    assert judge(facts(jobs=(RUNNING, FAILED)), NOW).state is State.FAILED
    later = job(JobStatus.DONE, NOW - timedelta(minutes=4))
    assert judge(facts(jobs=(later, FAILED)), NOW).state is State.FRESH
    assert judge(facts(jobs=(job(JobStatus.CANCELLED), later)), NOW).state is State.FRESH


@pytest.mark.parametrize("kind", ["upload", "verify", "restore", "prune"])
def test_another_job_that_failed_is_no_failed_backup(kind: str) -> None:
    assert judge(facts(jobs=(job(JobStatus.FAILED, kind=kind),)), NOW).state is State.FRESH
    other = replace(FAILED, request={"database": "app2"})
    assert judge(facts(jobs=(other,)), NOW).state is State.FRESH


def test_unreadable_jobs_may_hide_a_failure() -> None:
    unread: Answer[tuple[Job, ...]] = Answer(problem=StorageError("The jobs can't be listed"))
    rest = "local only (S3 is not set up). Whether a later one failed is unknown: "
    expect(facts(jobs=unread), State.UNKNOWN, GOOD + rest + "The jobs can't be listed")  # type: ignore[arg-type]
    expect(facts(jobs=()), State.FRESH, GOOD + "local only (S3 is not set up)")


def test_s3_that_does_not_answer_is_unknown() -> None:
    expect(
        facts(s3=Answer(problem=DOWN)),
        State.UNKNOWN,
        GOOD + "local; S3 unknown: Bucket 'b' can't be listed",
    )
    expect(facts(s3=Answer()), State.UNKNOWN, GOOD + "local; S3 has not answered yet")
    stale = Answer(holdings(*THERE), NOW - timedelta(minutes=9), DOWN)
    expect(facts(s3=stale), State.UNKNOWN, GOOD + "local + S3 as of 9 min ago")


def test_a_missing_copy_in_s3_is_a_failure() -> None:
    expect(facts(s3=holdings(*THERE[1:])), State.FAILED, GOOD + "local, but not in S3")
    partly = job(JobStatus.PARTLY_FAILED, LAST, problem="no copy", cause="access denied")
    expect(
        facts(s3=NOTHING, jobs=(partly,)),
        State.FAILED,
        GOOD + "local, but not in S3: access denied",
    )
    other = replace(THERE[0], size=7)
    expect(
        facts(s3=holdings(other)),
        State.FAILED,
        GOOD + "local, but the copy in S3 has another size",
    )
    expect(
        facts(s3=holdings(*THERE, newest=Proof.DAMAGED)),
        State.FAILED,
        GOOD + "local, but the copy in S3 is damaged",
    )


def test_what_a_running_job_has_just_published_may_still_be_on_its_way_to_s3() -> None:
    older = copy(LAST - DAY)
    local = holdings(older, *HERE)
    there = holdings(replace(older, place=Place.S3, location="s3:older"))
    running = job(JobStatus.RUNNING, LAST)
    assert judge(facts(local, there, (running,)), NOW).state is State.FRESH
    ended = job(JobStatus.DONE, LAST)
    assert judge(facts(local, there, (ended,)), NOW).state is State.FAILED


def test_what_a_running_job_has_just_published_may_not_be_attested_yet() -> None:
    both = holdings(copy(LAST - DAY), *HERE, newest=None)
    running = job(JobStatus.RUNNING, LAST)
    found = judge(facts(both, jobs=(running,)), NOW)
    assert (found.state, found.lost_since) == (State.FRESH, LAST - DAY)
    assert judge(facts(both, jobs=(job(JobStatus.DONE, LAST),)), NOW).state is State.UNKNOWN
    damaged = holdings(copy(LAST - DAY), *HERE, newest=Proof.DAMAGED)
    assert judge(facts(damaged, jobs=(running,)), NOW).state is State.FAILED


def test_overdue_run() -> None:
    late = NOW + DAY
    last = "Last one 26 h ago: complete (verified 25 h ago), local only (S3 is not set up)"
    text = f"Overdue: the run due 2 h 2 min ago made no good backup. {last}"
    expect(facts(), State.STALE, text, late)
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
    assert text.startswith("Overdue: the run due 26 h ago made no good weekly backup. Last one 2 h")
    weekly = copy(monday - DAY, WEEKLY)
    found = facts(holdings(fresh, weekly, *HERE))
    text = judge(found, monday + timedelta(hours=2)).text
    assert text.startswith("Overdue: the run due 26 h ago made no good monthly backup.")
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


def test_failed_copy_outweighs_lateness_and_lateness_silence() -> None:
    late = NOW + DAY
    assert judge(facts(s3=NOTHING), late).state is State.FAILED
    assert judge(facts(s3=Answer(problem=DOWN)), late).state is State.STALE


@pytest.mark.parametrize(
    ("state", "code"),
    [(State.FRESH, 0), (State.STALE, 1), (State.FAILED, 1), (State.UNKNOWN, 2)],
)
def test_exit_codes(state: State, code: int) -> None:
    assert state.exit_code == code


def test_control_characters_of_a_cause_do_not_reach_the_terminal() -> None:
    evil = replace(FAILED, cause="disk\x1b[2Jfull\r\n")
    assert "\x1b" not in judge(facts(jobs=(evil,)), NOW).text


def test_classes_follow_the_newest_good_one() -> None:
    statuses = class_statuses(facts(), NOW)
    assert [found.backup_class for found in statuses] == [DAILY, WEEKLY, MONTHLY]
    taken = [found.last_good and found.last_good.name.taken_at for found in statuses]
    assert taken == [LAST, SUNDAY, FIRST]
