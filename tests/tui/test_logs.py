"""The log pane on real journals: what is shown, left out, found and taken away."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.logs.writing import LogHome, entry
from tests.tui.driving import shown, until, until_shown
from tests.tui.log_scenes import (
    app_on,
    at,
    home_in,
    info,
    opened,
    opened_again,
    pane_of,
    told,
)
from tests.tui.pictures import LARGE, SMALL
from tests.tui.scenes import NOW
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.scrollbar import ScrollTo, ScrollUp

from pgconsole.jobs.store import jobs_directory
from pgconsole.logs.files import places_of
from pgconsole.screens.log_pane import LogPane


async def test_all_logs_in_the_order_of_time(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=LARGE) as pilot:
        pane = await opened(pilot, "g")
        text = shown(app.screen)
        assert "── Tue 2026-02-24 UTC ──" in text
        assert "02:00:00  service  schedule  slot 02:00: a backup is due" in text
        assert "02:00:09  backup   dump      ! public.legacy [notes] has no primary key" in text
        assert len(told(pilot)) == 16
        assert [text.startswith("backup done") for text in told(pilot)][7]
        assert info(pilot) == "all logs · 16 lines · following"
        await pilot.press("escape")
        assert not app.screen.has_class("-log-full")
        assert pane.display


async def test_it_follows_pauses_and_counts_what_came(home: LogHome) -> None:
    app = app_on(home)
    job = home.job(at(7000), "verify")
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        home.write(job, *[entry(7000 + n, f"line {n}") for n in range(50)])
        await until(pilot, lambda: told(pilot)[-1:] == ["line 49"])
        await pilot.press("k", "k")
        await until(pilot, lambda: told(pilot)[-1:] == ["line 47"])
        assert info(pilot).endswith("· PAUSED, f follows")
        home.write(job, *[entry(7100 + n, f"later {n}") for n in range(1234)])
        await until_shown(pilot, "PAUSED +1,234 lines, f follows")
        assert told(pilot)[-1] == "line 47"
        await pilot.press("l")  # all panes again
        await pilot.press("4")
        await until_shown(pilot, "[4 Log · +1,234]")
        await pilot.press("f")
        await until(pilot, lambda: told(pilot)[-1:] == ["later 1233"])
        await until_shown(pilot, "[4 Log]")
        assert info(pilot).endswith("following")
        await pilot.press("space")
        await until_shown(pilot, "[4 Log · paused]")
        await pilot.press("space")
        # Scrolling back pauses, the end follows.
        await pilot.press("pageup")
        await until_shown(pilot, "[4 Log · paused]")
        await pilot.press("pagedown", "down")
        await until_shown(pilot, "[4 Log]")


async def test_the_wheel_pauses_and_follows(home: LogHome) -> None:
    job = home.job(at(7000), "verify")
    home.write(job, *[entry(7000 + n, f"line {n}") for n in range(50)])
    app = app_on(home)
    async with app.run_test(size=SMALL) as pilot:
        pane = await opened(pilot)
        await until(pilot, lambda: told(pilot)[-1:] == ["line 49"])

        def wheel(kind: type[events.MouseEvent]) -> None:
            event = kind(pane.view, 5, 5, 0, 0, 0, False, False, False)
            pane.view.post_message(event)

        wheel(events.MouseScrollUp)
        await until(pilot, lambda: told(pilot)[-1:] == ["line 46"])
        assert not pane.view.viewport.following
        wheel(events.MouseScrollDown)
        await until(pilot, lambda: told(pilot)[-1:] == ["line 49"])
        assert pane.view.viewport.following


async def test_the_scrollbar_goes_anywhere(home: LogHome) -> None:
    job = home.job(at(7000), "verify")
    home.write(job, *[entry(7000 + n / 10, f"line {n}") for n in range(5000)])
    app = app_on(home)
    async with app.run_test(size=SMALL) as pilot:
        pane = await opened(pilot)
        pane.view.post_message(ScrollTo(y=1016, animate=False))
        await until(pilot, lambda: told(pilot)[:1] == ["line 1000"])
        assert "PAUSED" in info(pilot)
        assert round(pane.view.scroll_y) == 1016
        pane.view.post_message(ScrollUp())
        await until(pilot, lambda: told(pilot)[:1] == [f"line {1000 - pane.view.size.height + 1}"])
        pane.view.post_message(ScrollTo(y=pane.view.max_scroll_y, animate=False))
        await until(pilot, lambda: told(pilot)[-1:] == ["line 4999"])
        assert info(pilot).endswith("following")


async def test_what_leaves_lines_out_is_said_and_taken_back_one_by_one(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=LARGE) as pilot:
        await opened(pilot, "L")
        assert info(pilot) == "all logs · warnings and errors · 5 of 16 lines · following"
        await opened_again(pilot, "T", *"3h", "enter")
        assert info(pilot).startswith(
            "all logs · warnings and errors · since 01:02 · 3 of 16 lines"
        )
        await opened_again(pilot, "slash", *"!bucket", "enter")
        assert told(pilot) == [
            "! public.legacy [notes] has no primary key", "✗ backup done after 17 s",
        ]  # fmt: skip
        assert "/ !bucket" in shown(app.screen)
        assert "2 of 16" in shown(app.screen)
        await opened_again(pilot, "L")
        assert told(pilot) == ["✗ backup done after 17 s"]
        await opened_again(pilot, "left_square_bracket", "ctrl+f", *"done", "enter")
        counts = []
        for _ in range(5):
            await opened_again(pilot, "escape")
            counts.append(info(pilot).rpartition(" · ")[0])
        # The search, then the filter, the window, the level, the job.
        assert counts == [
            "Backup of 02:00:01, done 2 h ago · errors · since 01:02 · 0 of 16 lines",
            "Backup of 02:00:01, done 2 h ago · errors · since 01:02 · 1 of 16 lines",
            "Backup of 02:00:01, done 2 h ago · errors · 1 of 16 lines",
            "Backup of 02:00:01, done 2 h ago · 6 lines",
            "all logs · 16 lines",
        ]  # fmt: skip
        await pilot.press("escape")
        assert not app.screen.has_class("-log-full")


async def test_a_filter_that_is_none_and_one_that_nothing_matches(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, "slash", "left_square_bracket")
        await until_shown(pilot, "! unterminated character set")
        assert len(told(pilot)) > 3  # as it was
        await opened_again(pilot, "backspace", *"nowhere", "enter")
        await until_shown(pilot, "None of 16 lines is shown. Esc takes back")
        assert pane_of(pilot).view.has_focus
        await opened_again(pilot, "escape")
        await until(pilot, lambda: len(told(pilot)) > 3)


async def test_a_window_that_is_none_can_be_corrected(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await opened_again(pilot, "T", *"24x", "enter")
        await until_shown(pilot, "'24x' is neither a length")
        await opened_again(pilot, "backspace", "h", "enter")
        assert "since 02-24 04:02 · 8 of 16" in info(pilot)
        await opened_again(pilot, "T", *"02:00:05..02:00:10", "enter")
        assert "02:00..02:00 · 2 of 16" in info(pilot)


async def test_search_goes_from_match_to_match_and_around(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=LARGE) as pilot:
        pane = await opened(pilot, "ctrl+f", *"legacy", "enter")

        def found() -> str:
            key = pane.view.found
            line = next(one for one in pane._talk.answer.lines if one.key == key)  # type: ignore[union-attr]
            return f"{line.time:%d} {line.text}"

        assert found() == "25 public.legacy [notes] has no primary key"
        assert "▌02:00:09" in shown(app.screen)
        assert "on from" not in shown(app.screen)
        await opened_again(pilot, "N")
        assert found().startswith("24 ")
        assert "n next, N before" in shown(app.screen)
        await opened_again(pilot, "N")
        assert found().startswith("25 ")
        assert "on from the end · n next, N before" in shown(app.screen)
        await opened_again(pilot, "n")
        assert found().startswith("24 ")
        assert "on from the start" in shown(app.screen)
        assert "PAUSED" in info(pilot)
        await opened_again(pilot, "escape")
        assert pane.view.found is None
        await opened_again(pilot, "n", *"nowhere", "enter")  # nothing is searched for: it asks
        assert "no match" in shown(app.screen)
        await opened_again(pilot, "ctrl+f", "ctrl+u", "left_parenthesis", "enter")
        assert "! missing ), unterminated subpattern" in shown(app.screen)
        await opened_again(pilot, "escape")
        assert pane.view.has_focus


async def test_search_in_many_lines_brings_its_match_into_view(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    job = home.job(at(0))
    texts = [f"line {n}" + " needle" * (n in (1000, 3000)) for n in range(5000)]
    home.write(job, *[entry(n / 10, text) for n, text in enumerate(texts)])
    app = app_on(home)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, "ctrl+f", *"needle", "enter")
        await until_shown(pilot, "line 3000 needle")
        await opened_again(pilot, "N")
        await until_shown(pilot, "line 1000 needle")
        await opened_again(pilot, "slash", *"[05]00", "enter")
        await until_shown(pilot, "line 1000 needle")
        assert "line 1500" in shown(app.screen)
        top = told(pilot)[0]
        await opened_again(pilot, "escape", "escape")
        assert told(pilot)[0] == top  # the place stays
        assert told(pilot)[1] == f"line {int(top.split()[1]) + 1}"


async def test_jobs_one_by_one_and_all(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=LARGE) as pilot:
        pane = await opened(pilot, "left_square_bracket")
        assert info(pilot).startswith("Backup of 02:00:01, done 2 h ago · 6 lines")
        assert "service" not in shown(app.screen)
        newest = pane.job
        await opened_again(pilot, "left_square_bracket", "left_square_bracket")
        assert info(pilot).startswith("Backup of 02-24 02:00:01, done 26 h ago · 6 lines")
        assert "reset by minio" in shown(app.screen)
        await opened_again(pilot, "right_square_bracket")
        assert pane.job == newest
        await opened_again(pilot, "right_square_bracket")
        assert pane.job == ""
        await opened_again(pilot, "left_square_bracket", "left_square_bracket", "a")
        assert info(pilot).startswith("all logs · 16 lines")


async def test_one_job_alone(home: LogHome) -> None:
    """As the screen of a job has it: nothing leads away from its lines."""
    job = min(path.name for path in jobs_directory(home.settings).iterdir())
    places = partial(places_of, home.settings, 200)

    class Alone(Screen[None]):
        def compose(self) -> ComposeResult:
            yield LogPane(home.settings, places, lambda: NOW, 1, job=job)

    app = app_on(home)
    async with app.run_test(size=LARGE) as pilot:
        await until_shown(pilot, "Protected")
        await app.push_screen(Alone())
        pane = app.screen.query_one(LogPane)
        await until(pilot, lambda: pane.view.viewport.count == 6)
        pane.view.focus()
        for key in ("left_square_bracket", "a", "right_square_bracket", "escape", "L", "escape"):
            await pilot.press(key)
            assert pane.job == job
        await until(pilot, lambda: pane.view.viewport.count == 6)
        assert isinstance(app.screen, Alone)


async def test_lines_are_wrapped_or_cut(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=(60, 24)) as pilot:
        await opened(pilot, "w")
        assert told(pilot)[-3] == "read back 126.0 MiB, every C"
        assert len(told(pilot)) == 16
        await opened_again(pilot, "right", "right")
        assert told(pilot)[-3].startswith("MiB, every CRC right")
        await opened_again(pilot, "left", "left", "left", "w")
        assert told(pilot)[-3].startswith("read back")
        assert len(told(pilot)) < 16


async def test_marked_lines_are_copied(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        pane = await opened(pilot, "y")
        assert info(pilot).endswith("1 line marked: y copies, Esc leaves")
        await opened_again(pilot, "k", "k")
        assert info(pilot).endswith("3 lines marked: y copies, Esc leaves")
        assert shown(app.screen).count("▌02:00:1") == 3
        await opened_again(pilot, "y")
        await until_shown(pilot, "Sent to the terminal")
        [toast] = app._notifications
        assert toast.message.endswith("… (3 lines)")
        assert app.clipboard.splitlines() == [
            "2026-02-25T02:00:12.000Z backup verify: read back 126.0 MiB, every CRC right, "
            "48 tables, 1,250,000 rows",
            "2026-02-25T02:00:14.500Z backup upload: ERROR: the bucket does not answer: "
            "connection refused",
            "2026-02-25T02:00:19.000Z service schedule: ERROR: backup done after 17 s",
        ]
        await opened_again(pilot, "y", "g")
        assert info(pilot).endswith("16 lines marked: y copies, Esc leaves")
        await opened_again(pilot, "escape")
        assert pane.view.marked is None
        await opened_again(pilot, "ctrl+f", *"locked", "enter", "y")
        rows = shown(app.screen).splitlines()
        row = max(n for n, text in enumerate(rows) if "pg_dump started" in text)
        await pilot.click(offset=(40, row))
        assert info(pilot).endswith("3 lines marked: y copies, Esc leaves")


async def test_more_than_a_terminal_takes_is_not_copied(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    home.write(home.job(at(0)), *[entry(n / 10, f"line {n}") for n in range(3000)])
    app = app_on(home)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, "g", "y", "j", "G")
        await until(pilot, lambda: told(pilot)[-1:] == ["line 2999"])
        await pilot.press("y")
        await until_shown(pilot, "lines are too many for a terminal: S saves them")
        assert app.clipboard == ""


async def test_what_is_shown_is_saved_and_nothing_is_overwritten(
    home: LogHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "taken").write_text("mine")
    monkeypatch.chdir(target)
    app = app_on(home)
    async with app.run_test(size=LARGE, notifications=True) as pilot:
        await opened(pilot, "L")
        await opened_again(pilot, "S")
        await until_shown(pilot, "S pgconsole-logs-20260225_040211.log")
        await opened_again(pilot, "ctrl+u", *"taken", "enter")
        await until_shown(pilot, "! that file exists: choose another name")
        await opened_again(pilot, "ctrl+u", *"~nobody_of_that_name/x", "enter")
        await until_shown(pilot, "! Could not determine home directory")
        await opened_again(pilot, "ctrl+u", *"no/x", "enter")
        await until_shown(pilot, "! there is no directory")
        await opened_again(pilot, "escape")
        assert sorted(path.name for path in target.iterdir()) == ["taken"]
        await opened_again(pilot, "S", "ctrl+u", *"new.log", "enter")
        await until_shown(pilot, "5 lines in ")
    saved = target / "new.log"
    assert saved.stat().st_mode & 0o777 == 0o600
    assert [text.split(": ", 1)[1][:5] for text in saved.read_text().splitlines()] == [
        "WARNI", "WARNI", "WARNI", "ERROR", "ERROR",
    ]  # fmt: skip
    assert (target / "taken").read_text() == "mine"


async def test_help_and_palette_have_the_log_in_it(home: LogHome) -> None:
    app = app_on(home)
    async with app.run_test(size=LARGE) as pilot:
        await until_shown(pilot, "Protected")
        await pilot.press("question_mark")
        await until_shown(pilot, "q quits")
        assert "15m, 2h, 02:00" not in shown(app.screen)  # in the backups T does nothing
        await pilot.press("escape", "4", "question_mark", "G")
        await until_shown(pilot, "Show a window of time only: 15m, 2h, 02:00, 02:00..03:30")
        await pilot.press("escape", "colon", *"warnings")
        await until_shown(pilot, "Only warnings and errors")
        await pilot.press("enter")
        await until(pilot, lambda: "warnings and errors" in info(pilot))
