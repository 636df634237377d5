"""A real terminal to run the console in: tmux where it is installed, else a pty and an emulator."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import uuid
from abc import ABC, abstractmethod
from pathlib import Path

from tests.support import wait_until

_KEYS = {
    "Enter": "\r",
    "Escape": "\x1b",
    "BSpace": "\x7f",
    "Tab": "\t",
    "C-c": "\x03",
    "C-q": "\x11",
    "Down": "\x1b[B",
}


class Terminal(ABC):
    """A running program on a screen of its own."""

    @abstractmethod
    def send(self, *keys: str) -> None:
        """Press keys: names as tmux has them (`Enter`, `Escape`, `C-q`), else text as it is."""

    @abstractmethod
    def screen(self) -> str:
        """The text on the screen now, one line a row."""

    @abstractmethod
    def pid(self) -> int:
        """The program's process id."""

    @abstractmethod
    def is_restored(self) -> bool:
        """Whether the terminal is out of the alternate screen with mouse reports off."""

    @abstractmethod
    def close(self) -> None:
        """Take the terminal away, as a dropped SSH connection does."""

    def wait_for(self, text: str, timeout: float = 20.0) -> str:
        """Wait until the screen shows the text; returns the screen."""
        try:
            return wait_until(lambda: _if_in(text, self.screen()), timeout)
        except AssertionError:
            raise AssertionError(f"{text!r} not on screen:\n{self.screen()}") from None

    def wait_gone(self, timeout: float = 10.0) -> None:
        """Wait until the program has ended."""
        pid = self.pid()
        wait_until(lambda: not is_alive(pid), timeout)


def is_alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def open_terminal(
    argv: list[str], environment: dict[str, str], columns: int = 80, rows: int = 24
) -> Terminal:
    """Run a program in a terminal of this size."""
    kind = TmuxTerminal if shutil.which("tmux") else PtyTerminal
    return kind(argv, environment, columns, rows)


class TmuxTerminal(Terminal):
    """A tmux server of its own with one session."""

    def __init__(
        self, argv: list[str], environment: dict[str, str], columns: int, rows: int
    ) -> None:
        self._socket = f"pgconsole-test-{uuid.uuid4().hex[:12]}"
        # The shell stays after the program has ended, so that the screen can still be read.
        command = "env -i " + shlex.join([f"{k}={v}" for k, v in environment.items()] + argv)
        shell = f"echo $$ > /dev/null; {command}; echo; echo ended with $?; exec cat"
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "sh", "-c", shell)
        self._pid = wait_until(self._find_pid)

    def _tmux(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self._socket, "-f", os.devnull, *arguments],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    def _find_pid(self) -> int:
        shell = int(self._tmux("display", "-p", "#{pane_pid}"))
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0]) if children else 0

    def send(self, *keys: str) -> None:
        for key in keys:
            literal = [] if key in _KEYS else ["-l"]
            self._tmux("send-keys", *literal, "--", key)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def pid(self) -> int:
        return self._pid

    def is_restored(self) -> bool:
        return self._tmux("display", "-p", "#{alternate_on}#{mouse_any_flag}").strip() == "00"

    def close(self) -> None:
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], check=False, capture_output=True
        )


class PtyTerminal(Terminal):
    """A pty whose output goes through a terminal emulator."""

    def __init__(
        self, argv: list[str], environment: dict[str, str], columns: int, rows: int
    ) -> None:
        import pyte

        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._output = bytearray()
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # setsid and TIOCSCTTY by a tiny wrapper: the program gets the pty as controlling terminal.
        wrapper = (
            "import fcntl, os, sys, termios; os.setsid();"
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", wrapper, *argv],
            stdin=slave, stdout=slave, stderr=slave, env=environment,
        )  # fmt: skip
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self._output += data
                self._stream.feed(data)

    def send(self, *keys: str) -> None:
        for key in keys:
            os.write(self._master, _KEYS.get(key, key).encode())

    def screen(self) -> str:
        with self._lock:
            return "\n".join(self._screen.display)

    def output(self) -> bytes:
        """All that the program has written so far."""
        with self._lock:
            return bytes(self._output)

    def pid(self) -> int:
        self._process.poll()
        return self._process.pid

    def is_restored(self) -> bool:
        output = self.output()
        return output.rfind(b"\x1b[?1049l") > output.rfind(b"\x1b[?1049h") and output.rfind(
            b"\x1b[?1000l"
        ) > output.rfind(b"\x1b[?1000h")

    def close(self) -> None:
        os.close(self._master)  # the kernel sends SIGHUP
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


def _if_in(text: str, screen: str) -> str:
    return screen if text in screen else ""
