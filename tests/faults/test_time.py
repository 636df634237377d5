"""Clocks that jump and dates that are special: nothing is lost, nothing is done twice."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM, environment
from tests.faults import works
from tests.faults.clock import CLOCK, Clock, library
from tests.faults.conftest import MakeSite
from tests.faults.invariants import after_fault, after_next_run
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import RunningJob
from tests.faults.site import Site
from tests.schedule.year import YEARS, live_a_year

from pgconsole import jobs
from pgconsole.dumps.naming import SUFFIX
from pgconsole.jobs import JobStatus
from pgconsole.schedule.history import SlotOutcome

pytestmark = pytest.mark.slow  # see `make test-slow`

_FORM = Faults.from_environment()
NO_LIBRARY = "libfaketime's wheel has no library for this kind of machine"
DATES = {
    "a leap day": datetime(2028, 2, 29, 23, 59, 58, tzinfo=UTC),
    "the end of 32 bits (2038-01-19)": datetime(2038, 1, 19, 3, 14, 5, tzinfo=UTC),
    "after the end of 32 bits": datetime(2038, 8, 1, 2, 0, 0, tzinfo=UTC),
    "the start of summer time": datetime(2027, 3, 28, 0, 59, 58, tzinfo=UTC),
    "the end of summer time": datetime(2027, 10, 31, 0, 59, 58, tzinfo=UTC),
    "a clock that was never set (1970)": datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC),
}
_YEARS = [
    (year, zone, expression, matches)
    for year in (2028, 2038)
    for zone, _, expression, matches in YEARS[1 : 1 + _FORM.times(1, 3)]
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("year", "zone", "expression", "matches"), _YEARS)
def test_a_year_of_jumping_clocks(
    year: int, zone: str, expression: str, matches: Callable[[datetime], bool], faults: Faults,
    tmp_path: Path,
):  # fmt: skip
    """The scheduler's rules and its real book, with a clock that can be set."""
    days = "leap day" if year == 2028 else "the end of 32 bits"
    fault = Fault(
        Group.TIME,
        f"a year of schedulers ({zone}, {year}: summer time, {days}) with clocks set forward and "
        "back, downtime and kills",
        "every slot is accounted for once, with the reason where none was taken; no two at once",
    )
    for number in range(faults.times(1, 5)):
        with faults.trial(fault) as trial:
            book = tmp_path / str(number)
            chance = faults.random("year", year, zone, number)
            _, accounted, _ = live_a_year(zone, year, expression, matches, book, chance)
            assert any(slot.outcome is SlotOutcome.DONE for slot in accounted.values())
            trial.happened("a year: all slots accounted for")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(DATES)[: _FORM.times(3, 6)])
def test_all_that_is_done_with_a_backup(
    name: str, make_site: MakeSite, faults: Faults, tmp_path: Path
):
    fault = Fault(
        Group.TIME, f"backup, verify, restore, prune, list and status at {name}",
        "all is done and told as on any other day; the dump is whole, and restored from",
    )  # fmt: skip
    if library() is None:
        faults.untried(fault, NO_LIBRARY)
    site = make_site(S3_BACKUP_BUCKET="", BACKUP_TIMEZONE="Europe/Berlin")
    with faults.trial(fault) as trial:
        site.fill("alpha")
        clock = Clock(tmp_path / CLOCK, DATES[name])
        site.laid_on = {CLOCK: str(clock.path)}
        for _ in range(2):
            job = _done(site, "backup", {})
        assert job.result is not None
        path = site.settings.backup_dir / "daily" / str(job.result["name"])
        moment = datetime.strptime(path.name.split("_daily_")[1][:15], "%Y%m%d_%H%M%S")
        assert abs(moment.replace(tzinfo=UTC) - DATES[name]) < timedelta(minutes=10)
        _done(site, "verify", {"paths": [str(path)], "keys": []})
        _done(site, "prune", {})
        for arguments in (["list"], ["status"], ["jobs"], ["restore", path.name, "--yes"]):
            said = subprocess.run(
                [PROGRAM, *arguments], env=environment(site.settings) | clock.environment,
                cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                timeout=60,
            )  # fmt: skip
            assert "Traceback" not in said.stderr, said.stderr
            if arguments[0] != "status":  # whether all is well is not the question here
                assert said.returncode == 0, (arguments, said.stderr)
        assert site.state() == site.contents["alpha"]
        after_next_run(site)
        trial.happened("done; restored the same")


def _done(site: Site, kind: str, request: dict[str, object]) -> jobs.Job:
    running = RunningJob(site, kind, request, None)
    running.wait()
    job = running.job()
    assert job.status is JobStatus.DONE, job
    return job


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["Backup", "Restore", "Verify", "Prune"][: _FORM.times(2, 4)])
def test_the_clock_jumps_in_the_middle(name: str, site: Site, faults: Faults, tmp_path: Path):
    work: works.Work = getattr(works, name)(site, faults.random("jump", name), tmp_path)
    clock = Clock(tmp_path / CLOCK, datetime.now(UTC))
    for number in range(faults.times(1, 15)):
        jump = timedelta(seconds=work.chance.choice([-1, 1]) * 10 ** work.chance.uniform(0, 7.5))
        there = "back" if jump < timedelta() else "forward"
        fault = Fault(
            Group.TIME, f"{work.title}: the clock jumps {there} in the middle (a second to a year)",
            "done; only S3, which dates requests, may refuse them: then it says so; the next works",
        )  # fmt: skip
        if library() is None:
            faults.untried(fault, NO_LIBRARY)
        with faults.trial(fault) as trial:
            work.prepare()
            clock.set(datetime.now(UTC))
            site.laid_on = {CLOCK: str(clock.path)}
            running = work.start()
            time.sleep(work.chance.uniform(0.3, 1.2))  # the moment itself is what is drawn
            clock.set(datetime.now(UTC) + jump)
            running.wait()
            site.laid_on = {}
            assert isinstance(running, RunningJob)
            job = running.job()
            if job.status is not JobStatus.DONE:
                assert "clock" in job.cause, job
            after_fault(site, job, (running.pid,))
            trial.happened(work.judge(running))
            work.again()
            work.clean(last=number % 5 == 4)


@pytest.mark.timeout(300)
def test_jobs_of_the_same_second(site: Site, faults: Faults):
    fault = Fault(
        Group.TIME, "jobs that begin within the same second",
        "each has a name of its own, or is told who is faster; nothing is overwritten",
    )  # fmt: skip
    site.fill("alpha")
    for _ in range(faults.times(2, 15)):
        with faults.trial(fault) as trial:
            before = {path: path.read_bytes() for path in _dumps(site)}
            slot = site.slot()
            with ThreadPoolExecutor(4) as pool:
                ended = list(
                    pool.map(lambda _, slot=slot: site.run("backup", {"slot": slot}), range(3))
                )
            ended.append(site.run("backup", {"slot": slot}))
            done = [job for job in ended if job.status is JobStatus.DONE]
            busy = [job for job in ended if "is busy" in job.problem]
            assert done
            assert len(done) + len(busy) == len(ended), ended
            names = [str(job.result["name"]) for job in done if job.result]
            assert len(names) == len(set(names))
            for path, content in before.items():
                assert not path.exists() or path.read_bytes() == content
            after_fault(site, done[-1])
            trial.happened(f"{len(done)} done under names of their own, {len(busy)} told: busy")
            for _ in range(2):  # the slots that were passed over
                site.slot()
            site.backup()
            after_next_run(site)


def _dumps(site: Site) -> list[Path]:
    return list(site.settings.backup_dir.glob(f"*/*{SUFFIX}"))
