"""Jobs in real terminals, by keys only: what one console starts, the other one lists and ends."""

from __future__ import annotations

import pytest
from tests.e2e.driving import Open, back_up, only_job
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer
from pgconsole.jobs import JobStatus
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


def test_one_starts_the_other_ends_and_starts_anew(
    console: Open,
    settings: Settings,
    postgres16: PostgresServer,
):
    starter, onlooker = console(), console(100, 30, NO_COLOR="1")
    onlooker.send("J")
    onlooker.wait_for("No job has run yet")
    with blocked_dump(postgres16, settings.pgdatabase):
        back_up(starter)
        wait_for_dump(postgres16, settings.pgdatabase)
        onlooker.wait_for("● running")
        onlooker.send("Enter")
        onlooker.wait_for("● dump")
        onlooker.send("c")
        onlooker.wait_for("Type yes to cancel it")
        onlooker.send("yes", "Enter")
        onlooker.wait_for("Backup was cancelled", timeout=40)
        assert only_job(settings).status is JobStatus.CANCELLED
        starter.wait_for("cancelled")
    onlooker.send("R")
    onlooker.wait_for("Type yes to start the backup")
    onlooker.send("yes", "Enter")
    onlooker.wait_for("Backup done", timeout=60)
    starter.send("o")
    starter.wait_for("Backup done")
    starter.send("3")
    starter.wait_for("pg_dump")
    starter.send("q")
    starter.wait_gone()
    newest, _ = jobs.list_jobs(settings)
    assert newest.status is JobStatus.DONE
    onlooker.send("Escape", "Escape")
    wait_until(lambda: "! cancelled" in onlooker.screen())
    onlooker.send("!")
    wait_until(lambda: "✓ done" not in onlooker.screen())
    onlooker.send("q")
    onlooker.wait_gone()
