"""The plan of a restore and its question: says all, and is never passed by habit."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.planning.making import FITNESS, HOST, NOW, content, target
from tests.tui.driving import shown, until, until_shown
from tests.tui.restore_scenes import (
    EMPTY,
    FULL_DISK,
    HELD,
    LOCAL,
    SCENES,
    TARGET,
    UNREACHABLE,
    RestoreScene,
    planned,
)
from tests.tui.scenes import settings
from textual.widgets import Input

from pgconsole.backups.confirmation import restore_token
from pgconsole.planning.target import Target
from pgconsole.postgres.rows_now import Seen
from pgconsole.screens.restore import RestoreScreen
from pgconsole.widgets.grid import Grid

READY = "✓ passed"  # of the checks' tab: all has answered


async def test_a_yes_typed_by_habit_lands_in_the_target_and_starts_nothing() -> None:
    scene = RestoreScene()
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        assert app.focused is app.screen.query_one("#target", Input)
        await pilot.press("y", "e", "s", "enter")
        assert app.screen.query_one("#target", Input).value == "thinktankyes"
        await until_shown(pilot, "Type yes to replace thinktankyes:")
        await pilot.press("enter")
        await until_shown(pilot, "Nothing typed: nothing happens")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, RestoreScreen))
    assert scene.answers == []


@pytest.mark.parametrize("typed", ["Yes", "y", "yess", " yes", "no", "thinktank"])
async def test_only_yes_restores(typed: str) -> None:
    scene = RestoreScene()
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        await pilot.press("enter", *("space" if c == " " else c for c in typed), "enter")
        await until_shown(pilot, "nothing happens")
    assert scene.answers == []


async def test_yes_gives_the_token_for_this_target_and_this_copy() -> None:
    scene = RestoreScene(by_target={"thinktank_2": EMPTY})
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        await pilot.press("_", "2")
        await until_shown(pilot, "No rows are lost: 'thinktank_2' has no tables")
        await until_shown(pilot, READY)
        await pilot.press("enter", "y", "e", "s", "enter")
        await until(pilot, lambda: scene.answers)
        assert not isinstance(app.screen, RestoreScreen)
    token = restore_token(settings(), "thinktank_2", LOCAL)
    assert scene.answers == [("thinktank_2", token)]


async def test_another_target_takes_back_what_was_typed_and_asks_everything_anew() -> None:
    scene = RestoreScene(by_target={"thinktankx": None})
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents 310")
        await pilot.press("enter", "y", "e", "s", "shift+tab", "x")
        assert app.screen.query_one("#answer", Input).value == ""
        await until_shown(pilot, "Asking db.example.com:5432 what is in 'thinktankx' now")
        text = shown(app.screen)
        assert "1,250,310" not in text  # rows of the other target
        assert "to come" in text
        await until(pilot, lambda: scene.asked == ["thinktank", "thinktankx"])
        # The old target's figures are asked for again too.
        await pilot.press("backspace")
        await until_shown(pilot, "public.documents 310")
    assert scene.asked == ["thinktank", "thinktankx", "thinktank"]


async def test_an_answer_about_the_first_target_is_not_shown_for_the_second() -> None:
    first, release = threading.Event(), threading.Event()
    scene = RestoreScene(by_target={"thinktankx": EMPTY})
    looks = scene.looks()

    def slow(database: str) -> Target:
        if database == "thinktank":
            first.set()
            release.wait(30)
        return looks.target(database)

    scene.looks = lambda: replace(looks, target=slow)  # type: ignore[method-assign]
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until(pilot, first.is_set)
        await pilot.press("x")
        await until_shown(pilot, "'thinktankx' has no tables")
        release.set()
        await until(pilot, lambda: "thinktank" in scene.asked)
        await pilot.pause(0.2)
        assert "'thinktankx' has no tables" in shown(pilot.app.screen)
        assert "1,250,310" not in shown(pilot.app.screen)


async def test_without_a_target_nothing_happens() -> None:
    scene = RestoreScene()
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        await pilot.press("ctrl+u", "enter", "y", "e", "s", "enter")
        await until_shown(pilot, "Into which database? Name one above")
    assert scene.answers == []


@pytest.mark.parametrize("name", ["failed", "held", "damaged", "unreachable", "no_database"])
async def test_what_stands_in_the_way_refuses_a_yes(name: str) -> None:
    scene = SCENES[name]()
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "✗ Can't be restored: ")
        reason = next(check.brief for check in planned(app)._plan.checks if check.brief)
        await pilot.press("enter", "y", "e", "s", "enter")
        await until_shown(pilot, f"Nothing happens. {reason[:30]}")
        # Cause and cure are in the checks.
        await pilot.press("tab", "tab")
        await until_shown(pilot, "Next:")
    assert scene.answers == []


async def test_a_cause_that_goes_away_lets_yes_pass() -> None:
    scene = RestoreScene(fitness=replace(FITNESS, unsafe=(FULL_DISK,)))
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "✗ 1 failed")
        scene.fitness = FITNESS
        await pilot.press("ctrl+r")
        await until_shown(pilot, READY)
        await pilot.press("enter", "y", "e", "s", "enter")
        await until(pilot, lambda: scene.answers)


async def test_before_all_has_answered_nobody_can_say_yes() -> None:
    scene = RestoreScene(fitness=None)
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents 310")
        await pilot.press("enter", "y", "e", "s", "enter")
        await until_shown(pilot, "Nothing happens. Not all is known yet: Compatible")
        assert pilot.app.screen.query_one("#answer", Input).value == "yes"
    assert scene.answers == []


async def test_while_rows_are_counted_one_can_say_yes() -> None:
    scene = SCENES["counting"]()
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "to be counted")
        await until_shown(pilot, READY)
        await pilot.press("enter", "y", "e", "s", "enter")
        await until(pilot, lambda: scene.answers)


async def test_an_exact_figure_replaces_the_estimate_where_the_operator_looks() -> None:
    counted = threading.Event()
    scene = RestoreScene()
    looks = scene.looks()

    def rows(*_: object) -> dict[int, Seen]:
        counted.wait(30)
        return {one.oid: Seen(7) for one in TARGET.tables}

    scene.looks = lambda: replace(looks, rows=rows)  # type: ignore[method-assign]
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "~1,250,300")
        await pilot.press("tab", "tab", "j", "j")
        chosen = app.screen.query_one(Grid).selected
        counted.set()
        await until(pilot, lambda: "~1,250,300" not in shown(app.screen))
        assert app.screen.query_one(Grid).selected == chosen


@pytest.mark.parametrize(
    ("parts", "who"),
    [
        ({"content": None}, "the copy"),
        ({"host": None}, "the backup directory"),
        ({"target": None}, "the server"),
        ({"fitness": None}, "the server"),
    ],
)
async def test_who_is_silent_is_named_and_the_rest_is_usable(
    parts: dict[str, None], who: str
) -> None:
    scene = RestoreScene(**parts)  # type: ignore[arg-type]
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen))
        await until(pilot, lambda: getattr(planned(app)._facts, next(iter(parts))).asked_at)
        scene.now = NOW + timedelta(seconds=12)
        await until_shown(pilot, f"No answer from {who} for 12 s")
        await pilot.press("shift+tab")
        await until_shown(pilot, "Leaves the target as it was")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, RestoreScreen))


async def test_keys_go_on_from_part_to_part() -> None:
    app = RestoreScene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        screen = planned(app)
        for page in ("tables", "tables", "checks", "course"):
            await pilot.press("tab")
            assert screen._page == page
        await pilot.press("tab")
        assert app.focused is screen.query_one("#target", Input)
        assert screen._page == "course"
        # What scrolls does so also while something is being typed.
        await pilot.press("pagedown", "pagedown", "pagedown")
        await until_shown(pilot, "--database")
        await pilot.press("shift+tab", "1", "slash", "u", "s", "e", "r")
        await until_shown(pilot, "1 of 8")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: "1 of 8" not in shown(app.screen))
        assert isinstance(app.screen, RestoreScreen)
        await pilot.press("s", "2", "question_mark")
        await until_shown(pilot, "From the target to the question")


async def test_letters_are_typed_and_do_nothing_else() -> None:
    app = RestoreScene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        await pilot.press("q", "slash", "question_mark", "s", "2", "colon")
        assert app.screen.query_one("#target", Input).value == "thinktankq/?s2:"
        assert isinstance(app.screen, RestoreScreen)
        footer = shown(app.screen).splitlines()[-1]
        assert "Quit" not in footer
        assert "Next part" in footer
        await pilot.press("tab", "tab")
        await until(pilot, lambda: "Quit" in shown(app.screen).splitlines()[-1])


async def test_at_80x24_nothing_is_lost() -> None:
    """All facts, checks and tables can be come to, and the question is always in view."""
    app = RestoreScene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        seen = ""
        for key in ("tab", "tab", "tab", "tab", *("pagedown",) * 4):
            await pilot.press(key)
            await pilot.pause()
            now = shown(app.screen)
            assert "Type yes to replace thinktank:" in now
            assert "Into database on db.example.com:5432: thinktank" in now
            seen += " ".join(now.split())
    for name in HELD:
        assert f"public.{name}" in seen
    for words in (
        "4 of thinktank-api, 1 of psql [ana]", "/backups/safety/", "from 2 past restores",
        "Others' rights to 3", "--database thinktank", "nothing newer depends on",
        "PostgreSQL 16.14",
    ):  # fmt: skip
        assert words in seen, words


async def test_the_selected_tables_sentence_has_what_its_row_has_no_room_for() -> None:
    app = RestoreScene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        await pilot.press("down")
        await until_shown(pilot, "fewer; newest row 2026-02-25 03:58 (created_at)")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (160, 45), (300, 80)])
async def test_every_size_has_the_question(size: tuple[int, int]) -> None:
    for name in ("full", "held", "unreachable"):
        app = SCENES[name]().app()
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: planned(pilot.app)._plan.refusal[:3] != "Not")
            await until_shown(pilot, "Type yes to replace thinktank:")
            await until_shown(pilot, "Checks")


async def test_a_plan_only_asks_for_nothing() -> None:
    for name in ("plan_only", "read_only"):
        scene = SCENES[name]()
        app = scene.app()
        async with app.run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, "public.documents 310")
            await until_shown(pilot, "Only a plan")
            assert not app.screen.query("#answer")
            await pilot.press("enter", "y", "e", "s", "enter")
            await pilot.pause()
            assert isinstance(app.screen, RestoreScreen)
        assert scene.answers == []


async def test_a_protected_target_wants_its_name() -> None:
    ours = settings(PGCONSOLE_PROTECTED="true")
    scene = RestoreScene(settings=ours, by_target={"thinktankx": EMPTY})
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        assert app.screen.query_one("#restore-title").has_class("-protected")
        assert " PROTECTED" in shown(app.screen).splitlines()[0]
        await pilot.press("enter", *"yes", "enter")
        await until_shown(pilot, "“yes” is not thinktank: nothing happens")
        assert scene.answers == []
        await pilot.press("ctrl+u", *"thinktank", "shift+tab", "x")
        await until_shown(pilot, "Type thinktankx to replace it")
        assert app.screen.query_one("#answer", Input).value == ""
        await until_shown(pilot, READY)
        await pilot.press("enter", *"thinktank", "enter")
        await until_shown(pilot, "is not thinktankx")
        await pilot.press("x", "enter")
        await until(pilot, lambda: scene.answers)
    assert scene.answers == [("thinktankx", restore_token(ours, "thinktankx", LOCAL))]
    assert restore_token(settings(), "thinktankx", LOCAL) != scene.answers[0][1]


async def test_a_long_name_leaves_room_for_the_answer() -> None:
    name = "a" * 60
    scene = RestoreScene(settings=settings(PGDATABASE=name, PGCONSOLE_PROTECTED="true"))
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        assert app.screen.query_one("#answer", Input).size.width >= 10
        await pilot.press("enter", *name, "enter")
        await until(pilot, lambda: scene.answers)


async def test_hostile_text_is_text() -> None:
    named = {"[bold red]x[/]\x1b[31m": 3}
    odd = target(*TARGET.tables[:1])
    scene = RestoreScene(
        content=content(named), target=odd, host=replace(HOST, proof_problem="[red]\x1b]0;x\x07"),
        database="a[b]",
    )  # fmt: skip
    app = scene.app()
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "public.[bold red]x[/]␛[31m")
        await until_shown(pilot, "[red]")
        assert "\x1b" not in shown(app.screen)
        await until_shown(pilot, "replace a[b]")


async def test_a_server_that_goes_away_takes_its_figures_along() -> None:
    scene = RestoreScene()
    app = scene.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, READY)
        scene.target = UNREACHABLE
        await pilot.press("ctrl+r")
        await until_shown(pilot, "What would be lost is not known")
        assert "1,250,310" not in shown(app.screen)
        await pilot.press("enter", "y", "e", "s", "enter")
        await until_shown(pilot, "Nothing happens.")
    assert scene.answers == []


async def test_leaving_ends_the_counting() -> None:
    counting, ended = threading.Event(), threading.Event()
    scene = RestoreScene()
    looks = scene.looks()

    def rows(_: object, __: object, stopped: object) -> dict[int, Seen]:
        counting.set()
        assert callable(stopped)
        while not stopped():
            ended.wait(0.01)
        ended.set()
        return {}

    scene.looks = lambda: replace(looks, rows=rows)  # type: ignore[method-assign]
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await until(pilot, counting.is_set)
        assert not ended.is_set()
        await pilot.press("escape")
        await until(pilot, ended.is_set)
