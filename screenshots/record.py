"""A session of the console as asciinema plays it: `asciinema play screenshots/session.cast`."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pyte

_VERSION = 2  # https://docs.asciinema.org/manual/asciicast/v2/
_TYPED = 0.15  # seconds between two keys
_TIMEOUT = 120.0  # seconds for what a step waits for
_LONGEST = 2.0  # seconds without a change; longer ones are cut, as viewers know what waiting is

Step = tuple[str, str, float]
"""Keys; a text that the screen shows then; seconds to look at it."""


class Recorder:
    """A program in a terminal, and all that it writes with the time at which it does.

    Args:
        argv: The program.
        environment: All of its variables.
        size: Columns and rows.
    """

    def __init__(
        self, argv: Sequence[str], environment: dict[str, str], size: tuple[int, int]
    ) -> None:
        self._size = size
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._process = subprocess.Popen(
            argv, env=environment, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
        )
        os.close(inner)
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)
        self._events: list[tuple[float, str]] = []
        self._clock = 0.0

    def play(self, steps: Sequence[Step]) -> None:
        """Type, wait for what comes of it, and look at it.

        Raises:
            RuntimeError: It did not come.
        """
        for keys, awaited, pause in steps:
            for key in keys:
                os.write(self._terminal, key.encode())
                self._read(_TYPED)
            give_up = time.monotonic() + _TIMEOUT
            while awaited and awaited not in "\n".join(self._screen.display):
                if time.monotonic() > give_up or self._process.poll() is not None:
                    raise RuntimeError(f"{awaited!r} did not come")
                self._read(0.1)
            self._read(pause)

    def save(self, path: Path, title: str) -> None:
        """End the program and write the session."""
        self._process.terminate()
        self._read(1.0)
        self._process.wait(_TIMEOUT)
        os.close(self._terminal)
        columns, rows = self._size
        header = {"version": _VERSION, "width": columns, "height": rows, "title": title}
        lines = [json.dumps(header)]
        lines += [json.dumps([round(at, 3), "o", text]) for at, text in self._events]
        path.write_text("\n".join(lines) + "\n")

    def _read(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        before = time.monotonic()
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._terminal], [], [], left)[0]:
                break
            try:
                data = os.read(self._terminal, 65536)
            except OSError:  # it has ended
                return
            now = time.monotonic()
            self._clock += min(now - before, _LONGEST)
            before = now
            text = self._text.decode(data)
            self._stream.feed(text)
            self._events.append((self._clock, text))
        self._clock += min(time.monotonic() - before, _LONGEST)
