"""How child processes are tied to us."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """For `preexec_fn`: the kernel ends this child when the thread that started it ends.

    Start the child from the main thread: the kernel watches the thread, not the process. Without
    this, a pg_dump that waits for a lock would outlive a runner that was killed with -9.

    Args:
        parent: Process id of the starter: if it has ended before the kernel was asked, the child
            ends by itself.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
