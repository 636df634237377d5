"""The question before a restore: into which database, what it does to it, and a typed word."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from pgconsole.backups.confirmation import confirm_restore, word_for
from pgconsole.errors import PgconsoleError
from pgconsole.postgres.sessions import Sessions, sessions_of
from pgconsole.screens.dialog import DialogScreen, frame
from pgconsole.screens.faults import fault
from pgconsole.screens.restore_text import RestoreText
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.dialog import DialogRows, Field, TypedYes

_SETTLED = 0.3  # seconds without a key after which the target is taken for meant


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What was said yes to.

    Attributes:
        database: The target.
        confirmation: The token for it and for this very copy.
    """

    database: str
    confirmation: str


class RestoreScreen(DialogScreen[Confirmed]):
    """Asks for the target first, so that what was typed by habit lands there and does nothing.

    Args:
        settings: The server.
        backup: The copy that is to be restored.
        text: What to say.
        ask_sessions: Asks the server who is connected to the settings' database.
        target: The database that is offered; the settings' own if empty.
    """

    AUTO_FOCUS = "#target"

    class SessionsKnown(Message):
        """What the server said about one database."""

        def __init__(self, database: str, answer: Sessions | PgconsoleError) -> None:
            super().__init__()
            self.database = database
            self.answer = answer

    def __init__(
        self,
        settings: Settings,
        backup: StoredBackup,
        text: RestoreText,
        ask_sessions: Callable[[Settings], Sessions] = sessions_of,
        *,
        target: str = "",
    ) -> None:
        super().__init__()
        self._settings = settings
        self._backup = backup
        self._text = text
        self._ask_sessions = ask_sessions
        self._sessions: Sessions | PgconsoleError | None = None
        self._target = target or settings.pgdatabase
        self._timer: Timer | None = None
        self._rows = DialogRows(text.rows(self._target, None))
        where = f"{settings.pghost}:{settings.pgport}"
        self._field = Field(f"Into database on {where}", "target", value=self._target)
        self._yes = TypedYes(self._verb, self._word)

    @property
    def _verb(self) -> str:
        if self._settings.protected:
            return "replace it (PROTECTED)"
        return f"replace {self._target or '?'}"

    @property
    def _word(self) -> str:
        return word_for(self._settings, self._target)

    def compose(self) -> ComposeResult:
        """What will happen, the target, and the question."""
        with frame(self._text.title) as box:
            box.add_class("-two-questions")
            yield self._rows
            yield self._field
            yield self._yes

    def on_mount(self) -> None:
        """Ask who is connected."""
        self._inquire()

    @on(Input.Changed, "#target")
    def retarget(self, event: Input.Changed) -> None:
        """Another target: say everything anew, and ask about it once it stays."""
        if event.value == self._target:
            return
        self._target = event.value
        self._sessions = None
        self._yes.ask(self._verb, self._word)
        self._show()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_SETTLED, self._inquire)

    @on(TypedYes.Confirmed)
    def confirmed(self, message: TypedYes.Confirmed) -> None:
        """Leave with the token."""
        if not self._target:
            self._yes.refuse("Into which database? Name one above")
            return
        if self._field.answer.value != self._target:  # changed faster than it could be shown
            self._yes.refuse("The target has changed: read what it says now, then answer")
            return
        token = confirm_restore(message.typed, self._settings, self._target, self._backup)
        self.close(Confirmed(self._target, token))

    @on(SessionsKnown)
    def sessions_known(self, message: SessionsKnown) -> None:
        """Say who would be cut off."""
        if message.database == self._target:
            self._sessions = message.answer
            self._show()

    def _show(self) -> None:
        self._rows.show(self._text.rows(self._target, self._sessions))

    def _inquire(self) -> None:
        """Ask the server in a thread of its own; the dialog goes on meanwhile."""
        if not self._target:
            return
        target = self._target
        settings = self._settings.model_copy(update={"pgdatabase": target})

        def ask() -> None:
            answer: Sessions | PgconsoleError
            try:
                answer = self._ask_sessions(settings)
            except PgconsoleError as error:
                answer = error
            except Exception as error:
                answer = fault("Who is connected can't be said", error, settings.redactor)
            with suppress(RuntimeError):  # the console has quit
                self.post_message(self.SessionsKnown(target, answer))

        threading.Thread(target=ask, name="sessions", daemon=True).start()
