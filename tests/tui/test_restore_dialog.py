"""The question before a restore: says all, and is never passed by habit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.tui import scenes
from tests.tui.driving import shown, until, until_shown
from tests.tui.scenes import NOW, S3_ENV, STYLES, listing, marks_of, proof, settings
from textual.app import App
from textual.widgets import Input

from pgconsole.app import PgconsoleApp
from pgconsole.backups.confirmation import restore_token
from pgconsole.backups.evidence import Proof
from pgconsole.errors import PgconsoleError, ServerError
from pgconsole.postgres.sessions import Sessions
from pgconsole.screens.restore import Confirmed, RestoreScreen
from pgconsole.screens.restore_text import RestoreText, sessions_text
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.widgets.marks import NO_MARKS, Marks

LOCAL, IN_S3 = listing(Place.LOCAL).backups[0], listing(Place.S3).backups[0]
NOBODY = Sessions(())


class Asking(App[None]):
    """Only the dialog."""

    CSS_PATH = STYLES
    get_theme_variable_defaults = PgconsoleApp.get_theme_variable_defaults

    def __init__(
        self,
        ask_sessions: Callable[[Settings], Sessions] = lambda _: NOBODY,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings if settings is not None else scenes.settings()
        self.answers: list[Confirmed | None] = []
        self._ask_sessions = ask_sessions

    def on_mount(self) -> None:
        text = RestoreText(self._settings, LOCAL, NO_MARKS, NOW)
        screen = RestoreScreen(self._settings, LOCAL, text, self._ask_sessions)
        self.push_screen(screen, self.answers.append)


async def test_a_yes_typed_by_habit_lands_in_the_target_and_starts_nothing() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen))
        assert app.focused is app.screen.query_one("#target", Input)
        await pilot.press("y", "e", "s", "enter")
        assert app.screen.query_one("#target", Input).value == "thinktankyes"
        assert "Type yes to replace thinktankyes:" in shown(app.screen)
        await pilot.press("enter")
        await until_shown(pilot, "Nothing typed: nothing happens")
        await pilot.press("escape")
        await pilot.pause()
    assert app.answers == [None]


@pytest.mark.parametrize("typed", ["Yes", "y", "yess", " yes", "no"])
async def test_only_yes_restores(typed: str) -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen))
        await pilot.press("enter", *("space" if c == " " else c for c in typed), "enter")
        await until_shown(pilot, "nothing happens")
    assert app.answers == []


async def test_yes_gives_the_token_for_this_target_and_this_copy() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen))
        await pilot.press("_", "2", "enter", "y", "e", "s", "enter")
        await until(pilot, lambda: app.answers)
    token = restore_token(settings(), "thinktank_2", LOCAL)
    assert app.answers == [Confirmed("thinktank_2", token)]


async def test_another_target_takes_back_what_was_typed() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen))
        await pilot.press("enter", "y", "e", "s", "shift+tab", "x")
        assert app.screen.query_one("#answer", Input).value == ""
        await until_shown(pilot, "Careful: it is a backup of thinktank")


async def test_without_a_target_nothing_happens() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen))
        await pilot.press("ctrl+u", "enter", "y", "e", "s", "enter")
        await until_shown(pilot, "Into which database?")
    assert app.answers == []


async def test_sessions_are_asked_for_beside_the_dialog() -> None:
    asked: list[str] = []
    answer = threading.Event()

    def ask(target: Settings) -> Sessions:
        asked.append(target.pgdatabase)
        answer.wait(30)
        if target.pgdatabase != "thinktank":
            raise ServerError("No database 'thinktankx'", cause="it does not exist")
        return Sessions((("think[tank]-api", 4), ("psql", 1)))

    app = Asking(ask)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Asking the server …")
        await pilot.press("x")
        await until(pilot, lambda: len(asked) == 2)
        answer.set()
        # The answer about the first target is not shown for the second.
        await until_shown(pilot, "Unknown: No database 'thinktankx'")
        await pilot.press("backspace")
        await until_shown(pilot, "5 sessions will be cut off: 4 think[tank]-api, 1 psql")
    assert asked == ["thinktank", "thinktankx", "thinktank"]


@pytest.mark.parametrize(
    ("sessions", "text"),
    [
        (None, "Asking the server …"),
        (NOBODY, "Nobody else is connected"),
        (PgconsoleError("It did not answer"), "Unknown: It did not answer"),
        (Sessions((("a", 9), ("b", 3), ("c", 2), ("d", 1), ("e", 1))),
         "16 sessions will be cut off: 9 a, 3 b, 2 c, 2 more"),
    ],
)  # fmt: skip
def test_sessions_in_words(sessions: Sessions | PgconsoleError | None, text: str) -> None:
    assert sessions_text(sessions) == text


def test_the_dialog_says_all() -> None:
    ours = settings(PGPASSWORD="p@ss", **S3_ENV)

    def said(backup: object = LOCAL, marks: Marks = NO_MARKS, database: str = "thinktank") -> dict:
        text = RestoreText(ours, backup, marks, NOW)  # type: ignore[arg-type]
        assert "p@ss" not in str(text.rows(database, None))
        return dict(text.rows(database, NOBODY))

    plain = said()
    assert plain["Backup"] == "thinktank_daily_20260225_020000.sql.gz, 126.0 MiB, here"
    assert plain["Proof"].startswith("· listed: nobody verified it yet")
    assert plain["Does"].endswith("Changes since 2026-02-25 02:00 are lost")
    assert plain["Before"] == "Saves the target to /backups/safety/, or stops"
    assert plain["Command"] == (
        "pgconsole restore thinktank_daily_20260225_020000.sql.gz --database thinktank"
    )
    assert said(database="a b")["Command"].endswith("--database 'a b'")
    assert said(database="other")["Does"].endswith("Careful: it is a backup of thinktank")
    there = said(IN_S3, marks_of(proof(IN_S3)))
    assert there["Command"].startswith(f"pgconsole restore --from-s3 {IN_S3.location} ")
    assert there["Proof"] == "✓ complete, 2 h ago by scheduler, in 3.2 s"
    wrong = said(marks=marks_of(proof(LOCAL, Proof.DAMAGED, problem="wrong CRC at byte 3")))
    assert wrong["Proof"] == "✗ damaged: wrong CRC at byte 3. The restore refuses it"
    changed = replace(LOCAL, size=LOCAL.size + 1)
    assert said(changed, marks_of(proof(LOCAL)))["Proof"].startswith("· listed")
