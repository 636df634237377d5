"""Are the backups good? Every sentence from its evidence; what is not known is never fresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.status.scenes import (
    DAILY,
    DAY,
    DOWN,
    FIRST,
    HERE,
    LAST,
    LOSS,
    MONTHLY,
    NOW,
    SUNDAY,
    THERE,
    WEEKLY,
    copy,
    expect,
    facts,
    holdings,
    job,
    manifest,
)

from pgconsole.backups.evidence import Proof
from pgconsole.errors import StorageError
from pgconsole.jobs import Job, JobStatus
from pgconsole.status.facts import Answer, Holdings
from pgconsole.status.status import class_statuses, judge
from pgconsole.status.verdict import State
from pgconsole.storage.base import Place

LAST_GOOD = "last good backup 2 h ago (complete, "
GOOD = f"Protected: {LAST_GOOD}"
NOTHING = Holdings((), {})
FAILED = job(JobStatus.FAILED, problem="pg_dump failed", cause="/backups is full")
RUNNING = job(JobStatus.RUNNING)


def test_fresh() -> None:
    verdict = expect(facts(), State.FRESH, GOOD + "local only).")
    assert (verdict.lost_since, verdict.loss) == (LAST, LOSS + "2 h 02 m.")
    assert verdict.detail == "Verified 1 h ago. S3 is not set up."
    listed = Holdings(THERE, {})
    expect(facts(s3=listed), State.FRESH, GOOD + "local + S3 listed only).")
    expect(facts(s3_enabled=True), State.FRESH, GOOD + "local, S3 not asked).")


def test_the_sentence_of_a_protected_database() -> None:
    assert judge(facts(s3=holdings(*THERE)), LAST + timedelta(hours=2, minutes=4)).sentence == (
        "Protected: last good backup 2 h ago (complete, local + S3). "
        "If the database died now you would lose 2 h 04 m."
    )


def test_the_sentence_of_a_database_at_risk() -> None:
    now = LAST + timedelta(hours=31)
    full = job(JobStatus.FAILED, now - timedelta(hours=5), cause="disk full")
    found = judge(facts(jobs=(full,)), now)
    assert found.text == "At risk: no good backup for 31 h; last attempt failed: disk full."
    assert (found.loss, found.detail) == (LOSS + "31 h 00 m.", "The attempt ended 4 h ago.")


def test_the_sentence_where_s3_is_silent() -> None:
    down: Answer[Holdings] = Answer(problem=DOWN, failing_since=NOW - timedelta(minutes=12))
    verdict = expect(
        facts(s3=down), State.UNKNOWN, f"Unknown: S3 not reachable for 12 m; {LAST_GOOD}local)."
    )
    assert verdict.loss == LOSS + "2 h 02 m."
    assert verdict.detail.endswith("Bucket 'b' can't be listed: nothing listens there.")
    expect(
        facts(NOTHING, down), State.UNKNOWN, "Unknown: no local backup; S3 not reachable for 12 m."
    )


def test_a_restored_backup_says_so() -> None:
    found = judge(facts(holdings(*HERE, newest=Proof.RESTORED)), NOW)
    assert found.text == "Protected: last good backup 2 h ago (restored, local only)."
    assert found.detail.startswith("Tried out 1 h ago.")


def test_unreadable_directory_is_unknown() -> None:
    gone = StorageError("Backup directory /backups can't be read")
    expect(
        facts(Answer(problem=gone)),
        State.UNKNOWN,
        "Unknown: Backup directory /backups can't be read.",
    )
    seen = Answer(holdings(*HERE), NOW - timedelta(minutes=5), gone)
    verdict = expect(
        facts(seen),
        State.UNKNOWN,
        "Unknown: Backup directory /backups can't be read; seen 5 m ago: last good backup 2 h ago.",
    )
    assert verdict.loss == ""
    expect(facts(Answer()), State.UNKNOWN, "Unknown: still looking for backups.")


def test_unreadable_proofs_prove_nothing() -> None:
    broken = replace(holdings(*HERE), proofs={}, proofs_problem="Permission denied")
    expect(
        facts(broken), State.UNKNOWN, "Unknown: what was proven can't be read: Permission denied."
    )


def test_never_verified_is_unknown() -> None:
    found = holdings(*HERE, newest=None)
    text = "Unknown: the backup of 2 h ago was never verified; last good one 3 d ago."
    verdict = expect(facts(found), State.UNKNOWN, text)
    assert (verdict.lost_since, verdict.loss) == (SUNDAY, LOSS + "up to 3 d 2 h.")
    alone = Holdings((copy(),), {})
    text = "Unknown: the backup of 2 h ago was never verified; no good one exists."
    verdict = expect(facts(alone), State.UNKNOWN, text)
    assert (verdict.lost_since, verdict.loss) == (None, "")


def test_intact_is_not_complete() -> None:
    expect(
        facts(holdings(*HERE, newest=Proof.INTACT)),
        State.UNKNOWN,
        "Unknown: the backup of 2 h ago is intact, but what is in it was never looked at; "
        "last good one 3 d ago.",
    )


def test_damaged_and_empty_are_failures() -> None:
    verdict = expect(
        facts(holdings(*HERE, newest=Proof.DAMAGED)),
        State.FAILED,
        "At risk: the backup of 2 h ago is damaged: byte 7 is wrong; last good one 3 d ago.",
    )
    assert verdict.loss == LOSS + "3 d 2 h."
    empty = holdings(copy(size=0), *HERE[1:])
    expect(
        facts(empty),
        State.FAILED,
        "At risk: the backup of 2 h ago is empty; last good one 3 d ago.",
    )


def test_a_backup_from_the_future_says_nothing_about_now() -> None:
    ahead = holdings(*HERE, copy(NOW + 700 * DAY))
    expect(
        facts(ahead),
        State.UNKNOWN,
        "Unknown: the newest backup is 700 d ahead of this clock: one of them is wrong.",
    )


def test_no_backup_yet() -> None:
    text = "At risk: no backup yet: nothing could be restored."
    assert expect(facts(NOTHING), State.STALE, text).loss == LOSS + "all of it."
    assert expect(facts(NOTHING, NOTHING), State.STALE, text).loss == LOSS + "all of it."
    verdict = expect(
        facts(NOTHING, s3_enabled=True),
        State.STALE,
        "At risk: no backup yet here (S3 was not asked): nothing could be restored.",
    )
    assert verdict.loss == ""
    # An old list that was empty does not say that the bucket is empty now.
    stale = Answer(NOTHING, NOW - timedelta(minutes=9), DOWN)
    expect(facts(NOTHING, stale), State.UNKNOWN, "Unknown: no local backup; S3 not reachable.")


def test_the_first_backup_is_running() -> None:
    expect(
        facts(NOTHING, jobs=(RUNNING,)),
        State.UNKNOWN,
        "Unknown: no good backup yet; the first one is running (began 10 m ago).",
    )
    # But not for ever: it should have ended by the slot after its start.
    hangs = job(JobStatus.RUNNING, NOW - 2 * DAY)
    assert judge(facts(NOTHING, jobs=(hangs,)), NOW).state is State.STALE


def test_only_in_s3() -> None:
    text = "At risk: no local backup; last good backup 2 h ago (complete, S3 only)."
    assert expect(facts(NOTHING, holdings(*THERE)), State.STALE, text).lost_since == LAST
    text = "At risk: no local backup; the newest in S3, of 2 h ago, is listed only."
    assert expect(facts(NOTHING, Holdings(THERE, {})), State.STALE, text).lost_since is None
    expect(
        facts(NOTHING, Answer(problem=DOWN)),
        State.UNKNOWN,
        "Unknown: no local backup; S3 not reachable.",
    )


def test_a_failed_backup_tells_cause_and_last_good_one() -> None:
    verdict = expect(
        facts(jobs=(FAILED,)),
        State.FAILED,
        "At risk: no good backup for 2 h; last attempt failed: /backups is full.",
    )
    assert verdict.job == FAILED.id
    dead = job(JobStatus.INTERRUPTED, cause="its process was killed")
    verdict = expect(
        facts(NOTHING, jobs=(dead,)),
        State.FAILED,
        "At risk: there is no good backup; last attempt was interrupted: its process was killed.",
    )
    assert (verdict.loss, verdict.detail) == (LOSS + "all of it.", "The attempt began 10 m ago.")


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
    why = "whether a later one failed can't be said: The jobs can't be listed"
    expect(facts(jobs=unread), State.UNKNOWN, f"Unknown: {why}; {LAST_GOOD}local only).")
    early: Answer[tuple[Job, ...]] = Answer()
    text = f"Unknown: still looking for failed jobs; {LAST_GOOD}local only)."
    expect(facts(jobs=early), State.UNKNOWN, text)
    expect(facts(jobs=()), State.FRESH, GOOD + "local only).")


def test_s3_that_does_not_answer_is_unknown() -> None:
    text = f"Unknown: S3 not reachable; {LAST_GOOD}local)."
    expect(facts(s3=Answer(problem=DOWN)), State.UNKNOWN, text)
    text = f"Unknown: S3 has not answered yet; {LAST_GOOD}local)."
    expect(facts(s3=Answer()), State.UNKNOWN, text)
    stale = Answer(holdings(*THERE), NOW - timedelta(minutes=9), DOWN)
    text = f"Unknown: S3 not reachable; {LAST_GOOD}local + S3 9 m ago)."
    expect(facts(s3=stale), State.UNKNOWN, text)
    gone = Answer(NOTHING, NOW - timedelta(minutes=9), DOWN)
    text = f"At risk: {LAST_GOOD}local); it is not in S3, as of 9 m ago; S3 not reachable."
    expect(facts(s3=gone), State.FAILED, text)


def test_a_list_of_s3_from_before_the_backup_can_not_have_it() -> None:
    early = LAST - timedelta(minutes=1)
    text = f"Unknown: S3 was not read since it was made; {LAST_GOOD}local)."
    expect(facts(s3=Answer(NOTHING, early)), State.UNKNOWN, text)
    text = f"Unknown: S3 not reachable; {LAST_GOOD}local)."
    expect(facts(s3=Answer(NOTHING, early, DOWN)), State.UNKNOWN, text)


def test_half_a_list_of_s3_is_never_taken_for_the_whole() -> None:
    half = Answer(so_far=holdings(*THERE))
    why = "S3 is still being read (3 backups so far)"
    expect(facts(s3=half), State.UNKNOWN, f"Unknown: {why}; {LAST_GOOD}local).")
    expect(facts(NOTHING, half), State.UNKNOWN, f"Unknown: no local backup; {why}.")


def described() -> Holdings:
    """The newest backup's manifest speaks of 1000 bytes, as it has."""
    return replace(holdings(*HERE), manifest=manifest(1000))


