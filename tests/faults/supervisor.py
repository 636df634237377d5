"""Faults between a process and its kernel: its n-th system call kills it, fails, or takes long.

The process installs a seccomp filter (seccomp_unotify(2)) for the calls that change something, and
a process beside it decides about each. Nothing of pgconsole is touched, and no right is needed. The
filter is inherited by its children; what they call is only let pass.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import select
import signal
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from fcntl import ioctl
from pathlib import Path

# asm/unistd.h. What an architecture lacks its C library does by one of the others.
CALLS = {
    "x86_64": {
        "open": 2, "openat": 257, "rename": 82, "renameat": 264, "renameat2": 316, "link": 86,
        "linkat": 265, "unlink": 87, "unlinkat": 263, "mkdir": 83, "mkdirat": 258, "fsync": 74,
        "fdatasync": 75, "ftruncate": 77, "write": 1, "pwrite64": 18, "writev": 20, "connect": 42,
        "sendto": 44, "flock": 73, "fchmod": 91, "pread64": 17,
    },
    "aarch64": {
        "openat": 56, "renameat": 38, "renameat2": 276, "linkat": 37, "unlinkat": 35,
        "mkdirat": 34, "fsync": 82, "fdatasync": 83, "ftruncate": 46, "write": 64, "pwrite64": 68,
        "writev": 66, "connect": 203, "sendto": 206, "flock": 32, "fchmod": 52, "pread64": 67,
    },
}  # fmt: skip
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_ADD_FILTER, _NEW_LISTENER = 1, 8  # linux/seccomp.h
_USER_NOTIF, _ALLOW = 0x7FC00000, 0x7FFF0000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
_CONTINUE = 1
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # id, pid, flags, nr, arch, ip, args
_ANSWER = struct.Struct("=QqiI")  # id, value, error, flags
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_FIRST_PATH = {"open": 0, "openat": 1, "rename": 1, "renameat": 3, "renameat2": 3, "link": 1,
               "linkat": 3, "unlink": 0, "unlinkat": 1, "mkdir": 0, "mkdirat": 1}  # fmt: skip
_FD_FIRST = {"fsync", "fdatasync", "ftruncate", "write", "pwrite64", "writev", "fchmod", "flock",
             "pread64"}  # fmt: skip

DISK = ("open", "openat", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
        "unlinkat", "mkdir", "mkdirat", "fsync", "fdatasync", "ftruncate", "write", "pwrite64",
        "writev")  # fmt: skip
STEPS = (*DISK, "connect", "sendto", "flock", "fchmod")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen to a process.

    Attributes:
        log: Where each call that counts is written down, a line each.
        below: Calls on files count only below this directory; all if empty.
        calls: Names of system calls.
        at: At which of them it happens, from 1; 0: never.
        kill: Kill the process (-9) instead of the call.
        error: The errno that the call fails with instead.
        lasting: Whether it fails from then on, not once.
        delay: Seconds that each of the calls takes longer; others go on meanwhile.
        reading: Whether files opened for reading count as well.
    """

    log: str
    below: str = ""
    calls: tuple[str, ...] = STEPS
    at: int = 0
    kill: bool = False
    error: int = 0
    lasting: bool = False
    delay: float = 0.0
    reading: bool = False

    def to_json(self) -> str:
        """For the process that it is about."""
        return json.dumps(asdict(self))


def unavailable() -> str:
    """Why processes can't be supervised here; empty if they can."""
    if platform.machine() not in CALLS:
        return f"knows the system calls of {' and '.join(CALLS)} only"
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            os.close(_install([CALLS[platform.machine()]["flock"]], reading=False))
            os._exit(0)
        os._exit(1)
    works = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return "" if works else "the kernel does not let a process watch another's system calls"


def supervised(text: str) -> None:
    """Put this process under a plan, from now on. Call it before there are threads.

    Args:
        text: The plan, as `Plan.to_json` says it.
    """
    content = json.loads(text)
    plan = Plan(**content | {"calls": tuple(content["calls"])})
    numbers = CALLS[platform.machine()]
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends when what it watches has ended
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
        _Supervisor(plan, os.getppid(), fds[0]).run()
        os._exit(0)
    theirs.close()
    wanted = [numbers[call] for call in plan.calls if call in numbers]
    listener = _install(wanted, reading=plan.reading)
    # sendmsg is not among the calls, so this is not stopped.
    socket.send_fds(ours, [b"x"], [listener])
    os.close(listener)
    ours.close()


