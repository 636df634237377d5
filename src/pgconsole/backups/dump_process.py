"""pg_dump as a child process: its output, its words, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from functools import partial

from pgconsole.backups.interruption import uninterrupted
from pgconsole.errors import ToolError
from pgconsole.process import die_with_parent

DUMP_OPTIONS = ("--no-owner", "--no-acl", "--clean", "--if-exists")
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL
_KEPT_LINES = 200  # of stderr, between two looks at it
_LINE_LIMIT = 4096  # characters of a stderr line that are kept
_CAUSE_LINES = 5  # of stderr, in the error message


class DumpProcess:
    """One run of pg_dump. `start` it from the main thread, and `stop` it whatever happens.

    Args:
        argv: The command; no secrets.
        environment: Its whole environment.
    """

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        self._argv = argv
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._new: deque[str] = deque(maxlen=_KEPT_LINES)
        self._last: deque[str] = deque(maxlen=_CAUSE_LINES)

    def start(self) -> int:
        """Start it, and return the descriptor to read the dump from.

        Raises:
            ToolError: It can't be started.
        """
        try:
            with uninterrupted():
                self._process = subprocess.Popen(
                    self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, env=self._environment, process_group=0,
                    preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - prctl only
                )  # fmt: skip
                self._reader = threading.Thread(
                    target=self._read_stderr, name="stderr", daemon=True
                )
                self._reader.start()
        except OSError as error:
            raise ToolError(
                f"{self._argv[0]} can't be started",
                cause=error.strerror or str(error),
                fix="reinstall PostgreSQL's client tools",
            ) from error
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def new_lines(self) -> list[str]:
        """What it wrote to stderr since the last call; of a flood, the end."""
        lines = []
        while self._new:
            lines.append(self._new.popleft())
        return lines

    def wait(self, timeout: float) -> bool:
        """Wait until it has ended by itself; False if it has not within `timeout` seconds."""
        assert self._process is not None
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        if self._reader is not None:
            # A grandchild may hold stderr open: don't wait for ever.
            self._reader.join(_GRACE)
        return True

    def failure(self) -> ToolError | None:
        """Why it failed, in its own last words; None if it ended with exit status 0."""
        assert self._process is not None
        status = self._process.returncode
        if status == 0:
            return None
        words = "; ".join(self._last) or "it gave no reason"
        if status is None:
            return ToolError(
                "pg_dump did not end", cause=words, fix="read the server's log, then try again"
            )
        if status < 0:
            return ToolError(
                f"pg_dump was killed by {_signal_name(-status)}",
                cause=words,
                fix="find out who did it (`dmesg` shows the kernel's out-of-memory killer), "
                "then try again",
            )
        return ToolError(
            f"pg_dump failed with exit status {status}",
            cause=words,
            fix="remove the cause, then try again; nothing was published",
        )

    def stop(self) -> None:
        """End it, if it still runs, with all it started, and reap it. May be called twice."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            _signal_group(process.pid, signal.SIGTERM)
            if not self.wait(_GRACE):
                _signal_group(process.pid, signal.SIGKILL)
                process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            if pipe is process.stderr and self._reader is not None and self._reader.is_alive():
                continue  # closing what a thread reads would block
            pipe.close()

    def _read_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in iter(self._stderr_line, None):
            if line:
                self._new.append(line)
                self._last.append(line)

    def _stderr_line(self) -> str | None:
        assert self._process is not None
        assert self._process.stderr is not None
        line = self._process.stderr.readline(_LINE_LIMIT)
        return line.decode(errors="replace").rstrip() if line else None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended in between
        os.killpg(pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
