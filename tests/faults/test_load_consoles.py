"""Fifty consoles on one backup directory: they agree, damage nothing, and let the host live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.cli.program import PROGRAM, environment
from tests.conftest import MakeSettings
from tests.e2e.terminal import Terminal, is_alive, open_terminal
from tests.faults import hostile
from tests.faults.gauges import MIB, Gauge, gauge, processor_seconds
from tests.faults.recorder import Fault, Faults, Group
from tests.support import wait_until
from tests.tui.test_console import old_files

from pgconsole.backups.pins import read_pins
from pgconsole.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

CONSOLES = Fault(
    Group.LOAD,
    "50 consoles (5 in the short form) on one directory: files come and go, every console pins "
    "another backup at the same moment",
    "all show the same, no pin is lost, nothing else changes; each takes less than 120 MB and a "
    "tenth of a core while nothing happens, and no more descriptors or threads at the end",
)
_PATIENCE = 300.0  # seconds, for all of them on a busy machine
_SIZE = (160, 160)  # all rows are in view


@pytest.fixture
def terminals(
    make_settings: MakeSettings, faults: Faults
) -> Iterator[tuple[Settings, list[Terminal]]]:
    """A directory, and the consoles that are open on it."""
    count = faults.times(3, 50)
    made = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    old_files(made.backup_dir, count + 2, database="app")
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            opened.append(open_terminal([PROGRAM], environment(made), *_SIZE))
            stack.callback(opened[-1].close)
        yield made, opened


def all_show(terminals: list[Terminal], text: str, times: int = 1) -> float:
    """Wait until each of them shows it so often; how long that took."""
    began = time.monotonic()
    for one in terminals:
        wait_until(lambda one=one: one.screen().count(text) == times or None, _PATIENCE)
    return time.monotonic() - began


def gauges(terminals: list[Terminal]) -> list[Gauge]:
    """What each console takes now."""
    found = [gauge(one.pid()) for one in terminals]
    assert all(found)
    return [one for one in found if one is not None]


@pytest.mark.timeout(1800)
def test_fifty_consoles(terminals: tuple[Settings, list[Terminal]], faults: Faults) -> None:
    settings, consoles = terminals
    count = len(consoles)
    with faults.trial(CONSOLES) as trial:
        all_show(consoles, f"Local backups · {count + 2}")
        files = sorted(settings.backup_dir.glob("daily/*.gz"))
        before = hostile.contents(settings.backup_dir, but=[".pgconsole"])
        files[0].unlink()
        agreed = all_show(consoles, f"Local backups · {count + 1}")
        files[0].write_bytes(b"x" * 20)
        agreed = max(agreed, all_show(consoles, f"Local backups · {count + 2}"))
        first = gauges(consoles)

        used = [processor_seconds(one.pid()) for one in consoles]
        idle = float(faults.times(4, 20))
        time.sleep(idle)  # the time itself is what is measured
        used = [processor_seconds(one.pid()) - had for one, had in zip(consoles, used, strict=True)]
        assert sum(used) / count < idle / 10, used

        for number, one in enumerate(consoles):
            one.send("1", *"j" * number, "p")
        for one in consoles:
            one.wait_for("Pin this backup?", _PATIENCE)
            one.send("why")
        for one in consoles:
            one.send("Enter")
        wait_until(lambda: len(read_pins(settings)) == count, _PATIENCE)
        for one in consoles:
            one.send("g")  # all with the same row under the cursor
        shown_alike(consoles)

        last = gauges(consoles)
        assert max(one.memory for one in last) < 120 * MIB
        for then, now in zip(first, last, strict=True):
            assert now.descriptors <= then.descriptors
            assert now.threads <= then.threads
            assert now.children == then.children
        assert hostile.contents(settings.backup_dir, but=[".pgconsole"]) == before
        pids = [one.pid() for one in consoles]
        for one in consoles:
            one.send("q")
        wait_until(lambda: not any(map(is_alive, pids)), _PATIENCE)
        trial.happened(
            f"{count} consoles: a file seen by all {agreed:.1f} s later, the same pins in each; "
            f"{sum(used) / count / idle:.1%} of a core and "
            f"{sum(one.memory for one in last) / count / MIB:.0f} MB each; all ended",
        )


def shown_alike(consoles: list[Terminal]) -> None:
    """Wait until all show a pin for each console, and the same ones."""

    def pins(one: Terminal) -> list[str]:
        return [line.split("│")[0] for line in one.screen().splitlines() if "★" in line]

    for one in consoles:
        wait_until(lambda one=one: len(pins(one)) >= len(consoles), _PATIENCE)
    wait_until(lambda: all(pins(one) == pins(consoles[0]) for one in consoles), _PATIENCE)
