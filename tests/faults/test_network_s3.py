"""Between us and S3 everything goes wrong that can: an object is whole, or is not there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import http_proxy, works
from tests.faults.conftest import blocks
from tests.faults.http_proxy import HttpProxy, Rule
from tests.faults.invariants import after_fault
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import RunningJob
from tests.faults.site import Site
from tests.faults.works import Work
from tests.support import wait_until

from pgconsole.errors import PgconsoleError

pytestmark = pytest.mark.slow  # see `make test-slow`

PROMISE = (
    "retried if that can help, else it ends with the cause; no damaged object; a local backup is "
    "kept; locks free; the next run works and leaves no open upload"
)
FOR_EVER = 10**6
_LONGEST = 300.0  # seconds that any work may go on trying


class Trouble(NamedTuple):
    """A fault of the network or of the store.

    Attributes:
        what: In the table.
        make: Builds it.
        times: How many requests in a row meet it, at most; several numbers: one is drawn.
        operations: Which requests can meet it; all if empty.
        passes: Whether it is retried away if it is met once.
    """

    what: str
    make: Callable[[random.Random], http_proxy.Fault]
    times: tuple[int, ...] = (1, 2, FOR_EVER)
    operations: tuple[str, ...] = ()
    passes: bool = False


_BODIES = ("UploadPart", "PutObject", "CompleteMultipartUpload")
_READS = ("GetObject", "ListObjects", "ListParts", "CreateMultipartUpload", "CopyObject")
TROUBLES = [
    Trouble("500 InternalError", lambda _: http_proxy.error(500, "InternalError"), passes=True),
    Trouble("503 SlowDown", lambda _: http_proxy.error(503, "SlowDown"), passes=True),
    Trouble(
        "credentials that expire in the middle", lambda _: http_proxy.error(400, "ExpiredToken"),
        times=(FOR_EVER,),
    ),
    Trouble("403 AccessDenied", lambda _: http_proxy.error(403, "AccessDenied")),
    Trouble(
        "RequestTimeTooSkewed", lambda _: http_proxy.error(403, "RequestTimeTooSkewed"),
        times=(1, FOR_EVER),
    ),
    Trouble(
        "a redirect to another region",
        lambda _: http_proxy.error(301, "PermanentRedirect", x_amz_bucket_region="eu-west-9"),
        times=(1, FOR_EVER),
    ),
    Trouble(
        "a temporary redirect",
        lambda _: http_proxy.error(307, "TemporaryRedirect", Location="http://127.0.0.1:9/x"),
        times=(1, FOR_EVER),
    ),
    Trouble("404 NoSuchBucket", lambda _: http_proxy.error(404, "NoSuchBucket")),
    Trouble("connections cut before the request", lambda _: http_proxy.cut_before, passes=True),
    Trouble("connections cut before the answer", lambda _: http_proxy.cut_after),
    Trouble("answers that break off", lambda _: http_proxy.cut_within, operations=_READS),
    Trouble("requests that arrive twice", lambda _: http_proxy.twice),
    Trouble(
        "slow answers", lambda chance: http_proxy.slow(chance.uniform(0.2, 1.5)), passes=True,
        times=(1, 2, 4),
    ),
    Trouble(
        "an answer with a bit flipped",
        lambda chance: http_proxy.altered_answer(chance.random()), operations=_READS,
    ),
    Trouble(
        "a request with a bit flipped",
        lambda chance: http_proxy.altered_request(chance.random()), operations=_BODIES,
    ),
]  # fmt: skip
_FORM = Faults.from_environment()
PORTIONS = [
    pytest.param(name, number, size, id=f"{name}-{number}")
    for name, short, long in [
        ("Backup", 2, 90), ("Upload", 1, 40), ("RestoreFromS3", 1, 30), ("Verify", 0, 20),
        ("Prune", 0, 30), ("WalPushToS3", 1, 30),
    ]
    for number, size in enumerate(blocks(_FORM.times(short, long)))
]  # fmt: skip


@pytest.fixture
def proxy(site: Site) -> Iterator[HttpProxy]:
    """A proxy between the site and its S3 server."""
    with HttpProxy(site.s3.port) as found:
        site.settings = site.settings.model_copy(update={"s3_endpoint_url": found.endpoint})
        yield found


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "number", "size"), PORTIONS)
def test_trouble(
    name: str, number: int, size: int, site: Site, proxy: HttpProxy, faults: Faults, tmp_path: Path
):
    chance = faults.random("network", name, number)
    work: Work = getattr(works, name)(site, chance, tmp_path)
    asked = _operations_of(work, proxy)
    for trial_number in range(size):
        trouble = chance.choice([one for one in TROUBLES if _meets(one, asked)])
        with faults.trial(Fault(Group.NETWORK, f"{work.title}: {trouble.what}", PROMISE)) as trial:
            operation = chance.choice([one for one in asked if _meets(trouble, [one])])
            times = chance.choice(trouble.times)
            first = chance.randint(1, asked.count(operation))
            rule = Rule(operation, trouble.make(chance), first, times)
            work.prepare()
            proxy.rules = [rule]
            began = time.monotonic()
            running = None
            try:
                running = work.start()
                wait_until(running.ended, _LONGEST)
            except PgconsoleError as error:  # a copy that can't be looked at is not restored
                refused = "refused at the start, with the cause" if error.cause else ""
            proxy.rules = []
            trial.hit(f"{name}: {operation}")
            assert running or refused, "refused without a cause"
            job = running.job() if isinstance(running, RunningJob) else None
            after_fault(site, job, (running.pid,) if running else ())
            outcome = work.judge(running) if running else refused
            if trouble.passes and rule.met == 1 and times == 1:
                assert outcome.startswith(("done", "archived")), (operation, job, outcome)
            how = "never" if not rule.met else "once" if times == 1 else "again and again"
            trial.happened(f"met {how}: {outcome}")
            assert time.monotonic() - began < _LONGEST
            work.again()
            work.clean(last=trial_number == size - 1)


def _operations_of(work: Work, proxy: HttpProxy) -> list[str]:
    """What an undisturbed run asks for."""
    work.prepare()
    proxy.operations.clear()
    work.start().wait()
    asked = list(proxy.operations)
    work.again()
    return asked


def _meets(trouble: Trouble, asked: list[str]) -> bool:
    return not trouble.operations or any(one in trouble.operations for one in asked)
