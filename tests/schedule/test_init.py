"""Process 1 of a container: buries orphans, hands on signals, ends as its child ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from tests.support import wait_until

# Orphans go to the nearest ancestor that asked for them, as they go to process 1 of a container.
SCRIPT = """
import ctypes, os, signal, subprocess, sys, time
from pgconsole.schedule.init import run_under_init

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

def main():
    {main}

assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
sys.exit(run_under_init(main))
"""

ORPHANS = """
    for _ in range(20):
        reads, writes = os.pipe()
        shell = subprocess.run(
            ["sh", "-c", f"cat <&{reads} >&2 & echo $!"], pass_fds=[reads], stdout=subprocess.PIPE
        )
        os.close(reads)
        orphan = int(shell.stdout)
        assert open(f"/proc/{orphan}/stat").read().rsplit(")")[1].split()[1] == str(os.getppid())
        os.close(writes)
        while os.path.exists(f"/proc/{orphan}"):  # a zombie has a directory
            time.sleep(0.01)
        assert subprocess.run(["sh", "-c", "exit 5"]).returncode == 5
    return 7
"""

SIGNALS = """
    def stop(number, frame):
        stops.append(number)
        print("got", number, flush=True)
    stops = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print("ready", flush=True)
    while len(stops) < 2:
        time.sleep(0.01)
    return 9
"""


def start(main: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("{main}", main)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_orphans_are_buried_and_own_children_keep_their_exit_status():
    process = start(ORPHANS)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (7, "")


def test_signals_are_handed_on_once_each():
    process = start(SIGNALS)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
    assert process.stdout.readline() == f"got {int(signal.SIGINT)}\n"
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (9, f"got {int(signal.SIGTERM)}\n", "")


@pytest.mark.parametrize("how", ["return 3", "sys.exit(3)", "os._exit(3)"])
def test_it_ends_as_its_child_ends(how):
    process = start(how)
    process.communicate(timeout=30)
    assert process.returncode == 3


def test_a_child_that_was_killed():
    process = start("os.kill(os.getpid(), signal.SIGKILL)")
    wait_until(lambda: process.poll() is not None)
    process.communicate()
    assert process.returncode == 128 + signal.SIGKILL
