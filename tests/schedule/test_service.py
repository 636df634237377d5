"""The scheduler with real backups of a real server; only its clock is ours."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.schedule.life import DONE, FAILED, HOUR, MISSED, NOON, SKIPPED, STARTED, Life
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.backups.locking import database_lock
from pgconsole.schedule import backups
from pgconsole.schedule.history import Slot, append_slots
from pgconsole.schedule.service import Scheduler
from pgconsole.schedule.state import (
    pause,
    read_heartbeat,
    read_slots,
    resume,
    schedule_directory,
)
from pgconsole.settings import Settings

_JOB = "20261118T120000.000000Z-backup-0000"


@pytest.fixture
def settings(
    make_settings: MakeSettings, postgres16, database, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database, BACKUP_SCHEDULE="0 * * * *")


@pytest.fixture
def unreachable(make_settings: MakeSettings) -> Settings:
    return make_settings(PGHOST="127.0.0.1", PGPORT="1", BACKUP_SCHEDULE="0 * * * *")


def backup_names(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.backup_dir / "daily").glob("*.sql.gz"))


def test_an_initial_backup_then_one_for_each_slot(settings, database):
    life = Life(settings, NOON + timedelta(seconds=5)).begin()
    life.at(NOON + timedelta(minutes=59))
    life.at(NOON + HOUR + timedelta(seconds=2))
    life.at(NOON + HOUR + timedelta(seconds=20))
    assert life.told() == [(NOON + timedelta(seconds=5), DONE), (NOON + HOUR, DONE)]
    assert backup_names(settings) == [
        f"{database}_daily_20261118_120005.sql.gz", f"{database}_daily_20261118_130000.sql.gz",
    ]  # fmt: skip
    initial = read_slots(settings, 2)[1]
    assert initial.why == "at start-up"
    job = jobs.read_job(settings, initial.job)
    assert (job.kind, job.actor, job.status) == ("backup", "scheduler", jobs.JobStatus.DONE)
    text = "\n".join(life.lines)
    assert f"schedule: backup of 2026-11-18 13:00:00 UTC done: {database}_daily_" in text
    assert " publish: published " in text
    assert life.lines[-1].endswith("schedule: next backup: Wed 2026-11-18 14:00 UTC")


def test_downtime_is_made_up_for_once(settings):
    Life(settings, NOON).begin()
    Life(settings, NOON + 3.5 * HOUR).begin()
    assert Life(settings, NOON).told() == [
        (NOON, DONE),
        (NOON + HOUR, MISSED),
        (NOON + 2 * HOUR, MISSED),
        (NOON + 3 * HOUR, MISSED),
        (NOON + 3.5 * HOUR, DONE),
    ]
    assert len(backup_names(settings)) == 2


def test_a_slot_that_was_slept_through_is_made_up_under_its_own_time(settings, database):
    life = Life(settings, NOON + timedelta(seconds=1)).begin()
    life.at(NOON + 2.5 * HOUR)
    assert [outcome for _, outcome in life.told()] == [DONE, MISSED, DONE]
    assert life.last().due == NOON + 2 * HOUR
    assert life.last().why == "made up after 30 minutes"
    # The name says what the backup holds: the data of half past two.
    assert backup_names(settings)[-1] == f"{database}_daily_20261118_143000.sql.gz"


def test_a_slot_while_its_own_backup_runs_is_skipped(settings, postgres16, database):
    life = Life(settings, NOON + timedelta(minutes=1))
    with blocked_dump(postgres16, database):
        life.scheduler.begin()
        wait_for_dump(postgres16, database)
        life.now = NOON + 2 * HOUR
        life.scheduler.step(0)
        assert [outcome for _, outcome in life.told()] == [STARTED, SKIPPED, SKIPPED]
        assert life.last().why == "the backup of 2026-11-18 12:01:00 UTC is still running"
    life.settle()
    assert [outcome for _, outcome in life.told()] == [DONE, SKIPPED, SKIPPED]
    assert len(jobs.list_jobs(settings)) == 1


def test_a_slot_while_somebody_else_is_at_work_is_skipped(settings):
    with database_lock(settings, settings.pgdatabase, what="restore", actor="alice", job="job-7"):
        life = Life(settings, NOON + timedelta(minutes=1)).begin()
        life.at(NOON + HOUR)
    assert [outcome for _, outcome in life.told()] == [SKIPPED, SKIPPED]
    assert life.last().why.startswith("restore by alice on ")
    assert "job-7" in life.last().why
    life.at(NOON + 2 * HOUR)
    assert life.last().outcome is DONE


def test_a_slot_waits_for_pruning_which_is_soon_over(settings):
    life = Life(settings, NOON + timedelta(minutes=1)).begin()
    with database_lock(settings, settings.pgdatabase, what="prune", actor="alice", job="job-7"):
        life.at(NOON + HOUR)
        assert [outcome for _, outcome in life.told()] == [DONE]
        assert life.scheduler.rest() > 0
    life.at(NOON + HOUR + timedelta(seconds=3))
    assert life.told()[1:] == [(NOON + HOUR, DONE)]


def test_a_slot_does_not_wait_for_ever(settings):
    life = Life(settings, NOON + timedelta(minutes=1)).begin()
    with database_lock(settings, settings.pgdatabase, what="upload", actor="alice", job="job-7"):
        life.at(NOON + HOUR)
        life.at(NOON + HOUR + timedelta(minutes=6))
    assert [outcome for _, outcome in life.told()] == [DONE, SKIPPED]
    assert life.last().why.startswith("upload by alice on ")


def test_the_initial_backup_waits_too(settings):
    """It makes up for what was missed; so does the slot of a host that wakes up."""
    append_slots(schedule_directory(settings), [Slot(NOON, DONE, "", "", NOON)])
    start = NOON + 1.5 * HOUR
    with database_lock(settings, settings.pgdatabase, what="prune", actor="alice", job="job-7"):
        life = Life(settings, start).begin()
        assert life.told() == [(NOON, DONE)]
        assert any("a backup is due and waits" in line and "prune by alice" in line
                   for line in life.lines)  # fmt: skip
    life.at(start + timedelta(seconds=3))
    begun = start + timedelta(seconds=3)
    assert life.told()[1:] == [(NOON + HOUR, MISSED), (begun, DONE)]
    with database_lock(settings, settings.pgdatabase, what="prune", actor="alice", job="job-7"):
        life.at(NOON + 4.5 * HOUR)
        assert len(life.told()) == 3
    life.at(NOON + 4.5 * HOUR + timedelta(seconds=3))
    assert [outcome for _, outcome in life.told()[3:]] == [MISSED, MISSED, DONE]


def test_restarted_all_night_it_takes_one_backup_between_two_slots(settings):
    for minute in range(1, 5):
        life = Life(settings, NOON + timedelta(minutes=minute)).begin()
    assert [outcome for _, outcome in life.told()] == [DONE, SKIPPED, SKIPPED, SKIPPED]
    taken = "2026-11-18 12:01:00 UTC"
    assert life.last().why == f"the good backup of {taken} was taken since the last slot"
    assert len(backup_names(settings)) == 1
    life.at(NOON + HOUR)
    Life(settings, NOON + 1.2 * HOUR).begin()  # after a slot once more
    Life(settings, NOON + 1.4 * HOUR).begin()
    assert [outcome for _, outcome in life.told()[4:]] == [DONE, DONE, SKIPPED]


@pytest.mark.parametrize("what", ["deleted", "damaged", "another"])
def test_only_a_good_backup_makes_an_initial_one_needless(what, settings):
    Life(settings, NOON + timedelta(minutes=1)).begin()
    [path] = (settings.backup_dir / "daily").glob("*.sql.gz")
    if what == "deleted":
        path.unlink()
    elif what == "damaged":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        path.rename(path.with_name(path.name.replace(settings.pgdatabase, "another")))
    life = Life(settings, NOON + timedelta(minutes=2)).begin()
    assert life.last().outcome is DONE


def test_somebody_who_is_faster_by_a_moment(settings, monkeypatch):
    """Between the look at the lock and the job's own attempt: busy is no failure."""
    monkeypatch.setattr(backups, "who_is_busy", lambda _: "")
    with database_lock(settings, settings.pgdatabase, what="restore", actor="alice", job="job-7"):
        life = Life(settings, NOON).begin()
    assert (life.last().outcome, jobs.list_jobs(settings)[0].exit_code) == (SKIPPED, 3)
    assert "restore by alice" in life.last().why


