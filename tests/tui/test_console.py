"""The console on a real PostgreSQL, a real S3 server and a real backup directory."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.support import wait_until
from tests.tui.driving import shown, until, until_shown
from textual.widgets import Input

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.screens.confirm import ConfirmScreen
from pgconsole.screens.help import HelpScreen
from pgconsole.settings import Settings


@pytest.fixture
def real(
    make_settings: MakeSettings,
    postgres16: PostgresServer,
    database: str,
    s3: S3Server,
    s3_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """A real database and a real bucket; the job finds the client tools on PATH."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database, **s3.environment(s3_bucket))


async def test_backup_from_key_to_both_panes(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "no backup yet: nothing could be restored")
        await pilot.press("b")
        await until_shown(pilot, f"Back up {real.pgdatabase} now?")
        assert real.pgpassword.get_secret_value() not in shown(app.screen)
        await pilot.press("y", "e", "s", "enter")
        await until_shown(pilot, "Backup done", timeout=60)
        await until_shown(pilot, "local + S3")
        await until_shown(pilot, "✓ complete")
        await pilot.press("2")
        await until_shown(pilot, "[2 S3 · ")
        await until_shown(pilot, "· listed")  # nobody has read it back from there
        assert "yes" in shown(app.screen)
        await pilot.press("4")
        await until_shown(pilot, "backup done")
        await pilot.press("g")
        await until_shown(pilot, "· paused")
    job = jobs.list_jobs(real)[0]
    assert job.status is jobs.JobStatus.DONE
    assert job.actor == jobs.current_actor()


async def test_backup_by_somebody_else_is_seen(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "Nothing has been logged yet")
        jobs.start(real, "backup", {}, "somebody else")
        await until_shown(pilot, "Backup done", timeout=60)
        await until_shown(pilot, "by somebody else")
        await until_shown(pilot, "local + S3")
        # Both copies in one row, and side by side.
        for key in "01":
            await pilot.press(key)
            await until(pilot, lambda: "✓ complete" in shown(app.screen))
            assert "· listed" in shown(app.screen)


async def test_quitting_does_not_touch_the_job(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "no backup yet")
        await pilot.press("b", "y", "e", "s", "enter")
        await until(pilot, lambda: jobs.list_jobs(real))
        await pilot.press("q")
    job_id = jobs.list_jobs(real)[0].id
    assert jobs.wait(real, job_id).status is jobs.JobStatus.DONE


@pytest.mark.parametrize("typed", ["", " yes", "Yes", "y", "yes ", "no", "YES", "yess"])
async def test_only_yes_starts(make_settings: MakeSettings, typed: str) -> None:
    settings = make_settings()
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert app.focused is app.screen.query_one(Input)
        await pilot.press(*("space" if char == " " else char for char in typed), "enter")
        await until_shown(pilot, "nothing happens. Type exactly yes")
        assert isinstance(app.screen, ConfirmScreen)
        assert app.screen.query_one(Input).value == typed
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
        await pilot.pause(0.3)
    assert jobs.list_jobs(settings) == []