def test_the_manifest_of_the_newest_backup_may_contradict_it() -> None:
    assert judge(facts(described()), NOW).state is State.FRESH
    short = replace(described(), manifest=manifest(7))
    text = "At risk: the backup of 2 h ago is damaged: its size is not what its manifest says."
    expect(facts(short), State.FAILED, text)
    broken = replace(described(), manifest=None, manifest_problem="Manifest x is broken")
    expect(facts(broken), State.UNKNOWN, "Unknown: the backup of 2 h ago: Manifest x is broken.")


def test_a_missing_copy_in_s3_is_a_failure() -> None:
    expect(
        facts(s3=holdings(*THERE[1:])),
        State.FAILED,
        f"At risk: {LAST_GOOD}local); it is not in S3.",
    )
    partly = job(JobStatus.PARTLY_FAILED, LAST, problem="no copy", cause="access denied")
    expect(
        facts(s3=NOTHING, jobs=(partly,)),
        State.FAILED,
        f"At risk: {LAST_GOOD}local); it is not in S3: access denied.",
    )
    other = replace(THERE[0], size=7)
    expect(
        facts(s3=holdings(other)),
        State.FAILED,
        f"At risk: {LAST_GOOD}local); its copy in S3 has another size.",
    )
    expect(
        facts(s3=holdings(*THERE, newest=Proof.DAMAGED)),
        State.FAILED,
        f"At risk: {LAST_GOOD}local); its copy in S3 is damaged.",
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