def test_a_pause_and_its_end(settings):
    life = Life(settings, NOON).begin()
    pause(settings, "moving house", datetime.now(UTC) + 9999 * HOUR, "alice")
    life.at(NOON + HOUR)
    assert life.last().outcome is SKIPPED
    assert life.last().why.endswith("moving house")
    resume(settings, "alice")
    life.at(NOON + 2 * HOUR)
    assert life.told() == [(NOON, DONE), (NOON + HOUR, SKIPPED), (NOON + 2 * HOUR, DONE)]


def test_a_pause_that_can_not_be_read_stops_no_backup(settings):
    life = Life(settings, NOON).begin()
    (schedule_directory(settings) / "pause.json").write_text("{")
    life.at(NOON + HOUR)
    assert life.last().outcome is DONE
    assert any("WARNING: taken as not paused" in line for line in life.lines)


def test_a_failed_backup_says_why_and_the_next_one_runs(unreachable):
    life = Life(unreachable, NOON).begin()
    assert life.last().outcome is FAILED
    assert "127.0.0.1" in life.last().why
    assert any("schedule: ERROR: backup of 2026-11-18 12:00:00 UTC failed" in line
               for line in life.lines)  # fmt: skip
    life.at(NOON + HOUR)
    assert [outcome for _, outcome in life.told()] == [FAILED, FAILED]


