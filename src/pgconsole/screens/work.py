"""Starts and cancels jobs, and notes pins and pauses, off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from textual.message import Message

from pgconsole import jobs
from pgconsole.backups import pins
from pgconsole.dumps.naming import BackupName
from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.jobs.texts import JSON
from pgconsole.screens.faults import fault
from pgconsole.settings import Settings


@dataclass
class Accepted(Message):
    """A job was started, or asked to stop."""

    started: str = ""  # its id


@dataclass
class Noted(Message):
    """Something was written down that the panes show."""

    text: str


@dataclass
class Refused(Message):
    """It could not be done."""

    error: PgconsoleError


class Work:
    """Hands work over, and posts how that went.

    Args:
        settings: What the operator configured.
        post: Takes messages from any thread.
    """

    def __init__(self, settings: Settings, post: Callable[[Message], bool]) -> None:
        self._settings = settings
        self._post = post

    def start(self, kind: str, request: dict[str, JSON]) -> None:
        """Start a job."""

        def begin() -> Message:
            return Accepted(jobs.start(self._settings, kind, request, jobs.current_actor()))

        # Not a daemon: quitting at once must not leave a job that was only half started.
        self.run(begin, daemon=False)

    def cancel(self, job: jobs.Job) -> None:
        """Ask a job to stop. May take seconds while the job is only just starting."""

        def stop() -> Message:
            jobs.cancel(self._settings, job.id, jobs.current_actor())
            return Accepted()

        self.run(stop)

    def pin(self, name: BackupName, note: str) -> None:
        """Keep a backup whatever retention says."""

        def note_it() -> Message:
            pins.pin(self._settings, name, note, jobs.current_actor())
            self._audit("pin", name, note or "no note")
            return Noted(f"Pinned: {pins.backup_id(name)}")

        self.run(note_it, daemon=False)

    def unpin(self, name: BackupName) -> None:
        """Leave a backup to retention again."""

        def note_it() -> Message:
            pins.unpin(self._settings, name, jobs.current_actor())
            self._audit("unpin", name, "done")
            return Noted(f"No longer pinned: {pins.backup_id(name)}")

        self.run(note_it, daemon=False)

    def pause(self, reason: str, until: datetime | None) -> None:
        """Let the scheduler skip its slots."""

        def note_it() -> Message:
            from pgconsole.schedule import state  # noqa: PLC0415 - only whoever pauses

            state.pause(self._settings, reason, until, jobs.current_actor())
            return Noted("The schedule is paused")

        self.run(note_it, daemon=False)

    def resume(self) -> None:
        """Let the scheduler go on."""

        def note_it() -> Message:
            from pgconsole.schedule import state  # noqa: PLC0415 - only whoever resumes

            state.resume(self._settings, jobs.current_actor())
            return Noted("The schedule goes on")

        self.run(note_it, daemon=False)

    def run(self, work: Callable[[], Message], *, daemon: bool = True) -> None:
        """Do something in a thread of its own, and post what it returns or why it failed."""

        def run() -> None:
            try:
                message = work()
            except PgconsoleError as error:
                message = Refused(error)
            except Exception as error:
                message = Refused(fault("That did not work", error, self._settings.redactor))
            with suppress(RuntimeError):  # the console has quit; the journal tells the rest
                self._post(message)

        threading.Thread(target=run, name="work", daemon=daemon).start()

    def _audit(self, action: str, name: BackupName, result: str) -> None:
        try:
            jobs.audit(self._settings, jobs.current_actor(), action, pins.backup_id(name), result)
        except OSError as error:
            raise StorageError(
                f"The {action} is done, but could not be written to the audit log",
                cause=str(error),
                fix=f"see that {self._settings.state_dir} can be written",
            ) from error
