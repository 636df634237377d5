"""The process ends, and the terminal is as it was, whatever happens to either."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.support import wait_until

PROGRAM = "from pgconsole.app import run_console; from pgconsole.settings import load_settings;"
PROGRAM += "run_console(load_settings())"


class Console:
    """The console as a process on a pty that is not its controlling terminal: no SIGHUP comes."""

    def __init__(self, backup_dir: Path, *, program: str = PROGRAM, **variables: str) -> None:
        self.master, slave = pty.openpty()
        environment = {
            "PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24",
            "BACKUP_DIR": str(backup_dir), **variables,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=backup_dir,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.output = b""

    def read_until(self, text: bytes, timeout: float = 20) -> None:
        os.set_blocking(self.master, False)
        wait_until(lambda: text in self._read(), timeout)

    def _read(self) -> bytes:
        with suppress(BlockingIOError, OSError):
            self.output += os.read(self.master, 65536)
        return self.output

    def ends_within(self, seconds: float) -> float:
        """How long it took to end; keeps reading, as a terminal does."""
        began = time.monotonic()
        wait_until(lambda: (self._read(), self.process.poll() is not None)[1], seconds)
        return time.monotonic() - began


@contextmanager
def console(backup_dir: Path, **variables: str) -> Iterator[Console]:
    opened = Console(backup_dir, **variables)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.kill()
        opened.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_restore_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    with console(tmp_path) as running:
        running.read_until(b"no backup yet")
        running.process.send_signal(number)
        running.ends_within(5)
        assert running.output.rindex(b"\x1b[?1049l") > running.output.rindex(b"\x1b[?1049h")
        assert running.output.rindex(b"\x1b[?1000l") > running.output.rindex(b"\x1b[?1000h")


def test_ends_when_its_terminal_is_gone(tmp_path: Path) -> None:
    with console(tmp_path) as running:
        running.read_until(b"no backup yet")
        os.close(running.master)
        began = time.monotonic()
        running.process.wait(timeout=10)
        assert time.monotonic() - began < 6


def test_sigterm_ends_it_even_if_nobody_reads_its_terminal(tmp_path: Path) -> None:
    with console(tmp_path) as running:
        running.read_until(b"no backup yet")
        # Nothing is read from here on: the terminal's buffer fills, and writes to it block.
        for _ in range(60):
            os.write(running.master, b"?\x1b" * 20)
            time.sleep(0.02)
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(timeout=10)


def test_quits_at_once_while_s3_never_answers(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        with console(
            tmp_path,
            S3_BACKUP_BUCKET="b",
            S3_ENDPOINT_URL=f"http://127.0.0.1:{silent.getsockname()[1]}",
            AWS_ACCESS_KEY_ID="k",
            AWS_SECRET_ACCESS_KEY="s",
        ) as running:
            running.read_until(b"S3 has not answered yet")
            silent.settimeout(20)
            held = silent.accept()[0]  # the request is under way
            os.write(running.master, b"q")
            assert running.ends_within(5) < 1.5
            held.close()
        assert running.process.returncode == 0
        assert b"Traceback" not in running.output


def test_nothing_slow_is_imported_before_the_first_paint() -> None:
    code = (
        "import sys, pgconsole.app; from pgconsole.app import PgconsoleApp;"
        "from pgconsole.settings import Settings; PgconsoleApp(Settings());"
        "print(*(m for m in ('boto3', 'botocore', 'psycopg', 'croniter', 'humanize', 'isal')"
        " if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
