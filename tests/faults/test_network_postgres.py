"""Between us and PostgreSQL: a dump is whole or there is none, a target restored or as before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import works
from tests.faults.conftest import blocks
from tests.faults.invariants import after_fault
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import RunningJob
from tests.faults.site import Site
from tests.faults.works import Work
from tests.proxy import Proxy
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import JobStatus

pytestmark = pytest.mark.slow  # see `make test-slow`

PROMISE = (
    "it ends with the cause, or is whole; a target is as before or fully restored; nothing "
    "half-made; the next run works"
)
# PostgreSQL's protocol has no checksums: what TLS or TCP let through altered is taken as said.
# A length that is altered may promise more than ever comes: libpq waits for it.
UNSAFE = (
    "without TLS nobody can know of a flipped bit in a row: what was dumped is a whole dump of "
    "what came, or it ends with the cause, or it waits until it is cancelled; nothing half-made; "
    "the next run works"
)
_LONGEST = 300.0  # seconds
_STILL = 60.0  # seconds; undisturbed it takes 3
_KNOWN = 5_000_000  # bytes that pass, about


class Trouble(NamedTuple):
    """A fault of the network.

    Attributes:
        what: In the table.
        begin: Brings it about.
        promise: What holds.
        always_done: Whether the work has to succeed all the same.
    """

    what: str
    begin: Callable[[Proxy, random.Random], None]
    promise: str = PROMISE
    always_done: bool = False


def _some(chance: random.Random) -> dict[str, int]:
    """A number of bytes in one direction; small ones as often as large ones."""
    direction = chance.choice(["to_server", "to_client"])
    return {direction: int(10 ** chance.uniform(1, 6.7))}


TROUBLES = [
    Trouble("one connection is cut", lambda proxy, chance: proxy.cut_once(**_some(chance))),
    Trouble("all connections are cut", lambda proxy, chance: proxy.cut_after(**_some(chance))),
    Trouble(
        "each piece is late", lambda proxy, chance: proxy.slow_down(delay=chance.uniform(0, 0.02)),
        always_done=True,
    ),
    Trouble(
        "a thin line",
        lambda proxy, chance: proxy.slow_down(rate=chance.uniform(2e6, 2e7)), always_done=True,
    ),
    Trouble(
        "a bit is flipped", lambda proxy, chance: proxy.alter_once(**_some(chance)), UNSAFE
    ),
    Trouble(
        "a piece comes twice", lambda proxy, chance: proxy.repeat_once(**_some(chance)), UNSAFE
    ),
    Trouble("nothing comes any more, and it is cancelled", lambda proxy, _: proxy.hang()),
]  # fmt: skip
_FORM = Faults.from_environment()
PORTIONS = [
    pytest.param(name, number, size, id=f"{name}-{number}")
    for name, short, long in [("Backup", 2, 40), ("Restore", 1, 40)]
    for number, size in enumerate(blocks(_FORM.times(short, long)))
]


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """A proxy between the site and its PostgreSQL."""
    with Proxy(site.server.port) as found:
        yield found


def _ends(running: RunningJob) -> bool:
    """Whether it ends by itself."""
    try:
        return wait_until(running.ended, _STILL)
    except AssertionError:
        return False


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "number", "size"), PORTIONS)
def test_trouble(
    name: str, number: int, size: int, site: Site, proxy: Proxy, faults: Faults, tmp_path: Path
):
    chance = faults.random("postgres", name, number)
    site.settings = site.settings.model_copy(update={"pgport": proxy.port})
    work: Work = getattr(works, name)(site, chance, tmp_path)
    for trial_number in range(size):
        trouble = chance.choice(TROUBLES)
        fault = Fault(
            Group.NETWORK,
            f"{work.title}: between us and PostgreSQL {trouble.what}",
            trouble.promise,
        )
        with faults.trial(fault) as trial:
            work.prepare()
            running = work.start()
            assert isinstance(running, RunningJob)
            phase = chance.choice(["", "preflight", "dump", "safety", "restore"])
            running.until(
                lambda phase=phase, running=running: running.phase() == phase or not phase
            )
            trouble.begin(proxy, chance)
            if "cancelled" in trouble.what and not running.ended():
                wait_until(lambda running=running: running.job().pid)
                jobs.cancel(site.settings, running.id, "test")
            if trouble.promise is UNSAFE and not _ends(running):
                with suppress(PgconsoleError):  # it has just ended
                    jobs.cancel(site.settings, running.id, "test")
            wait_until(running.ended, _LONGEST)
            proxy.heal()
            job = running.job()
            after_fault(site, job, (running.pid,))
            if trouble.always_done:
                assert job.status is JobStatus.DONE, job
            if trouble.promise is PROMISE:
                trial.happened(work.judge(running))
            else:
                trial.happened(str(job.status).replace("_", " "))
            work.again()
            work.clean(last=trial_number == size - 1)
