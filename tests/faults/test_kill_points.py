"""Whatever is killed, and whenever: nothing half-made, nothing lost, and the next run works."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import works
from tests.faults.conftest import blocks
from tests.faults.invariants import after_fault
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import Running, RunningJob, kill
from tests.faults.site import Site
from tests.faults.supervisor import Plan, unavailable
from tests.faults.works import Work

PROMISE = (
    "nothing half-made under a final name, here and in S3; locks free; no process left; the list "
    "of jobs says how it ended; the next run works and leaves nothing behind"
)
RESTORE_PROMISE = f"the target is as before or fully restored; {PROMISE}"


class Kill(NamedTuple):
    """Who is killed during what, how often in the short form and in the long one."""

    work: str
    victim: str
    short: int
    long: int


KILLS = [
    Kill("Backup", "runner", 1, 110),
    Kill("Backup", "pg_dump", 1, 25),
    Kill("Backup", "postgres", 1, 20),
    Kill("Backup", "s3", 1, 25),
    Kill("Backup", "cancel", 0, 20),
    Kill("Restore", "runner", 1, 70),
    Kill("Restore", "psql", 1, 25),
    Kill("Restore", "pg_dump", 0, 10),
    Kill("Restore", "postgres", 0, 20),
    Kill("Restore", "cancel", 0, 15),
    Kill("RestoreFromS3", "runner", 1, 25),
    Kill("RestoreFromS3", "s3", 0, 10),
    Kill("Upload", "runner", 1, 40),
    Kill("Upload", "s3", 0, 15),
    Kill("Verify", "runner", 0, 20),
    Kill("Prune", "runner", 1, 40),
    Kill("Prune", "s3", 0, 10),
    Kill("Pin", "command", 1, 25),
    Kill("WalPush", "command", 1, 25),
    Kill("WalPushToS3", "command", 1, 20),
    Kill("WalPushToS3", "s3", 0, 10),
]
VICTIMS = {
    "runner": "the runner is killed (-9)",
    "command": "the command is killed (-9)",
    "pg_dump": "pg_dump is killed (-9)",
    "psql": "psql is killed (-9)",
    "postgres": "the PostgreSQL server, or one of its processes, is killed (-9)",
    "s3": "the S3 server is killed (-9)",
    "cancel": "it is cancelled (SIGTERM)",
}
_FORM = Faults.from_environment()
PORTIONS = [
    pytest.param(kill, number, size, id=f"{kill.work}-{kill.victim}-{number}")
    for kill in KILLS
    for number, size in enumerate(blocks(_FORM.times(kill.short, kill.long)))
]


class Known(NamedTuple):
    """What an undisturbed run of a work is like."""

    seconds: float
    steps: int
    phases: list[str]


def an_undisturbed_run(work: Work, directory: Path, *, counted: bool) -> Known:
    """Run it once; where its system calls can be watched, count those that change something."""
    log = directory / "undisturbed"
    work.prepare()
    running = work.start(Plan(str(log)) if counted else None)
    phases: list[str] = []

    def look() -> bool:
        if isinstance(running, RunningJob) and (phase := running.phase()) not in phases:
            phases.append(phase)
        return False

    running.until(look)
    seconds = time.monotonic() - running.began
    work.again()
    steps = len(log.read_text().splitlines()) if counted else 0
    return Known(seconds, steps, phases)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("kill", "number", "size"), PORTIONS)
def test_killed(kill: Kill, number: int, size: int, site: Site, faults: Faults, tmp_path: Path):
    chance = faults.random("kill", *kill, number)
    work: Work = getattr(works, kill.work)(site, chance, tmp_path)
    promise = RESTORE_PROMISE if isinstance(work, works.Restore) else PROMISE
    fault = Fault(Group.KILL, f"{work.title}: {VICTIMS[kill.victim]}", promise)
    watched = kill.victim in ("runner", "command") and not unavailable()
    known = an_undisturbed_run(work, tmp_path, counted=watched)
    for trial_number in range(size):
        with faults.trial(fault) as trial:
            strike = Strike(site, work, known, chance, tmp_path / f"log{trial_number}")
            work.prepare()
            running, hit = strike.runner() if watched else strike.at(VICTIM_OF[kill.victim])
            running.wait()
            site.heal()
            job = running.job() if isinstance(running, RunningJob) else None
            after_fault(site, job, (running.pid,) if running.pid else ())
            outcome = work.judge(running)
            if hit:
                stage = job.phase if job else running.phase()
                trial.hit(f"{kill.work}: {stage or 'begin'}")
            trial.happened(outcome if hit else f"it was over before: {outcome}")
            work.again()
            work.clean(last=trial_number == size - 1)


class Strike:
    """One kill.

    Args:
        site: Where.
        work: During what.
        known: What the work is like when it is left alone.
        chance: Seeded.
        log: For the plan.
    """

    def __init__(
        self, site: Site, work: Work, known: Known, chance: random.Random, log: Path
    ) -> None:
        self._site = site
        self._work = work
        self._known = known
        self._chance = chance
        self._log = log

    def runner(self) -> tuple[Running, bool]:
        """Kill the process itself: before a step, or at a moment."""
        if self._chance.random() < 0.3:
            return self.at(lambda _site, running, _chance: running.kill())
        step = self._chance.randint(1, self._known.steps)
        running = self._work.start(Plan(str(self._log), at=step, kill=True))
        running.wait()
        return running, "killed before it" in self._log.read_text()

    def at(self, victim: Victim) -> tuple[Running, bool]:
        """Kill somebody at a moment: a share of the time it takes, or just after a phase began."""
        running = self._work.start()
        if self._known.phases and self._chance.random() < 0.5:
            phase = self._chance.choice(self._known.phases)
            running.until(lambda: running.phase() == phase)
            time.sleep(self._chance.uniform(0, 0.03))
        else:
            moment = running.began + self._chance.uniform(0, self._known.seconds)
            running.until(lambda: time.monotonic() > moment)
        return running, victim(self._site, running, self._chance)


Victim = Callable[[Site, Running, random.Random], bool]


def _tool(name: str) -> Victim:
    def strike(_site: Site, running: Running, chance: random.Random) -> bool:
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid] if (pid := running.child(name)) else []
            return bool(found)

        running.until(look)
        time.sleep(chance.uniform(0, 0.25))
        return bool(found) and kill(found[0])

    return strike


def _postgres(site: Site, _running: Running, chance: random.Random) -> bool:
    if chance.random() < 0.5:
        site.server.kill()
        time.sleep(chance.uniform(0, 0.5))
        site.heal()
        return True
    # A process of a client: the server ends all others and recovers from its log.
    with site.server.connect() as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [site.database],
        ).fetchall()
    return bool(rows) and kill(chance.choice(rows)[0])


def _s3(site: Site, _running: Running, chance: random.Random) -> bool:
    assert site.s3.process is not None
    site.s3.process.kill()
    site.s3.process.wait()
    time.sleep(chance.uniform(0, 0.5))
    site.heal()
    return True


def _cancel(_site: Site, running: Running, _chance: random.Random) -> bool:
    if running.ended():
        return False
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    return True


VICTIM_OF: dict[str, Victim] = {
    "runner": lambda _site, running, _chance: running.kill(),
    "command": lambda _site, running, _chance: running.kill(),
    "pg_dump": _tool("pg_dump"),
    "psql": _tool("psql"),
    "postgres": _postgres,
    "s3": _s3,
    "cancel": _cancel,
}
