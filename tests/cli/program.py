"""Run the real `pgconsole` program as a script would."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

from pgconsole.settings import Settings

PROGRAM = str(Path(sysconfig.get_path("scripts")) / "pgconsole")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The variables that configure the program; PATH as the test has it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PGCONSOLE_ENV_FILE": os.devnull,
        **settings.environment(),
        **more,
    }


def run(
    settings: Settings, *arguments: str, timeout: float = 60.0, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=environment(settings, **more), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=timeout, check=False,
    )  # fmt: skip


def spawn(settings: Settings, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start a command; the caller ends it."""
    return subprocess.Popen(
        [PROGRAM, *arguments],
        env=environment(settings, **more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
