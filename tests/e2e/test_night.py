"""A night by keys only: data comes back from S3 though terminals die, and old copies go."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.driving import Open, back_up
from tests.guide import guide_backup
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer
from pgconsole.jobs import JobStatus
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


def restores(settings: Settings) -> list[jobs.Job]:
    return jobs.list_jobs(settings, kind="restore")


def test_lost_rows_come_back_from_s3_though_the_terminal_dies(
    console: Open, settings: Settings, postgres16: PostgresServer
) -> None:
    first = console()
    back_up(first)
    first.wait_for("✓ complete", timeout=40)
    for path in settings.backup_dir.glob("[!.]*/*"):  # the disk is gone
        path.unlink()
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("DELETE FROM users")
    first.send("2")
    first.wait_for("[2 S3")
    first.wait_for("daily")
    first.send("r")
    first.wait_for("in S3")
    first.wait_for("+1,000")
    first.wait_for("2 Checks · ? 1 not known")  # nobody has verified that copy
    first.send("Enter", "yes", "Enter")
    [job] = wait_until(lambda: [job for job in restores(settings) if job.pid is not None])
    os.kill(first.pid(), signal.SIGKILL)
    first.wait_gone()
    second = console()
    second.wait_for("Restore done", timeout=60)
    assert jobs.read_job(settings, job.id).status is JobStatus.DONE
    second.send("2")
    second.wait_for("✓ restored")
    second.send("J")
    second.wait_for("✓ done")
    with postgres16.connect(settings.pgdatabase) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
    assert list((settings.backup_dir / "safety").glob("pre_restore_*.sql.gz"))


def test_filter_delete_look_inside_export_and_unpin(
    console: Open, settings: Settings, postgres16: PostgresServer, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    before = now - timedelta(days=3)
    for at in (before, now):
        guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, at)
    terminal = console(100, 30)
    terminal.wait_for("never verified")

    terminal.send("X")
    terminal.wait_for("None of these may be deleted")
    terminal.send("Escape")
    terminal.wait_for("never verified")
    terminal.send("v")
    terminal.wait_for("Type yes to verify")
    terminal.send("yes", "Enter")
    terminal.wait_for("✓ complete", timeout=40)

    terminal.send("/")
    terminal.wait_for("! inverts")
    terminal.send(f"{before:%Y%m%d}", "Enter")
    terminal.wait_for("1 of 2")
    terminal.send("X")
    terminal.wait_for("Type yes to delete")
    terminal.send("yes", "Enter")
    terminal.wait_for("Delete done", timeout=40)
    [kept] = (path.name for path in (settings.backup_dir / "daily").glob("*.sql.gz"))
    assert f"{now:%Y%m%d_%H%M%S}" in kept
    terminal.send("z", "Escape")
    terminal.wait_for("✓ complete")

    terminal.send("Enter")
    terminal.wait_for("public.users")
    terminal.send("/")
    terminal.wait_for("! inverts")
    terminal.send("users", "Enter")
    terminal.wait_for("1 of 2")
    terminal.send("Enter")
    terminal.wait_for("user 7")
    terminal.send("x")
    terminal.wait_for("Export public.users?")
    terminal.send("Enter")
    written = tmp_path / "users.csv"
    wait_until(lambda: written.exists() and written.read_text().count("\n") == 1001, 40)
    terminal.send("Escape")
    terminal.wait_for("1 of")
    terminal.send("Escape")
    wait_until(lambda: "1 of" not in terminal.screen())
    terminal.send("Escape")
    terminal.wait_for("STATE")

    terminal.send("p")
    terminal.wait_for("Pin this backup?")
    terminal.send("for the auditors", "Enter")
    terminal.wait_for("pinned by")
    terminal.send("p")
    terminal.wait_for("Type yes to")
    terminal.send("yes", "Enter")
    wait_until(lambda: "pinned by" not in terminal.screen())
    terminal.send("P")
    terminal.wait_for("Pause the schedule?")
    terminal.send("moving", "Enter", "1h", "Enter")
    terminal.wait_for("paused")
    terminal.send("P")
    terminal.wait_for("Type yes to")
    terminal.send("yes", "Enter")
    wait_until(lambda: "paused" not in terminal.screen())
