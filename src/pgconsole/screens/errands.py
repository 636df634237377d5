"""What the operator can have done: each asks first, then hands over to `Work`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual.app import App
from textual.message import Message
from textual.screen import Screen

from pgconsole.backups.confirmation import WORD
from pgconsole.backups.deletion import Decision
from pgconsole.backups.restore_copy import FoundCopy, listed
from pgconsole.backups.retention import Plan
from pgconsole.jobs import Job
from pgconsole.jobs.texts import JSON
from pgconsole.screens import questions
from pgconsole.screens.base import screen_for
from pgconsole.screens.confirm import Confirmation, ConfirmScreen
from pgconsole.screens.moments import end_of
from pgconsole.screens.prompt import PromptScreen
from pgconsole.screens.reading import ReadingScreen
from pgconsole.screens.retry import again, ask_again, find_restored
from pgconsole.screens.work import Work
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.known import Known
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.schedule_text import Timetable
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import clean


@dataclass
class Planned(Message):
    """What retention would do now."""

    plans: dict[Place, Plan]


@dataclass
class Decided(Message):
    """Which of the chosen copies may be deleted."""

    decisions: tuple[Decision, ...]


class Errands:
    """Asks for a yes, then has it done.

    Args:
        app: Shows the dialogs.
        settings: What the operator configured.
        work: Does it.
        now: The clock.
    """

    def __init__(
        self,
        app: Callable[[], App[Any]],
        settings: Settings,
        work: Work,
        now: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._settings = settings
        self._work = work
        self._now = now

    def backup(self, local: Known[Shelf], s3: Known[Shelf]) -> None:
        """Back up now."""
        question = questions.ask_backup(self._settings, local, s3, self._now())
        request: dict[str, JSON] = {"database": self._settings.pgdatabase}
        self._ask_unless_harmless(question, lambda: self._work.start("backup", request))

    def cancel(self, job: Job) -> None:
        """Stop a job."""
        self._ask(questions.ask_cancel(job, self._now()), lambda: self._work.cancel(job))

    def upload(self, backup: StoredBackup) -> None:
        """Copy a local backup to S3."""
        question = questions.ask_upload(self._settings, backup, self._now())
        request: dict[str, JSON] = {"filename": backup.name.filename}
        self._ask_unless_harmless(question, lambda: self._work.start("upload", request))

    def verify(self, copies: Sequence[StoredBackup], marks: Marks) -> None:
        """Read copies whole, and note what was found."""
        question = questions.ask_verify(self._settings, copies, marks, self._now())
        self._ask_unless_harmless(question, lambda: self._work.start("verify", _request(copies)))

    def download(self, copies: Sequence[StoredBackup]) -> None:
        """Have copies of S3 here."""
        question = questions.ask_download(self._settings, copies, self._now())
        request: dict[str, JSON] = {"keys": [copy.location for copy in copies]}
        self._ask_unless_harmless(question, lambda: self._work.start("download", request))

    def plan_deletion(self, copies: Sequence[StoredBackup]) -> None:
        """Work out which copies may go; `Decided` comes when that is known."""
        settings = self._settings

        def plan() -> Message:
            from pgconsole.backups.delete import decisions  # noqa: PLC0415 - boto3, psycopg

            return Decided(decisions(settings, copies))

        self._work.run(plan)

    def delete(self, decisions: Sequence[Decision]) -> None:
        """Say what goes and what must stay, and why; then delete what may go."""
        going = [one.backup for one in decisions if one.allowed]
        question = questions.ask_delete(self._settings, decisions)
        if not going:
            lines = (f"\n{label:<9}{clean(text)}" for label, text in question.rows[2:])
            nothing = "None of these may be deleted:\n"
            self._app().push_screen(ReadingScreen("Delete", parts=[nothing, *lines]))
            return

        def start() -> None:
            from pgconsole.backups.delete import confirm_delete  # noqa: PLC0415 - psycopg

            token = confirm_delete(WORD, going)
            self._work.start("delete", _request(going) | {"confirmation": token})

        self._ask(question, start)

    def retry(self, job: Job) -> None:
        """Start an ended job's work anew.

        Of a restore nothing is taken over but which copy and which target: `RestoreFound` comes
        when that copy was found, and it is asked for anew.

        Raises:
            ConfigurationError: It was about another database.
        """
        if job.kind == "prune":
            self.plan_retention()
        elif job.kind == "restore":
            self._work.run(lambda: find_restored(self._settings, job))
        else:
            anew = again(self._settings, job)
            question = ask_again(self._settings, job, anew, self._now())
            self._ask(question, lambda: self._work.start(anew.kind, anew.request))

    def restore(self, backup: StoredBackup | FoundCopy, target: str = "") -> None:
        """Show what putting a copy back would do, ask, and do it.

        Args:
            backup: The copy; also one that no listing shows, such as a safety backup.
            target: The database that is offered; the configured one if empty.
        """
        copy = backup if isinstance(backup, FoundCopy) else listed(backup)

        def confirmed(database: str, confirmation: str) -> None:
            request: dict[str, JSON] = {
                "place": str(copy.place),
                "location": copy.location,
                "database": database,
                "confirmation": confirmation,
            }
            self._work.start("restore", request)

        self._show_plan(copy, target, confirmed)

    def plan_restore(self, backup: StoredBackup) -> None:
        """Show what putting a copy back would do, and nothing more."""
        self._show_plan(listed(backup), "", None)

    def _show_plan(
        self, copy: FoundCopy, target: str, confirmed: Callable[[str, str], None] | None
    ) -> None:
        from pgconsole.screens.restore import RestoreScreen  # noqa: PLC0415 - after the first paint
        from pgconsole.screens.restore_feeds import looks_of  # noqa: PLC0415 - the same

        screen = screen_for(RestoreScreen, self._settings)
        looks = looks_of(self._settings, copy)
        self._app().push_screen(
            screen(self._settings, copy, self._now, looks=looks, confirmed=confirmed, target=target)
        )

    def pin(self, backup: StoredBackup, marks: Marks) -> None:
        """Keep a backup, or leave it to retention again."""
        pinned = marks.pin(backup)
        if pinned is not None:
            question = questions.ask_unpin(self._settings, backup, pinned, self._now())
            self._ask(question, lambda: self._work.unpin(backup.name))
            return

        def answered(answers: list[str] | None) -> None:
            if answers is not None:
                self._work.pin(backup.name, answers[0])

        self._push(PromptScreen(questions.ask_pin(self._settings, backup, self._now())), answered)

    def pause(self, table: Timetable) -> None:
        """Pause the schedule, or let it go on."""
        settings = self._settings
        if table.pause is not None:
            question = questions.ask_resume(table, table.pause, self._now())
            self._ask(question, self._work.resume)
            return

        def answered(answers: list[str] | None) -> None:
            if answers is not None:
                reason, until = answers
                self._work.pause(reason, end_of(until, self._now(), settings.backup_timezone))

        prompt = questions.ask_pause(settings, table, self._now)
        self._push(PromptScreen(prompt), answered)

    def plan_retention(self) -> None:
        """Work out what retention would do; `Planned` comes when that is known."""
        settings = self._settings

        def plan() -> Message:
            # boto3 and psycopg, where they are needed first
            from pgconsole.backups.prune import make_plan, retained_places  # noqa: PLC0415

            return Planned(
                {place: make_plan(settings, place) for place in retained_places(settings)}
            )

        self._work.run(plan)

    def apply_retention(self, plans: dict[Place, Plan]) -> None:
        """Show the plan with its reasons, then delete; or why there is nothing to delete."""
        question = questions.ask_prune(self._settings, plans)
        if not any(plan.delete for plan in plans.values()):
            lines = (f"\n{label:<9}{clean(text)}" for label, text in question.rows[2:])
            nothing = "Nothing is to be deleted. What stays, and why:\n"
            self._app().push_screen(ReadingScreen("Retention", parts=[nothing, *lines]))
            return
        self._ask(question, lambda: self._work.start("prune", {}))

    def _ask_unless_harmless(self, question: Confirmation, do: Callable[[], None]) -> None:
        """Ask about what neither changes nor deletes data, unless that is not wanted."""
        if self._settings.confirm == "destructive":
            do()
        else:
            self._ask(question, do)

    def _ask(self, question: Confirmation, do: Callable[[], None]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                do()

        self._push(ConfirmScreen(question), answered)

    def _push(self, screen: Screen[Any], answered: Callable[[Any], None]) -> None:
        self._app().push_screen(screen, answered)


def _request(copies: Sequence[StoredBackup]) -> dict[str, JSON]:
    return {
        "paths": [copy.location for copy in copies if copy.place is Place.LOCAL],
        "keys": [copy.location for copy in copies if copy.place is Place.S3],
    }
