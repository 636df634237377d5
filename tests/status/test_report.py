"""What `pgconsole status` prints: the verdict, a line for each topic, and the same as JSON."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.status.scenes import (
    DOWN,
    HERE,
    NOW,
    THERE,
    answered,
    facts,
    heartbeat,
    holdings,
    job,
)

from pgconsole.backups.evidence import Proof
from pgconsole.errors import StorageError
from pgconsole.jobs import JobStatus
from pgconsole.schedule.state import Pause
from pgconsole.status.as_json import as_json
from pgconsole.status.facts import Answer, Disk, Facts, Holdings, Scheduler
from pgconsole.status.lines import lines_of
from pgconsole.status.report import report_of

PAUSE = Pause("bob", "moving house", NOW, NOW + timedelta(hours=5))


def topics(found: Facts) -> dict[str, str]:
    """The lines after the verdict, by their first word."""
    _, *lines = lines_of(report_of(found, NOW))
    return {line.split()[0]: line[13:] for line in lines}


def test_all_is_well() -> None:
    alive = answered(Scheduler(heartbeat(timedelta(seconds=20)), None))
    lines = list(lines_of(report_of(facts(s3=holdings(*THERE), scheduler=alive), NOW)))
    assert lines == [
        "fresh: last good backup 2 h ago (complete, local + S3). "
        "If the database died now you would lose 2 h 02 m.",
        "  daily      2 h 2 min ago, app_daily_20260225_020000.sql.gz",
        "  weekly     3 d ago, app_weekly_20260222_020000.sql.gz",
        "  monthly    24 d ago, app_monthly_20260201_020000.sql.gz",
        "  verified   1 h 57 min ago: local:daily/app_daily_20260225_020000.sql.gz is complete",
        "  failed     no job",
        "  S3         reachable, newest there 2 h 2 min ago: app_daily_20260225_020000.sql.gz",
        "  disk       9.8 KiB free, the next backup needs about 1000 B",
        "  scheduler  alive on host1, running for 3 d",
        "  next run   2026-02-26 02:00 UTC, in 21 h",
    ]


def test_scheduler() -> None:
    def line(heart: object, pause: Pause | None = None) -> str:
        return topics(facts(scheduler=answered(Scheduler(heart, pause))))["scheduler"]  # type: ignore[arg-type]

    assert line(None) == "never seen; cron may run the backups"
    assert line(heartbeat(timedelta(hours=3))) == "not seen for 3 h on host1"
    assert line(heartbeat(timedelta(hours=3), stopped=True)) == "stopped 3 h ago on host1"
    paused = f"alive on host1, running for 3 d; {PAUSE.in_words()}"
    assert line(heartbeat(timedelta(0)), PAUSE) == paused
    broken: Answer[Scheduler] = Answer(problem=StorageError("heartbeat.json can't be read"))
    assert topics(facts(scheduler=broken))["scheduler"] == "unknown: heartbeat.json can't be read"


def test_what_is_not_known_says_so() -> None:
    unread: Answer[Disk] = Answer(problem=StorageError("The disk did not answer within 12 s"))
    found = topics(facts(s3=Answer(problem=DOWN), disk=unread, jobs=Answer(problem=DOWN)))
    assert found["S3"] == "unknown: Bucket 'b' can't be listed: nothing listens there"
    assert found["disk"] == "unknown: The disk did not answer within 12 s"
    assert found["failed"] == "unknown"
    none = topics(facts(Holdings((), {}), s3_enabled=True, disk=answered(Disk(5, None))))
    assert none["daily"] == "no good one yet; none was due"
    assert none["verified"] == "never"
    assert none["S3"] == "not asked"
    assert none["disk"] == "5 B free; nothing to estimate the next backup from"
    assert topics(facts())["S3"] == "not set up"


def test_the_last_failure_of_any_kind() -> None:
    failed = job(JobStatus.PARTLY_FAILED, kind="prune", problem="x", cause="access\x1b denied")
    line = topics(facts(jobs=(job(JobStatus.DONE), failed)))["failed"]
    assert (
        line
        == f"prune partly failed 5 min ago: access\N{REPLACEMENT CHARACTER} denied ({failed.id})"
    )


def test_overdue_class() -> None:
    found = facts(holdings(HERE[0], HERE[2]), jobs=(job(JobStatus.DONE, NOW - timedelta(days=9)),))
    assert topics(found)["weekly"] == "no good one; overdue: the next one was due 24 d ago"


def test_warnings_do_not_change_the_answer() -> None:
    partly = job(JobStatus.PARTLY_FAILED, problem="Backup x is good", cause="no bucket")
    gone = Scheduler(heartbeat(timedelta(hours=3)), None)
    found = facts(jobs=(partly,), scheduler=answered(gone), disk=answered(Disk(5, 1000)))
    report = report_of(found, NOW)
    assert report.verdict.state == "fresh"
    assert report.warnings == (
        "Backup x is good: no bucket",
        "The scheduler is not seen for 3 h on host1: nobody takes the next backup",
        "Too little disk space for the next backup: 5 B free, about 1000 B needed",
    )
    paused = facts(scheduler=answered(Scheduler(None, PAUSE)))
    (warning,) = report_of(paused, NOW).warnings
    assert warning.startswith("The schedule is paused by bob")
    older = holdings(*HERE)
    proofs = dict(older.proofs)
    proofs[HERE[1].location] = holdings(HERE[1], newest=Proof.DAMAGED).proofs[HERE[1].location]
    assert "1 backup known to be damaged" in report_of(facts(Holdings(HERE, proofs)), NOW).warnings


def test_json_of_everything_and_of_nothing() -> None:
    failed = job(JobStatus.FAILED, problem="p", cause="c", fix="f")
    scheduler = answered(Scheduler(heartbeat(timedelta(0)), PAUSE))
    whole = facts(s3=holdings(*THERE), jobs=(failed,), scheduler=scheduler)
    found = json.loads(json.dumps(as_json(report_of(whole, NOW), 1)))
    assert found["lost_since"] == "2026-02-25T02:00:00+00:00"
    assert found["classes"]["weekly"]["age_seconds"] == 266520.0
    assert found["last_failure"]["at"] == "2026-02-25T03:57:00+00:00"
    assert found["scheduler"]["paused"]["until"] == "2026-02-25T09:02:00+00:00"
    gone: Answer[Holdings] = Answer(problem=DOWN)
    nothing = facts(gone, gone, Answer(problem=DOWN), scheduler=Answer(problem=DOWN))
    found = json.loads(json.dumps(as_json(report_of(nothing, NOW), 2)))
    assert (found["classes"], found["last_verify"], found["lost_since"]) == ({}, None, None)
    assert found["scheduler"]["state"] == "unknown"
    assert found["s3"]["reachable"] is False
