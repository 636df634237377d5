"""The scheduler is killed, alone or with all its container: every slot is accounted for."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.program import environment
from tests.faults.conftest import MakeSite, blocks
from tests.faults.invariants import after_fault, after_next_run
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import ROOT, kill
from tests.faults.site import Site
from tests.faults.supervisor import Plan, unavailable
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.jobs import JobStatus
from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.schedule.state import read_slots

PROMISE = (
    "the next scheduler says what became of each slot; none is taken twice; nothing half-made; "
    "locks free; no process left; its own backup works"
)
ALONE = Fault(Group.KILL, "the schedule: the scheduler is killed (-9)", PROMISE)
TOGETHER = Fault(
    Group.KILL,
    "the schedule: scheduler and backup are killed together (-9), as a container",
    PROMISE,
)
DAY = 86_400.0
BETWEEN = 600.0  # seconds on the clock between two lives: other slots have come
PORTIONS = list(enumerate(blocks(Faults.from_environment().times(1, 60), 6)))


class Life:
    """One life of the scheduler."""

    def __init__(self, site: Site, ahead: float, log: Path, plan: Plan | None = None) -> None:
        self.site = site
        self.began = time.monotonic()
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.scheduler",
                 plan.to_json() if plan else "", str(ahead)],
                env=environment(site.settings, PYTHONPATH=str(ROOT)), stdin=subprocess.DEVNULL,
                stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip

    def slots(self) -> list[Slot]:
        """All slots, the oldest first."""
        return read_slots(self.site.settings, 9999)[::-1]

    def settle(self) -> None:
        """Wait until it has said what became of every slot, its own backup included."""
        before = {slot.due for slot in self.slots()}

        def settled() -> bool:
            assert self.process.poll() is None, self._log.read_text()
            slots = self.slots()
            own = any(
                slot.due not in before
                and (slot.why == "at start-up" or slot.outcome is SlotOutcome.SKIPPED)
                for slot in slots
            )
            return own and all(slot.outcome is not SlotOutcome.STARTED for slot in slots)

        wait_until(settled, 240)

    def end(self) -> None:
        """Tell it to end."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(120) == 0, self._log.read_text()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("number", "size"), PORTIONS)
def test_killed(number: int, size: int, make_site: MakeSite, faults: Faults, tmp_path: Path):
    site = make_site(BACKUP_SCHEDULE="*/3 * * * *")
    site.fill("alpha")
    chance = faults.random("scheduler", number)
    ahead = -DAY  # never in the future, where names would be doubted
    steps_log = tmp_path / "steps"
    watched = not unavailable()
    first = Life(site, ahead, tmp_path / "log", Plan(str(steps_log)) if watched else None)
    first.settle()
    seconds = time.monotonic() - first.began
    first.end()
    steps = len(steps_log.read_text().splitlines()) if watched else 0
    for trial_number in range(size):
        together = chance.random() < 0.5
        with faults.trial(TOGETHER if together else ALONE) as trial:
            ahead += BETWEEN
            plan = None
            if watched and chance.random() < 0.6:
                at = chance.randint(1, steps)
                plan = Plan(str(tmp_path / f"plan{trial_number}"), at=at, kill=True)
            life = Life(site, ahead, tmp_path / "log", plan)
            if plan is None:
                time.sleep(chance.uniform(0, seconds))  # the moment itself is what is drawn
            else:
                wait_until(lambda life=life: life.process.poll() is not None or _quiet(life), 60)
            kill(life.process.pid)
            life.process.wait()
            if together:
                for job in jobs.list_jobs(site.settings):
                    if not job.status.ended and job.pid:
                        kill(job.pid)
            trial.hit(f"Schedule: {_stage(site)}")
            ahead += BETWEEN
            after = Life(site, ahead, tmp_path / "log")
            after.settle()
            after.end()
            everything_is_accounted_for(site)
            after_fault(site, sids=(life.process.pid,))
            last_killed = _outcomes(site)
            trial.happened(last_killed)
            site.backup()
            after_next_run(site)


def _quiet(life: Life) -> bool:
    """Whether it got through everything: the step at which it was to be killed did not come."""
    slots = life.slots()
    done = bool(slots) and all(slot.outcome is not SlotOutcome.STARTED for slot in slots)
    return done and time.monotonic() - life.began > 15


def _stage(site: Site) -> str:
    newest = jobs.list_jobs(site.settings, 1)
    if newest and not newest[0].status.ended:
        return "while its backup runs"
    return "between two backups"


def everything_is_accounted_for(site: Site) -> None:
    """Each slot has one end, and each job of the scheduler is a slot's."""
    slots = read_slots(site.settings, 9999)
    dues = [slot.due for slot in slots]
    assert len(dues) == len(set(dues))
    by_job = {slot.job: slot for slot in slots if slot.job}
    for job in jobs.list_jobs(site.settings):
        if job.actor != "scheduler":
            continue
        assert job.id in by_job, f"{job.id} belongs to no slot"
        done = by_job[job.id].outcome is SlotOutcome.DONE
        assert done == (job.status is JobStatus.DONE), (by_job[job.id], job)
    asked_for = [
        job.request["due"] for job in jobs.list_jobs(site.settings) if job.actor == "scheduler"
    ]
    assert len(asked_for) == len(set(map(str, asked_for))), "a slot was taken twice"


def _outcomes(site: Site) -> str:
    """How the backup of the killed life ended, and that of the next one, in words."""
    ends = [slot for slot in read_slots(site.settings, 9999) if slot.why or slot.job]
    latest = [slot.outcome for slot in ends if slot.outcome is not SlotOutcome.MISSED][:2]
    return f"the killed one's backup {latest[-1]}, the next one's {latest[0]}"
