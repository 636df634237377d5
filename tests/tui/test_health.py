"""Are my backups good? Every answer from its evidence; unknown is never good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.tui.scenes import (
    DONE,
    FAILED,
    LAST,
    NOW,
    RUNNING,
    job,
    listing,
    local_shelf,
    manifest,
    marks_of,
    proof,
    settings,
)

from pgconsole.backups.evidence import Evidence, Proof
from pgconsole.errors import StorageError
from pgconsole.jobs import JobStatus
from pgconsole.storage.base import Listing, Place
from pgconsole.widgets.health import Facts, Level, Verdict, judge
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.shelf import Shelf, shelf_of

DOWN = StorageError("The bucket b can't be reached", cause="refused")
NOTHING: Known[Shelf] = Known()
LOCAL = Known(local_shelf(), NOW)
IN_S3 = Known(shelf_of(listing(Place.S3)), NOW)
EMPTY = Known(shelf_of(Listing((), (), ())), NOW)


def verdict(
    local: Known[Shelf] = LOCAL, s3: Known[Shelf] | None = IN_S3, jobs: tuple[object, ...] = (DONE,)
) -> Verdict:
    return judge(Facts("thinktank", local, s3, jobs), NOW)  # type: ignore[arg-type]


def test_good_in_both_places() -> None:
    found = verdict()
    assert found.level is Level.GOOD
    assert found.text == "Last backup 2 h 2 min ago: complete (verified 2 h ago), local + S3"
    assert found.lost_since == LAST


def test_nothing_known_yet_is_unknown() -> None:
    assert verdict(NOTHING).level is Level.UNKNOWN
    assert verdict(s3=NOTHING).level is Level.UNKNOWN


def test_unreadable_directory_is_unknown_and_tells_the_last_sight() -> None:
    down = StorageError("BACKUP_DIR can't be read")
    assert verdict(NOTHING.failed(down, NOW)).text == "Unknown: BACKUP_DIR can't be read"
    seen = Known(local_shelf(), NOW - timedelta(minutes=5)).failed(down, NOW)
    found = verdict(seen)
    assert found.level is Level.UNKNOWN
    assert found.text.endswith("Seen 5 min ago: the last backup was 2 h 2 min ago")


def test_no_backup_yet() -> None:
    for s3 in (EMPTY, None):
        found = verdict(EMPTY, s3, ())
        assert found.level is Level.WARNING
        assert found.text.startswith("No backup yet")


def test_backups_of_another_database_do_not_count() -> None:
    other = Known(shelf_of(listing(Place.LOCAL, database="thinktank2")), NOW)
    assert verdict(other, EMPTY, ()).text.startswith("No backup yet")


def test_only_in_s3() -> None:
    assert verdict(EMPTY, IN_S3, ()).text == (
        "No local backup; the newest in S3 was taken 2 h 2 min ago: listed"
    )
    assert verdict(EMPTY, NOTHING.failed(DOWN, NOW), ()).level is Level.UNKNOWN


def test_failed_tells_cause_and_last_good_one() -> None:
    found = verdict(jobs=(FAILED, DONE))
    assert found.level is Level.BAD
    assert found.text == (
        "Last backup failed 3 min ago: /backups is full (No space left on device); "
        "last good one 2 h 2 min ago"
    )
    assert found.job == FAILED.id
    assert verdict(EMPTY, None, (FAILED,)).text.endswith("there is no good one")


def test_a_later_backup_or_a_running_one_says_nothing_of_an_old_failure() -> None:
    old = replace(FAILED, created_at=LAST - timedelta(days=2), started_at=LAST, finished_at=LAST)
    assert verdict(jobs=(DONE, old)).level is Level.GOOD
    # A backup that came by another way (the shell scripts' cron) also ends the alarm.
    before = replace(old, finished_at=LAST - timedelta(hours=1))
    assert verdict(jobs=(before,)).level is Level.GOOD
    # While the next one runs, the last one is still failed.
    assert verdict(jobs=(RUNNING, FAILED, DONE)).level is Level.BAD


def test_interrupted_is_bad() -> None:
    dead = job(JobStatus.INTERRUPTED, ago=600, took=None, cause="its process was killed")
    found = verdict(jobs=(dead, DONE))
    assert found.level is Level.BAD
    assert found.text.startswith("Last backup was interrupted 10 min ago: its process was killed;")


def test_cancelled_changes_nothing() -> None:
    assert verdict(jobs=(job(JobStatus.CANCELLED, ago=60), DONE)).level is Level.GOOD


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.INTERRUPTED])
def test_failed_upload_is_not_a_failed_backup(status: JobStatus) -> None:
    assert verdict(jobs=(job(status, ago=60, kind="upload"), DONE)).level is Level.GOOD


def test_s3_states() -> None:
    assert verdict(s3=None).text.endswith("local only (S3 is not set up)")
    found = verdict(s3=NOTHING.failed(DOWN, NOW))
    assert found.level is Level.WARNING
    assert found.text.endswith("local; S3 unknown: The bucket b can't be reached")
    stale = Known(IN_S3.value, NOW - timedelta(minutes=9)).failed(DOWN, NOW)
    assert verdict(s3=stale).level is Level.WARNING
    assert verdict(s3=stale).text.endswith("local + S3 as of 9 min ago")


def test_copy_missing_in_s3_tells_why() -> None:
    partly = job(JobStatus.PARTLY_FAILED, problem="no copy", cause="access denied")
    found = verdict(s3=EMPTY, jobs=(partly,))
    assert found.level is Level.WARNING
    assert found.text.endswith("local, but not in S3: access denied")


def test_copy_in_s3_of_another_size() -> None:
    name = LOCAL.value.backups[0].name.relative_path  # type: ignore[union-attr]
    assert IN_S3.value is not None
    other = replace(IN_S3.value, sizes={name: 7})
    assert verdict(s3=Known(other, NOW)).level is Level.WARNING
    assert "another size" in verdict(s3=Known(other, NOW)).text


def test_overdue() -> None:
    late = Known(replace(local_shelf(), due=NOW - timedelta(hours=3)), NOW)
    found = verdict(late)
    assert found.level is Level.WARNING
    assert found.text.startswith("Overdue: the run due 3 h ago made no backup.")
    # Not while one runs, and not within the hour that it may take.
    assert verdict(late, jobs=(RUNNING, DONE)).level is Level.GOOD
    soon = Known(replace(local_shelf(), due=NOW - timedelta(minutes=30)), NOW)
    assert verdict(soon).level is Level.GOOD


def seen(*proofs: Evidence, **more: object) -> Known[Shelf]:
    """The local backups with these proofs alone."""
    return Known(replace(local_shelf(marks=marks_of(*proofs)), **more), NOW)  # type: ignore[arg-type]


def test_a_manifest_alone_proves_nothing() -> None:
    newest, before = listing(Place.LOCAL).backups[:2]
    assert newest.has_manifest
    nothing = verdict(seen())
    assert nothing.level is Level.UNKNOWN
    assert nothing.lost_since is None
    assert nothing.text.endswith("was never verified (v does it); no complete one exists")
    found = verdict(seen(proof(before)))
    assert found.level is Level.UNKNOWN
    assert found.text.endswith("last complete one 26 h ago")
    assert found.lost_since == before.name.taken_at


def test_intact_is_not_complete() -> None:
    newest = listing(Place.LOCAL).backups[0]
    found = verdict(seen(proof(newest, Proof.INTACT)))
    assert found.level is Level.UNKNOWN
    assert "intact, but what is in it was never looked at" in found.text


def test_restored_is_the_best_proof() -> None:
    newest = listing(Place.LOCAL).backups[0]
    tried = proof(newest, Proof.RESTORED, at=NOW - timedelta(minutes=7))
    assert "restored (tried out 7 min ago)" in verdict(seen(proof(newest), tried)).text


def test_a_proof_of_another_file_under_the_same_name_does_not_count() -> None:
    newest = listing(Place.LOCAL).backups[0]
    for change in ({"size": newest.size + 1}, {"modified": newest.modified - timedelta(seconds=1)}):
        assert verdict(seen(proof(newest, **change))).level is Level.UNKNOWN


def test_damage_found_later_is_bad() -> None:
    newest, before = listing(Place.LOCAL).backups[:2]
    wrong = proof(newest, Proof.DAMAGED, at=NOW, problem="wrong CRC at byte 17\x1b[2J")
    found = verdict(seen(proof(newest), proof(before), wrong))
    assert found.level is Level.BAD
    assert "is damaged: wrong CRC at byte 17" in found.text
    assert "\x1b" not in found.text
    assert found.text.endswith("last complete one 26 h ago")


def test_the_copy_in_s3_is_judged_by_its_own_proof() -> None:
    newest, there = listing(Place.LOCAL).backups[0], listing(Place.S3).backups[0]
    listed = verdict(seen(proof(newest)))
    assert listed.level is Level.GOOD
    assert listed.text.endswith("local + S3 (listed only)")
    wrong = proof(there, Proof.DAMAGED)
    assert verdict(seen(proof(newest), wrong)).level is Level.WARNING
    assert verdict(seen(proof(newest), wrong)).text.endswith("the copy in S3 is damaged")


def test_half_a_list_of_s3_is_never_taken_for_the_whole() -> None:
    half = NOTHING.asking(NOW).growing(shelf_of(listing(Place.S3, 3), whole=False))
    found = verdict(s3=half)
    assert found.level is Level.UNKNOWN
    assert found.text.endswith("local; S3 is still being read (3 backups so far)")
    assert verdict(EMPTY, half, ()).level is Level.UNKNOWN


def test_unreadable_evidence_is_unknown() -> None:
    marks = Marks(settings(), problem="what was proven can't be read: [Errno 13] denied")
    found = verdict(Known(local_shelf(marks=marks), NOW))
    assert found.level is Level.UNKNOWN
    assert "denied" in found.text


def test_empty_newest_is_unknown() -> None:
    backups = listing(Place.LOCAL).backups
    empty = (replace(backups[0], size=0), *backups[1:])
    assert "is empty" in verdict(Known(local_shelf(Listing(empty, (), ())), NOW)).text


def test_damaged_manifest_or_size() -> None:
    broken = replace(local_shelf(), manifest=None, manifest_problem="Manifest x can't be used: bad")
    assert verdict(Known(broken, NOW)).level is Level.UNKNOWN
    short = manifest().model_copy(update={"compressed_bytes": 1})
    assert verdict(Known(replace(local_shelf(), manifest=short), NOW)).level is Level.BAD


def test_unread_jobs_may_hide_a_failure() -> None:
    early = Facts("thinktank", LOCAL, IN_S3, (), jobs_known=False)
    assert judge(early, NOW).level is Level.UNKNOWN
    unreadable = replace(early, jobs_known=True, jobs_problem="The jobs can't be listed")
    assert judge(unreadable, NOW).level is Level.UNKNOWN
    assert judge(unreadable, NOW).text.endswith("unknown: The jobs can't be listed")


def test_control_characters_of_a_cause_do_not_reach_the_screen() -> None:
    evil = replace(FAILED, cause="disk\x1b[2Jfull\r\n[red]")
    assert "\x1b" not in verdict(jobs=(evil,)).text
    assert "[red]" in verdict(jobs=(evil,)).text
