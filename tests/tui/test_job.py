"""A job opened, cancelled, started anew: on a real server, by keys."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import pg_dump_wrapper
from tests.guide import guide_backup
from tests.tui.driving import open_job, open_jobs, say_yes, shown, until, until_shown
from tests.tui.job_scenes import OPENED
from textual.widgets import Input

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.demo.servers import PostgresServer
from pgconsole.jobs import JobStatus
from pgconsole.jobs.journal import EVENTS
from pgconsole.screens.main import MainScreen
from pgconsole.settings import Settings

TAKEN = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)
# 64 KiB at a time, so that there is time to look at it.
SLOW = """
[ -e "$0.fast" ] && exec "$REAL" "$@"
"$REAL" "$@" | while chunk=$(head -c 65536 | base64 -w 0) && [ -n "$chunk" ]; do
    printf %s "$chunk" | base64 -d; sleep 0.3
done
"""


@pytest.fixture
def slow(
    real: Settings, postgres16: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A database of some MiB, and a pg_dump that takes a while for each."""
    with postgres16.connect(real.pgdatabase) as connection:
        connection.execute(
            "CREATE TABLE large AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)"
        )
    wrapper = pg_dump_wrapper(tmp_path / "bin", postgres16.bin_dir / "pg_dump", SLOW)
    monkeypatch.setenv("PATH", f"{wrapper}:{os.environ['PATH']}")
    return real


async def test_watched_cancelled_and_started_anew(slow: Settings, tmp_path: Path) -> None:
    """By keys: back up, open the job while it runs, see it work, cancel it, start it anew."""
    app = PgconsoleApp(slow)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_shown(pilot, "no backup yet")
        await pilot.press("b")
        await say_yes(pilot)
        await until_shown(pilot, "Backup running")
        await open_job(pilot, "o")
        await until_shown(pilot, "● dump")
        await until_shown(pilot, "public.large")
        await until_shown(pilot, "iB/s")
        await until_shown(pilot, "a bar is 1 s")
        await pilot.press("3")
        await until_shown(pilot, "--no-acl --clean --if-exists")
        assert "PGPASSWORD=***" in shown(app.screen) or not slow.pgpassword.get_secret_value()
        await pilot.press("1", "c")
        await say_yes(pilot)
        await until_shown(pilot, "Backup was cancelled", timeout=60)
        await until_shown(pilot, "asked for it")
        [first] = jobs.list_jobs(slow)
        assert first.status is JobStatus.CANCELLED
        (tmp_path / "bin" / "pg_dump.fast").touch()
        await pilot.press("R")
        await until_shown(pilot, "Start the backup anew?")
        await pilot.press("enter")
        await until_shown(pilot, "Nothing typed: nothing happens")
        assert len(jobs.list_jobs(slow)) == 1
        await say_yes(pilot)
        await until(pilot, lambda: app.screen.job and app.screen.job.id != first.id)  # type: ignore[attr-defined]
        await until_shown(pilot, "Backup done", timeout=60)
        await pilot.press("2")
        await until_shown(pilot, "compressed bytes")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))
    second = jobs.list_jobs(slow)[0]
    assert (second.status, second.request) == (JobStatus.DONE, {"database": slow.pgdatabase})


async def test_a_restore_is_asked_for_anew(real: Settings, postgres16: PostgresServer) -> None:
    """Only the copy and the target are taken over: never the yes of then."""
    path = guide_backup(postgres16, real.pgdatabase, real.backup_dir, TAKEN)
    other = f"{real.pgdatabase}_none"
    request = {"place": "local", "location": str(path), "database": other, "confirmation": "f00"}
    before = jobs.wait(real, jobs.start(real, "restore", request, "ana"))
    assert before.status is JobStatus.FAILED
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "✗ failed")
        await pilot.press("R")
        await until_shown(pilot, f"Type yes to replace {other}:")
        target = app.screen.query_one("#target", Input)
        assert target.value == other
        await pilot.press(*["backspace"] * len("_none"), "enter")
        await until_shown(pilot, f"Type yes to replace {real.pgdatabase}:")
        await until_shown(pilot, "? 1 not known")  # nobody has verified it
        await pilot.press("enter")
        await until_shown(pilot, "Nothing typed: nothing happens")
        assert len(jobs.list_jobs(real)) == 1
        await say_yes(pilot)
        await until_shown(pilot, "✓ done", timeout=60)
        await pilot.press("g")
        await open_job(pilot, "enter")
        await until_shown(pilot, "EXPECTED      FOUND")
        await pilot.press("3", "G")
        await until_shown(pilot, "--single-transaction")
    after = jobs.list_jobs(real)[0]
    assert after.request["database"] == real.pgdatabase
    assert after.request["confirmation"] not in ("f00", "")


