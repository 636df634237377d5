"""Signals wait for the end of a block that must not be split."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from pgconsole.backups.interruption import uninterrupted
from pgconsole.errors import Cancelled


@pytest.fixture
def cancelling() -> Iterator[None]:
    """SIGTERM raises Cancelled, as in a job's runner."""

    def handler(*_: object) -> None:
        raise Cancelled

    before = signal.signal(signal.SIGTERM, handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("cancelling")
def test_a_signal_waits_until_the_end() -> None:
    steps = []

    def block() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("whole")
        steps.append("after")

    with pytest.raises(Cancelled):
        block()
    assert steps == ["whole"]


@pytest.mark.usefixtures("cancelling")
def test_the_handler_is_the_old_one_afterwards() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyError), uninterrupted():
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) is handler


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with uninterrupted():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_may_use_it() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
