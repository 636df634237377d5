"""A client tool as a child process: its streams, its words, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO

from pgconsole.backups.interruption import uninterrupted
from pgconsole.errors import ToolError
from pgconsole.process import die_with_parent

_GRACE = 5.0  # seconds between SIGTERM and SIGKILL
_KEPT_LINES = 200  # of stderr, between two looks at it
_LINE_LIMIT = 4096  # characters of a stderr line that are kept
_CAUSE_LINES = 5  # of stderr, in the error message


class ToolProcess:
    """One run of a tool. `start` it from the main thread, and `stop` it whatever happens.

    Args:
        name: What it is called in errors, e.g. `pg_dump`.
        argv: The command; no secrets.
        environment: Its whole environment.
        fix: What to do if it fails with a message of its own.
        kept: How many lines of its last words are kept.
    """

    def __init__(
        self,
        name: str,
        argv: list[str],
        environment: dict[str, str],
        fix: str,
        kept: int = _CAUSE_LINES,
    ) -> None:
        self._name = name
        self._argv = argv
        self._environment = environment
        self._fix = fix
        self._process: subprocess.Popen[bytes] | None = None
        self._readers: list[tuple[IO[bytes], threading.Thread]] = []
        self._new: deque[str] = deque(maxlen=_KEPT_LINES)
        self._last: deque[str] = deque(maxlen=kept)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The child; only after `start`."""
        assert self._process is not None
        return self._process

    def spawn(self, stdin: int) -> None:
        """Start it.

        Args:
            stdin: `subprocess.PIPE` or `subprocess.DEVNULL`.

        Raises:
            ToolError: It can't be started.
        """
        try:
            with uninterrupted():
                self._process = subprocess.Popen(
                    self._argv, stdin=stdin, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, env=self._environment, process_group=0,
                    preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - prctl only
                )  # fmt: skip
                assert self._process.stderr is not None
                self.read_along(self._process.stderr, self._read_stderr)
        except OSError as error:
            raise ToolError(
                f"{self._argv[0]} can't be started",
                cause=error.strerror or str(error),
                fix="reinstall PostgreSQL's client tools",
            ) from error

    def read_along(self, pipe: IO[bytes], read: Callable[[], None]) -> None:
        """Let a thread read one of the child's streams to its end."""
        reader = threading.Thread(target=read, name="reader", daemon=True)
        self._readers.append((pipe, reader))
        reader.start()

    def new_lines(self) -> list[str]:
        """What it wrote to stderr since the last call; of a flood, the end."""
        lines = []
        while self._new:
            lines.append(self._new.popleft())
        return lines

    @property
    def last_lines(self) -> list[str]:
        """Its last words; whole only when it has ended."""
        return list(self._last)

    def wait(self, timeout: float) -> bool:
        """Wait until it has ended by itself; False if it has not within `timeout` seconds."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        for _, reader in self._readers:
            # A grandchild may hold a stream open: don't wait for ever.
            reader.join(_GRACE)
        return True

    def failure(self) -> ToolError | None:
        """Why it failed, in its own last words; None if it ended with exit status 0."""
        status = self.process.returncode
        if status == 0:
            return None
        words = "; ".join(self._last) or "it gave no reason"
        if status is None:
            return ToolError(
                f"{self._name} did not end",
                cause=words,
                fix="read the server's log, then try again",
            )
        if status < 0:
            return ToolError(
                f"{self._name} was killed by {_signal_name(-status)}",
                cause=words,
                fix="find out who did it (`dmesg` shows the kernel's out-of-memory killer), "
                "then try again",
            )
        return ToolError(
            f"{self._name} failed with exit status {status}", cause=words, fix=self._fix
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
        being_read = [pipe for pipe, reader in self._readers if reader.is_alive()]
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and pipe not in being_read:  # closing that would block
                pipe.close()

    def _read_stderr(self) -> None:
        for line in iter(self._stderr_line, None):
            if line:
                self._new.append(line)
                self._last.append(line)

    def _stderr_line(self) -> str | None:
        assert self.process.stderr is not None
        line = self.process.stderr.readline(_LINE_LIMIT)
        return line.decode(errors="replace").rstrip() if line else None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended in between
        os.killpg(pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