async def test_correcting_the_answer_starts(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y", "enter", "e", "s", "enter")
        await until(pilot, lambda: jobs.list_jobs(real))
    assert jobs.wait(real, jobs.list_jobs(real)[0].id).status is jobs.JobStatus.DONE


async def test_q_can_be_typed_and_ctrl_q_quits_in_a_dialog(make_settings: MakeSettings) -> None:
    app = PgconsoleApp(make_settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("q")
        assert app.screen.query_one(Input).value == "q"
        await pilot.press("ctrl+q")
    assert app.return_code == 0


async def test_q_quits_from_the_help(make_settings: MakeSettings) -> None:
    app = PgconsoleApp(make_settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("q")
    assert app.return_code == 0


async def test_cancel_asks_and_cancels(real: Settings, postgres16: PostgresServer) -> None:
    app = PgconsoleApp(real)
    # A lock that pg_dump has to wait for keeps the job running as long as the test needs it.
    with postgres16.connect(real.pgdatabase) as connection, connection.transaction():
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("c")  # nothing runs: nothing to ask
            assert not isinstance(app.screen, ConfirmScreen)
            jobs.start(real, "backup", {}, "test")
            await until_shown(pilot, "Backup running")
            await pilot.press("c")
            await until_shown(pilot, "Cancel the running backup?")
            await pilot.press("y", "enter")
            await until_shown(pilot, "nothing happens")
            assert jobs.list_jobs(real)[0].status is jobs.JobStatus.RUNNING
            await pilot.press("e", "s", "enter")
            await until_shown(pilot, "Backup was cancelled", timeout=60)
            await pilot.press("z")
            await until(pilot, lambda: "Backup was cancelled" not in shown(app.screen))
    assert jobs.list_jobs(real)[0].status is jobs.JobStatus.CANCELLED
    assert not list(real.backup_dir.rglob("*.sql.gz*"))


async def test_failed_backup_says_why(
    make_settings: MakeSettings, postgres16: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, "no_such_database")
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "y", "e", "s", "enter")
        await until_shown(pilot, "last attempt failed", timeout=60)
        await until_shown(pilot, "there is no good backup")
        await until_shown(pilot, "no_such_database")


def old_files(backup_dir: Path, count: int, *, database: str = "postgres") -> None:
    """Files as the shell scripts left them: no manifest."""
    (backup_dir / "daily").mkdir(exist_ok=True)
    for number in range(count):
        when = datetime.fromtimestamp(1_700_000_000 + number * 3600, UTC)
        path = backup_dir / "daily" / f"{database}_daily_{when:%Y%m%d_%H%M%S}.sql.gz"
        path.write_bytes(b"x" * 20)


async def test_files_of_the_old_scripts_are_listed_never_good(make_settings: MakeSettings) -> None:
    settings = make_settings()
    old_files(settings.backup_dir, 3)
    (settings.backup_dir / "daily" / "notes[1].txt").write_text("mine")
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "? Unknown: the backup of")
        await until_shown(pilot, "was never verified; no good one exists")
        await until_shown(pilot, "· listed")
        assert "✓" not in shown(app.screen)
        await until_shown(pilot, "1 foreign")


async def test_cursor_stays_on_its_backup(make_settings: MakeSettings) -> None:
    settings = make_settings()
    old_files(settings.backup_dir, 30)
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[1 Local · 30]")
        await pilot.press("j", "j", "j")
        table = app.screen.query_one("#local-table")
        before = table.selected  # type: ignore[attr-defined]
        newer = settings.backup_dir / "daily" / "postgres_daily_20260101_000000.sql.gz"
        newer.write_bytes(b"x")
        await pilot.press("ctrl+r")
        await until_shown(pilot, "[1 Local · 31]")
        assert table.selected == before  # type: ignore[attr-defined]
        assert table.cursor == 4  # type: ignore[attr-defined]


async def test_unreadable_directory_is_said_and_recovers(make_settings: MakeSettings) -> None:
    settings = make_settings()
    away = settings.backup_dir.with_name("away")
    settings.backup_dir.rename(away)
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "? Unknown: Backup directory")
        await until_shown(pilot, "Cause:")
        away.rename(settings.backup_dir)
        await pilot.press("ctrl+r")
        await until_shown(pilot, "no backup yet")


async def test_another_console_shows_an_interrupted_job(
    real: Settings, postgres16: PostgresServer
) -> None:
    with postgres16.connect(real.pgdatabase) as connection, connection.transaction():
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        job_id = jobs.start(real, "backup", {}, "test")
        job = wait_until(
            lambda: (j := jobs.read_job(real, job_id)).status is jobs.JobStatus.RUNNING and j
        )
        assert job.pid is not None
        os.kill(job.pid, signal.SIGKILL)
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Backup was interrupted (it began")
        await until_shown(pilot, "last attempt was interrupted")
