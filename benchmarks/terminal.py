"""A console in a terminal of its own, and how long it takes to answer."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

_TIMEOUT = 30.0  # seconds
_QUIET = 0.15  # seconds without a byte: it has painted all that it had to


class Console:
    """The program in a terminal of 80x24, until the block ends.

    Args:
        command: The program and its arguments.
        environment: All of its variables.
        cwd: Where it runs.
    """

    def __init__(
        self, command: Sequence[str | Path], environment: dict[str, str], cwd: Path
    ) -> None:
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=environment | {"TERM": "xterm-256color"}, cwd=cwd,
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        self._written = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        with suppress(OSError):
            while select.select([self._terminal], [], [], _TIMEOUT)[0] and os.read(
                self._terminal, 65536
            ):
                pass  # it can't leave while its last picture waits to be read
        self._process.wait(_TIMEOUT)
        os.close(self._terminal)

    def painted(self, text: bytes) -> float:
        """Wait until it has written this; seconds since its start.

        Raises:
            RuntimeError: It did not in time, or ended. Carries what it wrote.
        """
        while text not in self._written:
            if not self._read(_TIMEOUT):
                raise RuntimeError(f"not within {_TIMEOUT} s:\n{self._written[-2000:]!r}")
        return time.perf_counter() - self._started

    def press(self, key: bytes) -> float:
        """Press a key when nothing is painted any more; seconds until the first paint after it.

        Raises:
            RuntimeError: Nothing was painted in time, or it ended.
        """
        while self._read(_QUIET):
            pass
        begun = time.perf_counter()
        os.write(self._terminal, key)
        if not self._read(_TIMEOUT):
            raise RuntimeError(f"no answer to {key!r} within {_TIMEOUT} s")
        return time.perf_counter() - begun

    def quit(self) -> float:
        """Leave by key; seconds until the process is gone.

        Raises:
            RuntimeError: It is not in time.
        """
        while self._read(_QUIET):  # Escape with a key right behind it is another key
            pass
        begun = time.perf_counter()
        os.write(self._terminal, b"q")
        with suppress(RuntimeError):
            while self._read(_TIMEOUT):
                pass
        try:
            self._process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"not gone within {_TIMEOUT} s") from error
        return time.perf_counter() - begun

    def _read(self, timeout: float) -> bool:
        if not select.select([self._terminal], [], [], timeout)[0]:
            return False
        try:
            self._written = (self._written + os.read(self._terminal, 65536))[-1_000_000:]
        except OSError as error:  # Linux's way to say that the other side is closed
            raise RuntimeError(f"the console ended:\n{self._written[-2000:]!r}") from error
        return True
