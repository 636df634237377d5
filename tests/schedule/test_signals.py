"""A signal ends the waiting, whenever it comes."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pgconsole.schedule.signals import StopSignals

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_waiting_even_if_it_interrupts_nothing(number):
    """In a process of its own: what goes wrong here must not end the tests."""
    program = "import sys; from tests.schedule.test_signals import wait_for_signals as wait; "
    command = [sys.executable, "-c", f"{program}wait(int(sys.argv[1]))", str(int(number))]
    ended = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def wait_for_signals(number: int) -> None:
    """Here another thread gets it. Alone, it may come when all is checked and nothing waits yet."""
    with StopSignals() as signals:
        for times in range(1, 21):
            signal.pthread_sigmask(signal.SIG_BLOCK, {number})
            helper = threading.Thread(target=_get_signal, args=[number])
            helper.start()
            signals.wait(600)  # the test has less
            helper.join()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
            assert signals.count == times
        signals.wait(0.01)


def test_what_was_there_before_is_put_back():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with StopSignals():
        pass
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1


def _get_signal(number: int) -> None:
    time.sleep(0.005)  # mostly long enough for the other to begin its waiting
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    signal.pthread_kill(threading.get_ident(), number)
