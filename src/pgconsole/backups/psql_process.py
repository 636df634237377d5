"""psql as a child process that is fed a script, and whose answers are read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import subprocess
import termios
import threading
from collections.abc import Callable

from pgconsole.backups.tool_process import ToolProcess

# `--file=-` and not just standard input: only so does psql say in which line an error is.
OPTIONS = (
    "--no-psqlrc", "--no-password", "--no-align", "--tuples-only", "--single-transaction",
    "--set=ON_ERROR_STOP=on", "--file=-",
)  # fmt: skip
_PIPE_SIZE = 1 << 20  # bytes; what an unprivileged process may ask for (fs.pipe-max-size)
_TICK = 0.2  # seconds between two looks at anything else while psql is busy
_LINE_LIMIT = 4096
_KEPT_LINES = 50  # of stderr: an error may come with a long context
_MAX_TAGS = 1 << 20
_TAG = re.compile(rb"COPY (\d+)\n")
# What psql says of a statement that ends a transaction. It says nothing of its own COMMIT.
_ENDS = frozenset({b"COMMIT\n", b"ROLLBACK\n", b"PREPARE TRANSACTION\n"})


class PsqlProcess(ToolProcess):
    """One run of psql. `start` it from the main thread, and `stop` it whatever happens.

    Args:
        argv: The command; no secrets.
        environment: Its whole environment.
        mark: Lines of its output that begin so are kept for `answers`.
    """

    def __init__(self, argv: list[str], environment: dict[str, str], mark: str) -> None:
        fix = "remove the cause, then restore again"
        super().__init__("psql", argv, environment, fix, _KEPT_LINES)
        self._mark = mark.encode()
        self._stdin = -1
        self._poll = select.poll()
        self._heard = threading.Condition()
        self._answers: list[str] = []
        self._copied: list[int] = []
        self._silent = False  # it has closed its output
        self._ended_transaction = False

    def start(self) -> None:
        """Start it.

        Raises:
            ToolError: It can't be started.
        """
        self.spawn(subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin = self.process.stdin.fileno()
        # No larger pipe, or the user has too many: slower, not wrong.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._stdin, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        os.set_blocking(self._stdin, False)
        self._poll.register(self._stdin, select.POLLOUT)
        self.read_along(self.process.stdout, self._read_stdout)

    @property
    def copied(self) -> list[int]:
        """The rows of each COPY that was done, as the server counted them."""
        with self._heard:
            return list(self._copied)

    @property
    def ended_transaction(self) -> bool:
        """Whether a statement of the script seems to have ended psql's transaction."""
        with self._heard:
            return self._ended_transaction

    def write(self, data: bytes | memoryview, waiting: Callable[[], None]) -> bool:
        """Hand over a piece of the script.

        Args:
            data: The piece.
            waiting: Called every now and then while psql takes nothing. May raise.

        Returns:
            False if psql has ended and wants no more.
        """
        rest = memoryview(data)
        while rest:
            if not self._poll.poll(_TICK * 1000):
                waiting()
                continue
            try:
                rest = rest[os.write(self._stdin, rest) :]
            except BlockingIOError:
                waiting()
            except BrokenPipeError:
                return False
        return True

    def answer(self, number: int, waiting: Callable[[], None]) -> str | None:
        """Wait for one of the marked lines.

        Args:
            number: Which one, from 0.
            waiting: Called every now and then. May raise.

        Returns:
            What follows the mark; None if psql has ended without it.
        """
        while True:
            with self._heard:
                self._heard.wait_for(lambda: len(self._answers) > number or self._silent, _TICK)
                if len(self._answers) > number:
                    return self._answers[number]
                if self._silent:
                    return None
            waiting()

    def drained(self) -> bool:
        """Whether psql has read all that was written so far."""
        unread = fcntl.ioctl(self._stdin, termios.FIONREAD, b"\0" * 4)
        return unread == b"\0" * 4

    def end(self, waiting: Callable[[], None]) -> None:
        """Tell psql that the script has ended, and wait until it has.

        Args:
            waiting: Called every now and then. May raise.
        """
        assert self.process.stdin is not None
        self.process.stdin.close()
        while not self.wait(_TICK):
            waiting()

    def _read_stdout(self) -> None:
        assert self.process.stdout is not None
        whole = True  # whether a line begins here, not the rest of a long one
        while line := self.process.stdout.readline(_LINE_LIMIT):
            if whole:
                self._take(line)
            whole = line.endswith(b"\n")
        with self._heard:
            self._silent = True
            self._heard.notify_all()

    def _take(self, line: bytes) -> None:
        with self._heard:
            if line.startswith(self._mark):
                answer = line.removeprefix(self._mark).decode("ascii", "replace")
                self._answers.append(answer.strip())
                self._heard.notify_all()
            elif (tag := _TAG.fullmatch(line)) and len(self._copied) < _MAX_TAGS:
                self._copied.append(int(tag[1]))
            elif line in _ENDS:
                self._ended_transaction = True
