"""Starts and cancels jobs off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from textual.message import Message

from pgconsole import jobs
from pgconsole.errors import PgconsoleError
from pgconsole.jobs.texts import JSON
from pgconsole.settings import Settings


@dataclass
class Accepted(Message):
    """A job was started, or asked to stop."""


@dataclass
class Refused(Message):
    """It could not be done."""

    error: PgconsoleError


class Work:
    """Hands work over to `jobs`, and posts how that went.

    Args:
        settings: What the operator configured.
        post: Takes messages from any thread.
    """

    def __init__(self, settings: Settings, post: Callable[[Message], bool]) -> None:
        self._settings = settings
        self._post = post

    def start(self, kind: str, request: dict[str, JSON]) -> None:
        """Start a job."""

        def begin() -> None:
            jobs.start(self._settings, kind, request, jobs.current_actor())

        # Not a daemon: quitting at once must not leave a job that was only half started.
        self._in_thread(begin, daemon=False)

    def cancel(self, job: jobs.Job) -> None:
        """Ask a job to stop. May take seconds while the job is only just starting."""

        def stop() -> None:
            jobs.cancel(self._settings, job.id, jobs.current_actor())

        self._in_thread(stop, daemon=True)

    def _in_thread(self, work: Callable[[], None], *, daemon: bool) -> None:
        def run() -> None:
            try:
                work()
                message: Message = Accepted()
            except PgconsoleError as error:
                message = Refused(error)
            with suppress(RuntimeError):  # the console has quit; the job's journal tells the rest
                self._post(message)

        threading.Thread(target=run, name="work", daemon=daemon).start()
