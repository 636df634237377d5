"""The console in a real terminal, by keys only, against real PostgreSQL and real S3."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

import pytest
from tests.conftest import create_database, drop_database
from tests.e2e.driving import Open, back_up, only_job
from tests.e2e.terminal import is_alive
from tests.guide import guide_backup
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer
from pgconsole.jobs import JobStatus
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


def test_the_whole_way(console: Open, settings: Settings, postgres16: PostgresServer):
    """Press b, type yes, watch, lose the terminal, come back, find it done in both panes."""
    first = console()
    first.wait_for("no backup yet")
    with blocked_dump(postgres16, settings.pgdatabase):
        back_up(first)
        first.wait_for("Backup running")
        wait_for_dump(postgres16, settings.pgdatabase)
        pid = first.pid()
        first.close()
        wait_until(lambda: not is_alive(pid))
        assert only_job(settings).status is JobStatus.RUNNING
        second = console()
        second.wait_for("Backup running")
    second.wait_for("local + S3", timeout=40)
    second.wait_for("complete")
    second.send("2")
    second.wait_for("daily")
    second.send("4")
    second.wait_for("backup done")
    assert only_job(settings).status is JobStatus.DONE


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGHUP, marks=pytest.mark.slow), signal.SIGKILL]
)
def test_a_killed_console_never_touches_the_job(
    console: Open, settings: Settings, postgres16: PostgresServer, number: signal.Signals
):
    onlooker = console()
    starter = console()
    with blocked_dump(postgres16, settings.pgdatabase):
        back_up(starter)
        wait_for_dump(postgres16, settings.pgdatabase)
        onlooker.wait_for("Backup running")
        os.kill(starter.pid(), number)
        starter.wait_gone()
        if number != signal.SIGKILL:
            assert starter.is_restored()
        assert only_job(settings).status is JobStatus.RUNNING
    onlooker.wait_for("local + S3", timeout=40)
    assert only_job(settings).status is JobStatus.DONE
    newcomer = console()
    newcomer.wait_for("local + S3", timeout=40)


@pytest.mark.parametrize("typed", ["", "Yes"])
def test_nothing_but_yes_starts_a_backup(console: Open, settings: Settings, typed: str):
    terminal = console()
    terminal.send("b")
    terminal.wait_for("Type yes")
    terminal.send(*([typed] if typed else []), "Enter")
    terminal.wait_for("Type yes")
    terminal.send("Escape")
    wait_until(lambda: "Type yes" not in terminal.screen())
    assert jobs.list_jobs(settings) == []


def test_cancel_asks_and_then_leaves_nothing(
    console: Open, settings: Settings, postgres16: PostgresServer
):
    terminal = console()
    with blocked_dump(postgres16, settings.pgdatabase):
        back_up(terminal)
        wait_for_dump(postgres16, settings.pgdatabase)
        terminal.wait_for("Backup running")
        terminal.send("c")
        terminal.wait_for("Type yes")
        terminal.send("yes", "Enter")
        terminal.wait_for("cancelled")
        wait_until(lambda: only_job(settings).status is JobStatus.CANCELLED)
    assert not list(settings.backup_dir.glob("[!.]*/*"))


def test_quit_at_any_time_restores_the_terminal(
    console: Open, settings: Settings, postgres16: PostgresServer
):
    terminal = console()
    with blocked_dump(postgres16, settings.pgdatabase):
        back_up(terminal)
        wait_for_dump(postgres16, settings.pgdatabase)
        terminal.send("q")
        terminal.wait_gone(timeout=3)
        assert terminal.is_restored()
        assert only_job(settings).status is JobStatus.RUNNING
    assert jobs.wait(settings, only_job(settings).id).status is JobStatus.DONE


def test_an_interrupted_job_is_said_with_its_cause(
    console: Open, settings: Settings, postgres16: PostgresServer
):
    with blocked_dump(postgres16, settings.pgdatabase):
        jobs.start(settings, "backup", {}, "alice")
        wait_for_dump(postgres16, settings.pgdatabase)
        pid = only_job(settings).pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        jobs.wait(settings, only_job(settings).id)
    terminal = console()
    terminal.wait_for("interrupted")
    back_up(terminal)
    terminal.wait_for("local + S3", timeout=40)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "key"),
    ],
)
def test_s3_in_trouble_greys_one_pane_only(console: Open, variables: dict[str, str], reason: str):
    terminal = console(160, 45, **variables)
    back_up(terminal)
    terminal.wait_for("partly failed", timeout=60)
    terminal.wait_for(reason, timeout=60)
    terminal.wait_for("S3 not reachable")
    terminal.wait_for("complete")
    terminal.send("?")
    terminal.wait_for("Back up now")
    terminal.send("Escape")
    wait_until(lambda: "Back up now" not in terminal.screen())
    terminal.send("q")
    terminal.wait_gone(timeout=3)


def test_verify_restore_pin_pause_and_doctor_by_keys(
    console: Open, settings: Settings, postgres16: PostgresServer
):
    """A backup of the old scripts: proven, pinned, lost data brought back from it, by keys only."""
    guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, datetime.now(UTC))
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("DELETE FROM users")
    terminal = console()
    terminal.wait_for("never verified")
    terminal.send("v")
    terminal.wait_for("Type yes to verify")
    terminal.send("yes", "Enter")
    terminal.wait_for("✓ complete", timeout=40)
    terminal.send("p")
    terminal.wait_for("Pin this backup?")
    terminal.send("the last [good] one", "Enter")
    terminal.wait_for("pinned by")
    terminal.send("P")
    terminal.wait_for("Pause the schedule?")
    terminal.send("restoring", "Enter", "2h", "Enter")
    terminal.wait_for("Schedule · paused")
    terminal.send("r")
    terminal.wait_for("+1,000")
    terminal.wait_for("✓ passed")
    terminal.send("Enter")
    terminal.send("yes", "Enter")
    terminal.wait_for("✓ restored", timeout=60)
    terminal.send("o")
    terminal.wait_for("EXPECTED")
    with postgres16.connect(settings.pgdatabase) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
    terminal.send("Escape")
    wait_until(lambda: "EXPECTED" not in terminal.screen())
    terminal.send("D")
    terminal.wait_for("Doctor")
    wait_until(lambda: "ooking …" not in terminal.screen(), timeout=60)
    terminal.send("q")
    terminal.wait_gone(timeout=3)


def test_a_restore_into_another_database_by_keys(
    console: Open, settings: Settings, postgres16: PostgresServer
):
    """Open the plan, name another target, read what it says of that, type yes: it is restored."""
    copy = f"{settings.pgdatabase}_copy"
    create_database(postgres16, copy, "CREATE TABLE users (id int); INSERT INTO users VALUES (1)")
    try:
        terminal = console()
        back_up(terminal)
        terminal.wait_for("✓ complete", timeout=40)
        terminal.send("r")
        terminal.wait_for("✓ passed")
        terminal.send("yes")  # by habit: it lands in the target
        terminal.wait_for(f"{settings.pgdatabase}yes")
        terminal.wait_for("does not exist")
        terminal.send("BSpace", "BSpace", "BSpace")
        wait_until(lambda: f"replace {settings.pgdatabase}:" in terminal.screen())
        terminal.send("_copy")
        terminal.wait_for("+999")
        terminal.wait_for(f"Careful: it is a backup of '{settings.pgdatabase}'")
        terminal.wait_for("✓ passed")
        terminal.send("Enter", "yes", "Enter")
        terminal.wait_for("✓ restored", timeout=60)
        with postgres16.connect(copy) as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
        assert list((settings.backup_dir / "safety").glob("pre_restore_*.sql.gz"))
    finally:
        drop_database(postgres16, copy)


@pytest.mark.parametrize(
    ("size", "variables"),
    [((80, 24), {}), ((160, 45), {"NO_COLOR": "1"}), ((80, 24), {"TERM": "linux"})],
)
def test_the_essentials_are_on_every_screen(
    console: Open, size: tuple[int, int], variables: dict[str, str]
):
    terminal = console(*size, **variables)
    screen = terminal.wait_for("no backup yet")
    for essential in (
        "Backup",
        "Verify",
        "Restore",
        "Help",
        "Quit",
        "backups",
        "S3",
        "Schedule",
        "Log",
    ):
        assert essential in screen, essential
