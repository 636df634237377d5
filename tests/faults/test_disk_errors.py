"""The n-th step on the disk fails, once or from then on: whatever the step is, nothing is lost."""

from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import works
from tests.faults.conftest import blocks
from tests.faults.invariants import after_fault
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import RunningCommand, RunningJob
from tests.faults.site import Site
from tests.faults.supervisor import DISK, Plan, unavailable
from tests.faults.works import Work

pytestmark = pytest.mark.slow  # see `make test-slow`

PROMISE = (
    "an error that says so, or the work is whole; what was not flushed is never called done; "
    "nothing half-made under a final name; the next run works and leaves nothing behind"
)
CREATES = ("open", "openat", "mkdir", "mkdirat", "link", "linkat", "rename", "renameat",
           "renameat2")  # fmt: skip
WRITES = ("write", "pwrite64", "writev", "ftruncate")
FLUSHES = ("fsync", "fdatasync")
REMOVES = ("unlink", "unlinkat")
# Which steps a disk in this state refuses.
ERRORS = {
    errno.ENOSPC: (*CREATES, *WRITES, *FLUSHES),
    errno.EDQUOT: (*CREATES, *WRITES, *FLUSHES),
    errno.EIO: DISK,
    errno.EROFS: (*CREATES, *REMOVES),
    errno.EACCES: (*CREATES, *REMOVES),
}
WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EIO: "the disk has a fault (EIO)",
    errno.EROFS: "the disk has become read-only",
    errno.EACCES: "the permission is gone",
}


class Errors(NamedTuple):
    """Which work meets errors, and how often in the short form and in the long one."""

    work: str
    short: int
    long: int


HIT = [
    Errors("Backup", 2, 90),
    Errors("Restore", 1, 50),
    Errors("RestoreFromS3", 0, 20),
    Errors("Upload", 0, 20),
    Errors("Verify", 0, 20),
    Errors("Prune", 1, 30),
    Errors("Pin", 1, 20),
    Errors("WalPush", 1, 30),
]
_FORM = Faults.from_environment()
PORTIONS = [
    pytest.param(hit.work, number, size, id=f"{hit.work}-{number}")
    for hit in HIT
    for number, size in enumerate(blocks(_FORM.times(hit.short, hit.long)))
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "number", "size"), PORTIONS)
def test_a_step_fails(
    name: str, number: int, size: int, site: Site, faults: Faults, tmp_path: Path
):
    work: Work = getattr(works, name)(site, faults.random("errors", name, number), tmp_path)
    steps: dict[int, int] = {}
    for trial_number in range(size):
        code = work.chance.choice(list(ERRORS))
        lasting = work.chance.random() < 0.5
        how = "from one step on" if lasting else "for one step"
        fault = Fault(Group.DISK, f"{work.title}: {WORDS[code]} {how}", PROMISE)
        if reason := unavailable():
            faults.untried(fault, reason)
        if code not in steps:
            steps[code] = _steps_of(work, code, tmp_path)
        with faults.trial(fault) as trial:
            work.prepare()
            plan = _plan(work, code, tmp_path / f"log{trial_number}")
            at = work.chance.randint(1, steps[code])
            running = work.start(
                Plan(plan.log, plan.below, plan.calls, at=at, error=code, lasting=lasting)
            )
            running.wait()
            job = running.job() if isinstance(running, RunningJob) else None
            after_fault(site, job, (running.pid,))
            failed = _failed_steps(Path(plan.log))
            outcome = work.judge(running)
            if _said_done(running):
                assert not (bad := [step for step in failed if _must_not_fail(step)]), (
                    f"it says that all is well, and this failed: {bad[0]}"
                )
            elif isinstance(running, RunningCommand):
                assert running.output().strip(), "it failed without a word"
            trial.happened(outcome if failed else f"did not come so far: {outcome}")
            work.again()
            work.clean(last=trial_number == size - 1)


def _plan(work: Work, code: int, log: Path) -> Plan:
    return Plan(str(log), below=str(work.site.settings.backup_dir), calls=ERRORS[code])


def _steps_of(work: Work, code: int, directory: Path) -> int:
    """How many steps an undisturbed run takes that could meet this error."""
    log = directory / f"undisturbed-{code}"
    work.prepare()
    work.start(_plan(work, code, log)).wait()
    work.again()
    return len(log.read_text().splitlines())


def _failed_steps(log: Path) -> list[str]:
    """The calls that were made to fail."""
    lines = log.read_text().splitlines()
    names = set(errno.errorcode.values())
    return [before for before, line in pairwise(lines) if line in names]


def _said_done(running: object) -> bool:
    if isinstance(running, RunningJob):
        return str(running.job().status) == "done"
    assert isinstance(running, RunningCommand)
    return running.process.returncode == 0


def _must_not_fail(step: str) -> bool:
    """Whether a step is about what has to be on the disk before anything may be called done."""
    call, _, path = step.partition(" ")
    kept = any(f"{os.sep}{part}{os.sep}" in path for part in ("daily", "safety", "wal"))
    return call in (*FLUSHES, *WRITES) and (kept or path.endswith("pins.json.new"))