@pytest.mark.parametrize(
    ("error", "outcome", "why"),
    [
        ("partly", FAILED, "partly failed: not in S3: no such bucket"),
        ("failed", FAILED, "db is down: refused"),
        ("busy", SKIPPED, "held by bob"),
        ("preflight", FAILED, "2 things stand in the way: db is down: refused; disk full"),
        ("bug", FAILED, "The fail met a fault in pgconsole: ZeroDivisionError"),
    ],
)
def test_how_a_job_ended_is_what_becomes_of_its_slot(error, outcome, why, unreachable, monkeypatch):
    """A backup whose copy is missing is none that is called done."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent / "jobs"))
    job_id = jobs.start(unreachable, "fail", {"error": error}, "alice", runner="job_operations")
    found, reason = backups.judge(jobs.wait(unreachable, job_id), "at start-up")
    assert found is outcome
    assert reason.startswith(why)


def test_a_clock_that_is_set_back_repeats_nothing(settings):
    life = Life(settings, NOON).begin()
    life.at(NOON + HOUR)
    life.at(NOON + HOUR / 2)
    life.at(NOON + HOUR)
    assert life.told() == [(NOON, DONE), (NOON + HOUR, DONE)]
    life.at(NOON - 24 * HOUR)  # it was wrong, and goes on from there
    assert any("set back by hours" in line for line in life.lines)
    life.at(NOON - 23 * HOUR)
    assert life.last().due == NOON + HOUR
    assert life.told()[0] == (NOON - 23 * HOUR, DONE)
    life.at(NOON + HOUR)  # those of noon and one o'clock ran before
    told = life.told()
    assert len(told) == len({due for due, _ in told}) == 25
    assert told[-3:] == [(NOON - HOUR, DONE), (NOON, DONE), (NOON + HOUR, DONE)]
    assert len(jobs.list_jobs(settings)) == 4


def test_a_scheduler_that_was_killed_leaves_its_backup_to_the_next(settings, postgres16, database):
    first = Life(settings, NOON + timedelta(minutes=1))
    with blocked_dump(postgres16, database):
        first.scheduler.begin()
        wait_for_dump(postgres16, database)
        second = Life(settings, NOON + 2.5 * HOUR)
        second.scheduler.begin()
        assert [outcome for _, outcome in second.told()] == [STARTED, MISSED, MISSED, SKIPPED]
        assert "backup of 2026-11-18 12:01:00 UTC is still running" in second.last().why
    second.settle()
    assert [outcome for _, outcome in second.told()] == [DONE, MISSED, MISSED, SKIPPED]
    assert len(jobs.list_jobs(settings)) == 1


def test_a_backup_that_was_killed_together_with_its_scheduler(settings, postgres16, database):
    first = Life(settings, NOON + timedelta(minutes=1))
    with blocked_dump(postgres16, database):
        first.scheduler.begin()
        wait_for_dump(postgres16, database)
        job = jobs.list_jobs(settings)[0]
        assert job.pid is not None
        os.kill(job.pid, signal.SIGKILL)
        wait_until(lambda: jobs.read_job(settings, job.id).status.ended)
    second = Life(settings, NOON + HOUR / 2).begin()
    assert [outcome for _, outcome in second.told()] == [FAILED, DONE]
    assert "interrupted" in read_slots(settings, 2)[1].why


@pytest.mark.parametrize("job_was_started", [False, True])
def test_killed_between_the_decision_and_the_record_of_its_job(settings, job_was_started):
    intent = Slot(NOON, STARTED, "", "", NOON)
    append_slots(schedule_directory(settings), [intent])
    if job_was_started:
        jobs.wait(settings, backups.start_backup(settings, intent))
    life = Life(settings, NOON + HOUR / 2).begin()
    first = read_slots(settings, 2)[1]
    if job_was_started:
        assert (first.outcome, first.job) == (DONE, jobs.list_jobs(settings)[1].id)
    else:
        assert first.outcome is MISSED
        assert "before it could start" in first.why
    assert life.last().outcome is DONE


def test_a_job_that_somebody_removed(settings):
    append_slots(schedule_directory(settings), [Slot(NOON, STARTED, "", _JOB, NOON)])
    Life(settings, NOON + HOUR / 2).begin()
    assert read_slots(settings, 2)[1].outcome is FAILED
    assert "no job" in read_slots(settings, 2)[1].why


def test_what_can_not_be_written_down_is_written_down_later(unreachable):
    """A full disk costs no backup and no record."""
    life = Life(unreachable, NOON).begin()
    path = schedule_directory(unreachable) / "slots.jsonl"
    aside = path.rename(path.with_name("aside"))
    path.mkdir()
    life.at(NOON + HOUR)
    complaints = [line for line in life.lines if "can't be written down" in line]
    assert len(complaints) == 1
    path.rmdir()
    aside.rename(path)
    life.at(NOON + HOUR + timedelta(minutes=1))
    assert life.told() == [(NOON, FAILED), (NOON + HOUR, FAILED)]


def test_a_job_that_can_not_be_started_is_a_failed_slot(settings):
    life = Life(settings, NOON).begin()
    directory = settings.state_dir / "jobs"
    aside = directory.rename(settings.state_dir / "aside")
    directory.write_text("a file where the directory should be")
    life.at(NOON + HOUR)
    assert life.last().outcome is FAILED
    assert "can't be started" in life.last().why
    directory.unlink()
    aside.rename(directory)
    life.at(NOON + 2 * HOUR)
    assert life.last().outcome is DONE


def test_a_sign_of_life_every_half_a_minute(unreachable):
    life = Life(unreachable, NOON).begin()
    first = read_heartbeat(unreachable)
    assert first is not None
    assert (first.at, first.started_at, first.pid) == (NOON, NOON, os.getpid())
    assert (first.schedule, first.timezone, first.stopped) == ("0 * * * *", "UTC", False)
    assert life.scheduler.rest() <= 30
    life.at(NOON + timedelta(seconds=29))
    assert read_heartbeat(unreachable) == first
    life.at(NOON + timedelta(seconds=30))
    assert read_heartbeat(unreachable).at == NOON + timedelta(seconds=30)
    life.at(NOON - HOUR)  # also if the clock was set back
    assert read_heartbeat(unreachable).at == NOON - HOUR
    life.scheduler.end()
    assert read_heartbeat(unreachable).stopped


def test_no_longer_rest_than_until_the_next_slot(unreachable):
    life = Life(unreachable, NOON).begin()
    life.at(NOON + timedelta(minutes=59, seconds=50))
    assert life.scheduler.rest() == 10


def test_no_secret_in_the_log(make_settings: MakeSettings):
    settings = make_settings(PGHOST="127.0.0.1", PGPORT="1", PGPASSWORD="s3cret-word",
                             PGDATABASE="s3cret-word")  # fmt: skip
    life = Life(settings, NOON).begin()
    assert "***" in "\n".join(life.lines)
    assert "s3cret-word" not in "\n".join(life.lines)


def test_a_log_that_nobody_reads_stops_nothing(unreachable):
    def write(_: str) -> None:
        raise BrokenPipeError

    scheduler = Scheduler(unreachable, write, lambda: NOON)
    scheduler.begin()
    wait_until(lambda: scheduler.step(0) and scheduler.rest() > 1)
    assert read_slots(unreachable, 1)[0].outcome is FAILED
