"""The answer at the top: what the console knows is judged as headless, in two lines at most."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.tui.driving import shown, until
from tests.tui.scenes import (
    BEAT,
    DONE,
    FAILED,
    LAST,
    NOW,
    PAUSE,
    SCENES,
    UNREACHABLE,
    Scene,
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
from pgconsole.jobs import Job, JobStatus
from pgconsole.schedule import in_words, next_runs
from pgconsole.status.status import judge
from pgconsole.status.verdict import State, Verdict
from pgconsole.storage.base import Listing, Place
from pgconsole.widgets.answer import answer, facts_of, joined
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf, shelf_of
from pgconsole.widgets.words import wrapped

NOTHING: Known[Shelf] = Known()
LOCAL = Known(local_shelf(), NOW)
IN_S3 = Known(shelf_of(listing(Place.S3)), NOW)
EMPTY = Known(shelf_of(Listing((), (), ())), NOW)
TABLE = Timetable(
    "0 2 * * *",
    settings().backup_timezone,
    in_words("0 2 * * *"),
    tuple(next_runs("0 2 * * *", settings().backup_timezone, NOW, 5)),
)


def verdict(
    local: Known[Shelf] = LOCAL,
    s3: Known[Shelf] | None = IN_S3,
    jobs: tuple[Job, ...] | None = (DONE,),
    table: Timetable | None = TABLE,
) -> Verdict:
    """What is judged from what the console knows; s3 None: it is not set up."""
    known: Known[tuple[Job, ...]] = Known(jobs, NOW) if jobs is not None else Known()
    schedule: Known[Timetable] = Known(table, NOW) if table is not None else Known()
    own = settings(s3=s3 is not None)
    return judge(facts_of(own, local, s3 or NOTHING, known, schedule), NOW)


def seen(*proofs: Evidence) -> Known[Shelf]:
    """The local backups with these proofs alone."""
    return Known(local_shelf(marks=marks_of(*proofs)), NOW)


def test_good_in_both_places() -> None:
    found = verdict()
    assert found.state is State.FRESH
    assert found.sentence == (
        "Protected: last good backup 2 h ago (complete, local + S3). "
        "If the database died now you would lose 2 h 02 m."
    )
    assert found.lost_since == LAST
    assert "local only" in verdict(s3=None).text


def test_nothing_known_yet_is_unknown() -> None:
    for found in (verdict(NOTHING), verdict(s3=NOTHING), verdict(jobs=None)):
        assert found.state is State.UNKNOWN
    assert verdict(table=None).state is State.FRESH  # the schedule that is set here counts


def test_unreadable_directory_is_unknown_and_tells_the_last_sight() -> None:
    down = StorageError("BACKUP_DIR can't be read")
    known = Known(local_shelf(), NOW - timedelta(minutes=5)).failed(down, NOW)
    found = verdict(known)
    assert found.state is State.UNKNOWN
    assert found.text.endswith("seen 5 m ago: last good backup 2 h ago.")


def test_backups_of_another_database_do_not_count() -> None:
    other = Known(shelf_of(listing(Place.LOCAL, database="thinktank2")), NOW)
    assert verdict(other, EMPTY, ()).text.startswith("At risk: no backup yet")


def test_a_silent_bucket_is_timed_from_its_first_silence() -> None:
    began = NOW - timedelta(minutes=12)
    s3 = NOTHING.asking(began).failed(UNREACHABLE, began)
    s3 = s3.asking(NOW - timedelta(minutes=1)).failed(UNREACHABLE, NOW - timedelta(seconds=30))
    assert verdict(s3=s3).text.startswith("Unknown: S3 not reachable for 12 m; last good backup")
    again = s3.answered(IN_S3.value, NOW)  # type: ignore[arg-type]
    assert verdict(s3=again).state is State.FRESH
    assert again.failed(UNREACHABLE, NOW).failing_since == NOW


def test_half_a_list_of_s3_is_never_taken_for_the_whole() -> None:
    half = NOTHING.asking(NOW).growing(shelf_of(listing(Place.S3, 3)))
    found = verdict(s3=half)
    assert found.state is State.UNKNOWN
    assert found.text.startswith("Unknown: S3 is still being read (3 backups so far); last good")
    assert verdict(EMPTY, half, ()).state is State.UNKNOWN


def test_overdue_by_the_schedule_that_is_followed() -> None:
    hourly = replace(TABLE, expression="0 * * * *")
    found = verdict(table=hourly)
    assert found.state is State.STALE
    assert found.text.startswith("At risk: the run due 1 h ago made no good backup; last good")
    paused = verdict(table=replace(hourly, heartbeat=BEAT, pause=PAUSE))
    assert "the schedule is paused by ana" in paused.text
    running = job(JobStatus.RUNNING, ago=60, took=None)
    assert verdict(jobs=(running, DONE), table=hourly).state is State.FRESH


def test_proofs_are_those_of_the_copies_as_they_are() -> None:
    newest, there = listing(Place.LOCAL).backups[0], listing(Place.S3).backups[0]
    nothing = verdict(seen())
    assert (nothing.state, nothing.lost_since) == (State.UNKNOWN, None)
    assert "was never verified" in nothing.text
    assert verdict(seen(proof(newest, size=newest.size + 1))).state is State.UNKNOWN
    assert "local + S3 listed only" in verdict(seen(proof(newest))).text
    wrong = seen(proof(newest), proof(there, Proof.DAMAGED))
    assert verdict(wrong).text.endswith("its copy in S3 is damaged.")
    marks = Marks(settings(), problem="[Errno 13] denied")
    assert "denied" in verdict(Known(local_shelf(marks=marks), NOW)).text


def test_damage_found_later_does_not_reach_the_terminal_as_codes() -> None:
    newest, before = listing(Place.LOCAL).backups[:2]
    wrong = proof(newest, Proof.DAMAGED, at=NOW, problem="wrong CRC\x1b[2J [red]")
    found = verdict(seen(proof(newest), proof(before), wrong))
    assert found.state is State.FAILED
    assert "\x1b" not in found.text
    assert "[red]; last good one 26 h ago." in found.text


def test_the_manifest_of_the_newest_backup_may_contradict_it() -> None:
    short = manifest().model_copy(update={"compressed_bytes": 1})
    for change, state in (
        ({"manifest": short}, State.FAILED),
        ({"manifest": None, "manifest_problem": "bad"}, State.UNKNOWN),
    ):
        shelf = replace(local_shelf(), **change, judged=None)  # type: ignore[arg-type]
        assert verdict(Known(shelf, NOW)).state is state


def test_only_in_s3() -> None:
    assert verdict(EMPTY, IN_S3, ()).text == (
        "At risk: no local backup; the newest in S3, of 2 h ago, is listed only."
    )


def test_what_does_not_fit_two_lines_is_left_out_the_least_important_first() -> None:
    found = verdict()
    due = ("next due in 21 h", False)
    small = answer(found, due, settings(), 74)
    assert small.below
    assert small.text == found.text
    assert joined(small.rest) == (
        "If the database died now you would lose 2 h 02 m · Next run due in 21 h"
    )
    large = answer(found, due, settings(), 154)
    assert joined(large.rest).endswith("Verified 2 h ago · Kept up to 2026-02-25 02:00 UTC")
    tiny = answer(found, due, settings(), 54)
    assert not tiny.below
    assert tiny.is_whole


@pytest.mark.parametrize("length", [10, 60, 100, 130, 300])
@pytest.mark.parametrize("width", [40, 54, 74, 154])
def test_never_more_than_two_lines(length: int, width: int) -> None:
    cause = ("disk full " * 40)[:length]
    found = verdict(jobs=(replace(FAILED, cause=cause), DONE))
    words = answer(found, ("scheduler silent 3 h", True), settings(), width)
    between = "\n" if words.below else " "
    lines = f"{words.text}{between}{joined(words.rest)}".rstrip().split("\n")
    assert sum(len(wrapped(line, width)) for line in lines) <= 2
    assert words.is_whole is (words.text == found.text)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 45)])
async def test_a_cause_that_is_cut_is_told_below(size: tuple[int, int]) -> None:
    cause = "the server said: " + "no " * 60 + "END"
    scene = Scene(jobs=(replace(FAILED, cause=cause), DONE))
    app = scene.app()
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "At risk" in shown(app.screen))
        await until(pilot, lambda: app.screen.query_one("#job").display)
        height = app.screen.query_one("#status .strip-text").size.height
        assert height <= 2
        assert size[0] == 60 or "END" in shown(app.screen)


@pytest.mark.parametrize("name", sorted(SCENES))
async def test_the_strip_takes_two_lines_in_every_state(name: str) -> None:
    app = SCENES[name]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: ": " in shown(app.screen).split("\n")[1])
        await pilot.pause(0.2)
        assert app.screen.query_one("#status .strip-text").size.height <= 2
