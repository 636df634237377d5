"""Who looks elsewhere is told once how a job ended; who sees the job strip is not told twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from tests.tui.driving import until, until_shown
from tests.tui.scenes import NOW, RUNNING, Scene, job
from textual.pilot import Pilot

from pgconsole.app import PgconsoleApp
from pgconsole.jobs import Job, JobStatus
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.job_board import JobBoard
from pgconsole.screens.job_toast import tell_ended

ENDED = {
    "started_at": NOW - timedelta(seconds=75), "finished_at": NOW, "phase": "",
}  # fmt: skip
DONE = replace(RUNNING, status=JobStatus.DONE, **ENDED)  # type: ignore[arg-type]
FAILED = replace(
    RUNNING, status=JobStatus.FAILED, problem="The [dump] could not be written",
    cause="/backups is full", fix="free some space", **ENDED,  # type: ignore[arg-type]
)  # fmt: skip
OTHER = replace(RUNNING, id="20260225T040210-verify", kind="verify")


class Jobs:
    """A scene whose jobs change."""

    def __init__(self, *jobs: Job) -> None:
        self.scene = Scene(jobs=jobs)
        self.told: list[tuple[str, str, float]] = []

    def now_are(self, *jobs: Job) -> None:
        self.scene.jobs = jobs

    def app(self) -> PgconsoleApp:
        app = self.scene.app()
        notify = app.notify

        def note(message: str, *, title: str, timeout: float, **more: object) -> None:
            self.told.append((title, message, timeout))
            notify(message, title=title, timeout=timeout, **more)  # type: ignore[arg-type]

        app.notify = note  # type: ignore[assignment,method-assign]
        return app


@asynccontextmanager
async def looking_elsewhere(jobs: Jobs) -> AsyncIterator[Pilot[None]]:
    """The help lies over the main screen, which knows the running job."""
    app = jobs.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Backup running")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        yield pilot


def board_of(pilot: Pilot[None]) -> JobBoard:
    board: JobBoard = pilot.app.screen_stack[1]._board  # type: ignore[attr-defined]
    return board


async def seen(pilot: Pilot[None], jobs: Jobs) -> None:
    """Wait until the main screen knows these jobs."""
    await until(pilot, lambda: board_of(pilot).jobs == jobs.scene.jobs)


async def test_a_job_that_went_well_is_told_with_its_duration() -> None:
    jobs = Jobs(RUNNING)
    async with looking_elsewhere(jobs) as pilot:
        jobs.now_are(DONE)
        await until_shown(pilot, "✓ Backup done just now")
        await until_shown(pilot, "took 1 min 15 s, by ana")
        jobs.now_are(DONE, job(JobStatus.DONE))
        await seen(pilot, jobs)
    assert [title for title, _, _ in jobs.told] == ["✓ Backup done just now"]


async def test_a_failed_one_says_why_and_stays_longer() -> None:
    jobs = Jobs(RUNNING)
    async with looking_elsewhere(jobs) as pilot:
        jobs.now_are(FAILED)
        await until_shown(pilot, "The [dump] could not be written")
        await until_shown(pilot, "/backups is full. Next: free some space")
    [(title, _, seconds)] = jobs.told
    assert title.startswith("✗ Backup failed just now")
    assert seconds == 30


async def test_an_interrupted_one_is_told() -> None:
    jobs = Jobs(RUNNING)
    async with looking_elsewhere(jobs) as pilot:
        jobs.now_are(replace(RUNNING, status=JobStatus.INTERRUPTED))
        await until_shown(pilot, "✗ Backup was interrupted (it began")


async def test_who_sees_the_strip_is_not_told() -> None:
    jobs = Jobs(RUNNING)
    app = jobs.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Backup running")
        for pane in "1234l":
            await pilot.press(pane)
        jobs.now_are(DONE)
        await until_shown(pilot, "Backup done just now")
        await pilot.press("question_mark")
        await seen(pilot, jobs)
        assert jobs.told == []


async def test_a_job_that_the_strip_does_not_show_is_told() -> None:
    """Two ran; the strip goes on with the other."""
    jobs = Jobs(OTHER, RUNNING)
    app = jobs.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Verify running (+1 more)")
        jobs.now_are(OTHER, DONE)
        await until_shown(pilot, "✓ Backup done just now")
    assert len(jobs.told) == 1


async def test_what_ended_before_is_no_news() -> None:
    jobs = Jobs(job(JobStatus.DONE), job(JobStatus.FAILED, ago=9000))
    app = jobs.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, jobs)
        await pilot.press("question_mark")
        jobs.now_are(*jobs.scene.jobs, job(JobStatus.DONE, ago=20_000))  # found only now
        await seen(pilot, jobs)
    assert jobs.told == []


async def test_a_job_of_a_blink_is_told() -> None:
    """It began and ended between two looks."""
    jobs = Jobs()
    app = jobs.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("question_mark")
        jobs.now_are(DONE)
        await until_shown(pilot, "✓ Backup done just now")
    assert len(jobs.told) == 1


async def test_an_export_says_where_the_rows_are_once() -> None:
    """Also to those who see the strip, which does not say it."""
    export = replace(RUNNING, kind="export", id="20260225T040205-export")
    jobs = Jobs(export)
    app = jobs.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "Export running")
        result = {"rows": 1_000, "path": "/home/[ana]/users.csv"}
        done = replace(export, status=JobStatus.DONE, result=result, **ENDED)  # type: ignore[arg-type]
        jobs.now_are(done)
        await until_shown(pilot, "1,000 rows in /home/[ana]/users.csv")
        tell_ended(app, done, NOW)  # as an opened backup would, which knows it too
    assert [message for _, message, _ in jobs.told] == ["1,000 rows in /home/[ana]/users.csv"]


class TestBoard:
    def test_what_has_ended_since(self) -> None:
        board = JobBoard(NOW)
        early = job(JobStatus.DONE)
        assert board.take((OTHER, RUNNING, early)) == []
        assert board.take((OTHER, DONE, early)) == [DONE]
        assert board.take((OTHER, DONE, early)) == []
        lost = replace(OTHER, status=JobStatus.INTERRUPTED)
        assert board.take((lost, DONE, early)) == [lost]

    def test_a_cancelling_job_has_not_ended(self) -> None:
        board = JobBoard(NOW)
        board.take((RUNNING,))
        assert board.take((replace(RUNNING, status=JobStatus.CANCELLING),)) == []