async def test_a_restore_of_a_copy_that_is_gone(real: Settings, postgres16: PostgresServer) -> None:
    path = guide_backup(postgres16, real.pgdatabase, real.backup_dir, TAKEN)
    request = {
        "place": "local", "location": str(path), "database": real.pgdatabase, "confirmation": "",
    }  # fmt: skip
    jobs.wait(real, jobs.start(real, "restore", request, "ana"))
    path.unlink()
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "✗ failed")
        await pilot.press("R")
        await until_shown(pilot, "it does not exist")
        assert len(jobs.list_jobs(real)) == 1


async def test_retention_is_asked_for_with_its_plan(
    real: Settings, postgres16: PostgresServer
) -> None:
    jobs.wait(real, jobs.start(real, "prune", {}, "ana"))
    guide_backup(postgres16, real.pgdatabase, real.backup_dir, TAKEN)
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "prune")
        await pilot.press("R")
        await until_shown(pilot, "Nothing is to be deleted")


async def test_a_log_that_can_not_be_read(real: Settings) -> None:
    job = jobs.wait(real, jobs.start(real, "upload", {"filename": "no.sql.gz"}, "bob"))
    (job.directory / EVENTS).unlink()
    (job.directory / EVENTS).mkdir()
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "✗ failed")
        await open_job(pilot, "enter")
        await until_shown(pilot, "The log of this job can't be read")
        assert "✗ Upload failed" in shown(app.screen)


async def test_a_damaged_job_and_one_that_vanishes(real: Settings) -> None:
    job = jobs.wait(real, jobs.start(real, "upload", {"filename": "no.sql.gz"}, "bob"))
    (job.directory / "spec.json").write_text("{")
    app = PgconsoleApp(real)
    async with app.run_test(size=(100, 30)) as pilot:
        await open_jobs(pilot)
        await until_shown(pilot, "spec.json of job")
        await pilot.press("R")  # nobody knows what was asked for
        screen = await open_job(pilot, "enter")
        await until(pilot, lambda: screen.job is not None)
        for path in job.directory.iterdir():
            path.unlink()
        job.directory.rmdir()
        await until_shown(pilot, "There is no job")
        await pilot.press("escape")
        await until_shown(pilot, "No job has run yet")


async def test_a_fault_shows_what_its_process_printed(
    real: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = jobs.wait(real, jobs.start(real, "verify", {"paths": ["no/path"]}, "bob"))
    with (job.directory / "output.log").open("a") as file:
        file.write("Traceback [red]\n\x1b[2JZeroDivisionError: x\n")
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Verify failed")
        await open_job(pilot, "o")
        await pilot.press("2")
        await until_shown(pilot, "Traceback [red]")
        await until_shown(pilot, "\N{REPLACEMENT CHARACTER}[2JZeroDivisionError: x")


async def test_the_log_is_paused_and_fills_the_screen() -> None:
    app = OPENED["done"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "backup done")
        await pilot.press("k", "k")
        await until_shown(pilot, "log paused")
        await pilot.press("l")
        await until(pilot, lambda: "PHASE" not in shown(app.screen))
        await until_shown(pilot, "locked database thinktank")
        await pilot.press("l", "f")
        await until_shown(pilot, "PHASE")
        await until(pilot, lambda: "log paused" not in shown(app.screen))
        await pilot.press("tab", "tab", "tab", "shift+tab")
        await until_shown(pilot, "[3 Commands]")
