"""Twenty thousand local backups and a hundred thousand objects: quick, and in flat memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM, environment
from tests.conftest import MakeSettings
from tests.faults.gauges import MIB, run
from tests.faults.recorder import Fault, Faults, Group
from tests.tui.listing_server import listing_server
from tests.tui.test_console import old_files
from tests.tui.test_s3_states import s3_variables

from pgconsole.settings import Settings

pytestmark = pytest.mark.slow  # see `make test-slow`

LISTS = Fault(
    Group.LOAD,
    "20,000 local backups and 100,000 S3 objects: `list`, `list --s3`, `status`, `prune --dry-run`",
    "all of them listed, status within its 15 s; less than 300 MB each",
)
AGAIN = Fault(
    Group.LOAD,
    "the same, read again and again as a console and the scheduler do",
    "memory, descriptors and threads as after the second time",
)
MOST = 300 * MIB

# A process that reads for long. What it has is told after the second time, and at the end.
_READER = """
import json, os, sys, time
from datetime import UTC, datetime
from tests.faults.gauges import gauge
from pgconsole.backups.prune import make_plan
from pgconsole.screens.sources import sources_of
from pgconsole.settings import load_settings
from pgconsole.status.gather import gather
from pgconsole.status.status import judge
from pgconsole.storage.base import Place


now = lambda: datetime.now(UTC)
settings = load_settings()
times, told, found = int(sys.argv[1]), [], {}
for number in range(times):
    sources = sources_of(settings, now)  # a new console each time
    found["local"] = len(sources.local().backups)
    found["s3"] = len(sources.s3(lambda _: None).backups)
    plan = make_plan(settings, Place.LOCAL)
    found["plan"] = len(plan.keep) + len(plan.delete)
    judge(gather(settings, now()), now())
    give_up = time.monotonic() + 10
    while (taken := gauge(os.getpid())).threads > 1 and time.monotonic() < give_up:
        time.sleep(0.01)  # nobody waits for the threads of `gather`
    told.append(taken)
print(json.dumps({"found": found, "told": [
    [one.memory, one.descriptors, one.threads] for one in told]}))
"""


@pytest.fixture
def crowd(make_settings: MakeSettings, faults: Faults) -> Iterator[tuple[Settings, int, int]]:
    """Settings, local backups, objects."""
    local, objects = faults.times(2_000, 20_000), faults.times(4_000, 100_000)
    with listing_server(objects) as server:
        made = make_settings(
            None, "thinktank", PGHOST="127.0.0.1", PGPORT="1",
            **s3_variables(server.server_address[1]),
        )  # fmt: skip
        old_files(made.backup_dir, local, database="thinktank")
        yield made, local, objects


@pytest.mark.timeout(1200)
def test_commands(crowd: tuple[Settings, int, int], faults: Faults, tmp_path: Path) -> None:
    settings, local, objects = crowd
    out = tmp_path / "out"
    with faults.trial(LISTS) as trial:
        for argv, count in (
            (["list", "--json"], local),
            (["list", "--s3", "--json"], objects),
            (["prune", "--dry-run", "--json"], None),
            (["status"], None),
        ):
            ran = run([PROGRAM, *argv], environment(settings), out)
            assert ran.code in (0, 1, 2), argv
            assert ran.peak < MOST, (argv, ran.peak)
            if count is not None:
                assert len(json.loads(ran.out)) == count
            if argv == ["status"]:
                # 15 s are promised; the second of start-up is Python's.
                assert ran.seconds < 20
            elif argv[0] == "prune":
                assert ran.out.count(".sql.gz") >= local
            names = " ".join(argv)
            trial.happened(f"`{names}`: {ran.seconds:.0f} s, {ran.peak / MIB:.0f} MB")


@pytest.mark.timeout(2400)
def test_again_and_again(crowd: tuple[Settings, int, int], faults: Faults, tmp_path: Path) -> None:
    settings, local, objects = crowd
    times = faults.times(3, 6)
    root = str(Path(__file__).parents[2])
    with faults.trial(AGAIN) as trial:
        ran = run(
            [sys.executable, "-c", _READER, str(times)],
            environment(settings, PYTHONPATH=root),
            tmp_path / "out",
        )
        assert ran.code == 0
        said = json.loads(ran.out)
        assert (said["found"]["local"], said["found"]["s3"]) == (local, objects)
        assert said["found"]["plan"] >= local
        second, last = said["told"][1], said["told"][-1]
        assert last[0] < second[0] * 1.1 + 8 * MIB, said["told"]
        assert last[1:] == second[1:], said["told"]
        trial.happened(
            f"{second[0] / MIB:.0f} MB after the second time, {last[0] / MIB:.0f} MB after the "
            f"{times}th; {last[1]} descriptors, {last[2]} threads",
            times,
        )
