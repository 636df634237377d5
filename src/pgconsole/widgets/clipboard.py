"""Copying to the operator's own machine, through SSH and tmux."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from typing import Any

from textual.app import App

from pgconsole.widgets.words import clean, clipped, size

# The sequence has 100,000 bytes then, which is as much as many terminals take (tmux issue 3068);
# base64 makes four of three, and there are seven and one around it.
_MOST = 74_994  # bytes
_TMUX_TAKES = 5.0  # seconds, at most
_SHOWN = 60  # characters


def copy(app: App[Any], text: str) -> None:
    """Send a text to the clipboard of the machine that the terminal is on, and say so.

    By OSC 52, which reaches it through SSH. tmux drops that unless it is told otherwise, so inside
    of tmux it is given the text as well. Nobody answers either, so nobody can say that it arrived.

    Args:
        app: Has the terminal.
        text: The text.
    """
    data = text.encode(errors="replace")
    if len(data) > _MOST:
        app.notify(
            f"{size(len(data))} is more than terminals take ({size(_MOST)})",
            title="Not copied", severity="warning", markup=False,
        )  # fmt: skip
        return
    App.copy_to_clipboard(app, data.decode())
    if "TMUX" not in os.environ:
        _say_sent(app, text)
        return
    threading.Thread(target=_through_tmux, args=[app, text, data], name="tmux", daemon=True).start()


def _through_tmux(app: App[Any], text: str, data: bytes) -> None:
    problem = _load_buffer(data)
    with suppress(RuntimeError):  # the console has quit
        if not problem:
            _say_sent(app, text)
            return
        app.notify(
            f"{clean(problem)}\nNext: select it with the mouse, Shift held down",
            title="tmux did not take it", severity="warning", markup=False,
        )  # fmt: skip


def _load_buffer(data: bytes) -> str:
    """Give it to tmux; what went wrong, or nothing."""
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=data, capture_output=True, timeout=_TMUX_TAKES, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer within {_TMUX_TAKES:.0f} s"
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"


def _say_sent(app: App[Any], text: str) -> None:
    lines = text.strip().splitlines() or [""]
    more = f" … ({len(lines):,} lines)" if len(lines) > 1 else ""
    app.notify(
        f"{clipped(clean(lines[0]), _SHOWN)}{more}", title="Sent to the terminal", markup=False
    )
