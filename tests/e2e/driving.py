"""What tests do in consoles, by keys."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.terminal import Terminal
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.settings import Settings

Open = Callable[..., Terminal]


def back_up(terminal: Terminal) -> None:
    """Press b, type yes."""
    terminal.send("b")
    terminal.wait_for("Type yes")
    terminal.send("yes", "Enter")


def only_job(settings: Settings) -> jobs.Job:
    """The one job there is."""
    (job,) = wait_until(lambda: jobs.list_jobs(settings))
    return job
