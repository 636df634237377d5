"""The console is killed: what it has started goes on; the next console says how it ended."""

from __future__ import annotations

import os
import signal
import time

import pytest
from tests.cli.program import PROGRAM, environment
from tests.e2e.terminal import Terminal, open_terminal
from tests.faults.conftest import blocks
from tests.faults.invariants import after_fault, after_next_run
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import RunningJob, kill
from tests.faults.site import Site

from pgconsole import jobs
from pgconsole.jobs import JobStatus

pytestmark = pytest.mark.e2e

CONSOLE = Fault(
    Group.KILL,
    "a backup by keys: the console is killed (-9)",
    "the backup is not begun, or goes on to its end; the next console shows it",
)
TOLD = Fault(
    Group.KILL,
    "a backup: the runner is killed (-9), and a console is opened",
    "the console says that it was interrupted, and the next backup by keys works",
)
_PATIENCE = 90.0  # seconds; it is a busy machine
PORTIONS = list(enumerate(blocks(Faults.from_environment().times(1, 25), 5)))


def _open(site: Site) -> Terminal:
    return open_terminal([PROGRAM], environment(site.settings), 100, 30)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("number", "size"), PORTIONS)
def test_a_killed_console(number: int, size: int, site: Site, faults: Faults):
    chance = faults.random("console", number)
    site.fill("alpha")
    for _ in range(size):
        with faults.trial(CONSOLE) as trial:
            before = {job.id for job in jobs.list_jobs(site.settings)}
            terminal = _open(site)
            try:
                terminal.wait_for("Local", _PATIENCE)
                terminal.send("b")
                terminal.wait_for("Type yes", _PATIENCE)
                terminal.send("yes", "Enter")
                time.sleep(chance.uniform(0, 1.5))  # the moment itself is what is drawn
                os.kill(terminal.pid(), signal.SIGKILL)
                terminal.wait_gone(_PATIENCE)
            finally:
                terminal.close()
            begun = [job for job in jobs.list_jobs(site.settings) if job.id not in before]
            for job in begun:
                ended = jobs.wait(site.settings, job.id)
                assert ended.status is JobStatus.DONE, ended
                after_fault(site, ended)
            after_fault(site)
            following = _open(site)
            try:
                following.wait_for("complete" if begun else "Local", _PATIENCE)
            finally:
                following.close()
            trial.hit("Console: a job begun" if begun else "Console: no job begun yet")
            trial.happened("the backup went on: done" if begun else "no backup was begun")
            site.backup()
            after_next_run(site)


@pytest.mark.timeout(300)
def test_the_console_tells_of_a_killed_runner(site: Site, faults: Faults):
    chance = faults.random("told")
    site.fill("alpha")
    for _ in range(faults.times(1, 8)):
        with faults.trial(TOLD) as trial:
            running = RunningJob(site, "backup", {"slot": site.slot()}, None)
            running.until(lambda running=running: running.phase() in ("preflight", "dump"))
            time.sleep(chance.uniform(0, 0.05))
            kill(running.pid)
            running.wait()
            terminal = _open(site)
            try:
                terminal.wait_for("interrupted", _PATIENCE)
                trial.happened("the console says: interrupted")
                terminal.send("b")
                terminal.wait_for("Type yes", _PATIENCE)
                terminal.send("yes", "Enter")
                terminal.wait_for("local + S3", _PATIENCE)
            finally:
                terminal.close()
            after_next_run(site)
