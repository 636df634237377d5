"""Signals that end the demo: SIGTERM and SIGHUP unwind like Ctrl-C, so that all is removed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal asked the demo to end. Like KeyboardInterrupt, no `except Exception` stops it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@contextmanager
def stop_signals() -> Iterator[None]:
    """In the block, the first stop signal raises `Stopped`; call `hold_off` before cleaning up."""
    before = {number: signal.signal(number, _raise) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hold_off() -> None:
    """Let no signal interrupt the cleaning up.

    The console's event loop leaves its signals at the default, which would end us at once. And
    not SIG_IGN: children would inherit it.
    """
    for number in _SIGNALS:
        signal.signal(number, _nothing)


def _raise(number: int, _frame: FrameType | None) -> None:
    hold_off()
    raise Stopped(number)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    pass