def _install(numbers: list[int], *, reading: bool) -> int:
    """Let the kernel ask about these calls; the descriptor that it asks on."""
    opens = [CALLS[platform.machine()].get(name, -1) for name in ("open", "openat")]
    program = [(0x20, 0, 0, 0)]  # load the call's number
    for number in numbers:
        if number in opens and not reading:
            # Only those that write: look at the flags (little-endian, low half).
            argument = 1 if number == opens[0] else 2
            program += [(0x15, 0, 4, number), (0x20, 0, 0, 16 + 8 * argument),
                        (0x45, 0, 1, _WRITES), (0x06, 0, 0, _USER_NOTIF),
                        (0x06, 0, 0, _ALLOW)]  # fmt: skip
        else:
            program += [(0x15, 0, 1, number), (0x06, 0, 0, _USER_NOTIF)]
    program.append((0x06, 0, 0, _ALLOW))
    code = b"".join(struct.pack("HBBI", *one) for one in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    rules = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "prctl")
    fd: int = libc.syscall(
        _SECCOMP[platform.machine()], _ADD_FILTER, _NEW_LISTENER,
        ctypes.create_string_buffer(rules, len(rules)),
    )  # fmt: skip
    if fd < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return fd


class _Supervisor:
    """The process beside it."""

    def __init__(self, plan: Plan, pid: int, listener: int) -> None:
        self._plan = plan
        self._pid = pid
        self._listener = listener
        self._names = {number: name for name, number in CALLS[platform.machine()].items()}
        self._count = 0
        self._threads: dict[int, bool] = {}
        self._log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def run(self) -> None:
        """Answer until the last process with this filter has ended."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while True:
            ((_, events),) = poll.poll()
            if events & select.POLLIN:
                with suppress(OSError):  # the process was killed meanwhile
                    self._answer()
            elif events:
                return

    def _answer(self) -> None:
        buffer = bytearray(_NOTIFICATION.size)
        ioctl(self._listener, _RECEIVE, buffer)
        cookie, thread, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        name = self._names[number]
        error, delay = 0, 0.0
        if self._is_ours(thread) and self._counts(thread, name, arguments):
            self._count += 1
            delay = self._plan.delay
            if self._count == self._plan.at and self._plan.kill:
                self._write("killed before it")
                os.kill(self._pid, signal.SIGKILL)
                return
            reached = self._plan.at and self._count >= self._plan.at
            if (
                self._plan.error
                and reached
                and (self._plan.lasting or self._count == self._plan.at)
            ):
                error = self._plan.error
                self._write(errno.errorcode[error])
        answer = _ANSWER.pack(cookie, 0, -error, 0 if error else _CONTINUE)
        if delay:
            threading.Timer(delay, self._send, [answer]).start()
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        with suppress(OSError):  # the process was killed meanwhile
            ioctl(self._listener, _SEND, answer)

    def _is_ours(self, thread: int) -> bool:
        """Whether the process itself calls, in any of its threads, and no child of it."""
        if thread not in self._threads:
            status = Path(f"/proc/{thread}/status").read_text()
            self._threads[thread] = f"\nTgid:\t{self._pid}\n" in status
        return self._threads[thread]

    def _counts(self, thread: int, name: str, arguments: list[int]) -> bool:
        target = self._target(thread, name, arguments)
        if self._plan.below and name in (*_FIRST_PATH, *_FD_FIRST):
            if not target.startswith(self._plan.below):
                return False
        elif target.startswith(("/dev/", "pipe:", "socket:")) and name != "sendto":
            return False  # words on a terminal
        self._write(f"{name} {target}")
        return True

    def _target(self, thread: int, name: str, arguments: list[int]) -> str:
        if name in _FD_FIRST:
            with suppress(OSError):
                return str(Path(f"/proc/{thread}/fd/{arguments[0]}").readlink())
        if name in _FIRST_PATH:
            path = self._text(thread, arguments[_FIRST_PATH[name]])
            return str(Path(f"/proc/{thread}/cwd").readlink() / path)
        return ""

    def _text(self, thread: int, address: int) -> str:
        with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:  # noqa: PTH123
            memory.seek(address)
            content = memory.read(256)  # enough for most; a page may end
        return content.split(b"\0", 1)[0].decode(errors="replace")

    def _write(self, text: str) -> None:
        os.write(self._log, text.encode() + b"\n")
