"""Words, figures and small pure parts of the console."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.tui.scenes import (
    DONE,
    FAILED,
    JOURNAL,
    NOW,
    RUNNING,
    job,
    listing,
    local_shelf,
    proof,
    settings,
)

from pgconsole.backups.evidence import Proof
from pgconsole.backups.standing import Standing, standing
from pgconsole.jobs import JobStatus
from pgconsole.screens.questions import ask_backup
from pgconsole.storage.base import Place
from pgconsole.widgets.job_notice import figures, job_to_show, outcome
from pgconsole.widgets.known import Known
from pgconsole.widgets.progress import Progress, ProgressMeter
from pgconsole.widgets.words import ago, clean, clipped, size, span, until, wrapped, zone_name


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (132_120_576, "126.0 MiB"),
        (5 * 1024**5, "5.0 PiB"),
        (5000 * 1024**5, "5000.0 PiB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3599, "59 min"),
        (7199, "1 h 59 min"),
        (93_600, "26 h"),
        (172_800, "2 d"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_a_clock_that_is_behind_is_said_to_be() -> None:
    assert ago(NOW + timedelta(hours=2), NOW) == "2 h ahead of this clock"
    assert ago(NOW, NOW) == "just now"
    assert until(NOW - timedelta(seconds=5), NOW) == "now"


def test_zone_name_follows_daylight_saving() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert zone_name(berlin, datetime(2026, 1, 1, tzinfo=UTC)) == "CET"
    assert zone_name(berlin, datetime(2026, 7, 1, tzinfo=UTC)) == "CEST"


def test_clean() -> None:
    assert clean("a\x1b[31mb\tc\nd") == "a\N{REPLACEMENT CHARACTER}[31mb c d"
    assert clean("b\N{RIGHT-TO-LEFT OVERRIDE}a") == "b\N{REPLACEMENT CHARACTER}a"
    assert clean("Grün [x] 表") == "Grün [x] 表"


@pytest.mark.parametrize("width", range(12))
def test_clipped_is_never_too_long(width: int) -> None:
    assert len(clipped("public.documents", width)) <= width


def test_wrapped_keeps_every_character_and_every_width() -> None:
    text = "one two " + "x" * 50 + " 表表表表表表 end"
    lines = wrapped(text, 10)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) + line.count("表") <= 10 for line in lines)
    assert wrapped("", 10) == [""]


def test_progress_is_an_estimate() -> None:
    meter = ProgressMeter()
    for entry in JOURNAL:
        meter.feed(entry)
    progress = meter.progress
    assert (progress.phase, progress.table) == ("dump", "public.documents")
    assert figures(progress) == ["287.0 MiB of 512.0 MiB est.", "41.0 MiB/s", "ETA 5 s est."]


def test_progress_beyond_its_estimate_is_not_done() -> None:
    progress = Progress("dump", None, done=600, expected=500, rate=10.0)
    assert progress.share == 0.99
    assert progress.remaining is None
    assert figures(progress)[-1] == "more than estimated"
    assert Progress("dump", None, done=600).share is None


def test_a_new_phase_begins_at_nothing() -> None:
    meter = ProgressMeter()
    for entry in JOURNAL:
        meter.feed(entry)
    meter.feed(replace(JOURNAL[-1], phase="verify"))
    assert meter.progress == Progress("verify")


def test_failure_is_news_until_dismissed_or_superseded() -> None:
    assert job_to_show((RUNNING, FAILED), set(), NOW) is RUNNING
    assert job_to_show((FAILED, DONE), set(), NOW) is FAILED
    assert job_to_show((FAILED, DONE), {FAILED.id}, NOW) is None
    assert job_to_show((DONE, FAILED), set(), NOW) is None
    upload = job(JobStatus.DONE, kind="upload")
    assert job_to_show((upload, FAILED), set(), NOW) is FAILED


def test_success_is_news_for_minutes() -> None:
    fresh = job(JobStatus.DONE, ago=60)
    assert job_to_show((fresh, FAILED), set(), NOW) is fresh
    assert job_to_show((DONE,), set(), NOW) is None


def test_cause_is_not_told_twice() -> None:
    assert FAILED.cause in outcome(FAILED, NOW)[2]
    assert FAILED.cause not in outcome(FAILED, NOW, cause_told=True)[2]


def test_standing_of_copies() -> None:
    local = listing(Place.LOCAL).backups[0]
    path = local.name.relative_path
    assert local.has_manifest
    assert standing(local, {}) is Standing.LISTED
    assert standing(local, {path: local.size}) is Standing.LISTED
    assert standing(local, {path: 1}) is Standing.DIFFERS
    assert standing(local, {path: 1}, proof(local)) is Standing.COMPLETE
    assert standing(local, {}, proof(local, Proof.LISTED)) is Standing.LISTED
    assert standing(local, {}, proof(local, Proof.DAMAGED)) is Standing.DAMAGED
    assert standing(replace(local, size=0), {}, proof(local)) is Standing.EMPTY
    assert [word for word in Standing if word.is_good] == ["restored", "complete"]


def test_backup_question_says_all_but_secrets() -> None:
    ours = settings(PGPASSWORD="p@ss", BACKUP_TIMEZONE="UTC")
    sunday = datetime(2026, 3, 1, 12, tzinfo=UTC)  # also a 1st
    question = ask_backup(ours, Known(local_shelf(), NOW), Known(), sunday)
    text = dict(question.rows)
    assert text["To"] == "/backups/daily/ (today also weekly and monthly)"
    assert "db.example.com:5432" in text["Server"]
    assert text["S3"] == "s3://my-thinktank-backups/backups/ at https://minio.example.com"
    assert text["Takes"].startswith("About 14 s and 126.0 MiB")
    assert "p@ss" not in str(question)
    nothing = ask_backup(settings(s3=False), Known(), Known(), NOW)
    assert dict(nothing.rows)["Takes"].startswith("Not known")
    assert dict(nothing.rows)["S3"].startswith("Not set up")
