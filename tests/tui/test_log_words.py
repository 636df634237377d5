"""What is said about a log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from tests.tui.scenes import DONE, RUNNING

from pgconsole.actions.keymap import KeyMap
from pgconsole.errors import PgconsoleError
from pgconsole.logs.query import Query, Window
from pgconsole.logs.requests import Answer
from pgconsole.report import Level
from pgconsole.widgets.log_words import LogState, heading, info, job_text, notice, tab, window_text

NOW = datetime(2026, 2, 25, 4, 2, 11, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
JOB = "20260225T020001.000000Z-backup-1a2b"
STATE = LogState(NOW, ZoneInfo("UTC"), answer=Answer(count=1234, total=1234))
FEW = Answer(count=12, total=1_000_000)
ERRORS = Query(level=Level.ERROR, window=Window(NOW - timedelta(hours=2)))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "all logs · 1,234 lines · following"),
        ({"answer": None}, "all logs"),
        ({"answer": None, "busy": 12.3}, "all logs · no answer for 12 s"),
        ({"following": False}, "all logs · 1,234 lines · PAUSED, f follows"),
        (
            {"following": False, "keys": KeyMap({"follow": ("ctrl+e",)})},
            "all logs · 1,234 lines · PAUSED, ctrl+e follows",
        ),
        (
            {"following": False, "answer": Answer(count=20, total=20, news=3)},
            "all logs · 20 lines · PAUSED +3 lines, f follows",
        ),
        (
            {"following": False, "answer": Answer(count=1, total=1, news=1)},
            "all logs · 1 line · PAUSED +1 line, f follows",
        ),
        (
            {"following": False, "top": NOW - timedelta(days=1)},
            "all logs · 1,234 lines · from 02-24 · PAUSED, f follows",
        ),
        (
            {"query": ERRORS, "answer": FEW},
            "all logs · errors · since 02:02 · 12 of 1,000,000 lines · following",
        ),
        (
            {"query": Query(level=Level.WARNING), "answer": replace(FEW, unseen=5000)},
            "all logs · warnings and errors · 12 of 1,000,000 lines · looking at 5,000 more · "
            "following",
        ),
        (
            {"answer": Answer(count=9, total=9, unread=43 << 20)},
            "all logs · 9 lines · reading 43.0 MiB more · following",
        ),
        ({"answer": Answer(count=9, total=9, unread=99)}, "all logs · 9 lines · following"),
        ({"order": "saving"}, "all logs · 1,234 lines · saving … · following"),
        ({"marked": 3}, "all logs · 1,234 lines · 3 lines marked: y copies, Esc leaves"),
        ({"query": Query(job=JOB)}, "Backup of 02:00:01 · 1,234 lines · following"),
        (
            {"query": Query(job=JOB), "job": RUNNING},
            "Backup of 02:00:01, running · 1,234 lines · following",
        ),
        (
            {"query": Query(job=JOB), "job": DONE},
            "Backup of 02:00:01, done 1 h ago · 1,234 lines · following",
        ),
        ({"problem": PgconsoleError("x")}, "all logs · 1,234 lines · not read any more"),
    ],
)
def test_info(changes: dict[str, object], text: str) -> None:
    assert info(replace(STATE, **changes), 200) == text  # type: ignore[arg-type]


def test_info_fits_and_says_what_matters_most() -> None:
    jobs = [("", None), (JOB, DONE), (JOB, RUNNING)]
    windows = [Window(), Window(NOW - timedelta(days=3), NOW - timedelta(days=2))]
    for (job_id, job), window, level, following in product(jobs, windows, Level, [True, False]):
        query = Query("x" * 99, job_id, level, window)
        answer = Answer(count=123_456, total=1_000_000, news=0 if following else 12_345)
        state = replace(STATE, query=query, job=job, following=following, answer=answer)
        for width in (20, 58, 78, 118):
            text = info(state, width)
            assert cell_len(text) <= width
            if width >= 78:
                assert text.startswith("Backup of" if job_id else "all logs")
                assert ("PAUSED +12,345" in text) != following
                words = {Level.WARNING: "warnings", Level.ERROR: "errors"}
                assert words.get(level, "") in text
                assert ("02-22 04:02..02-23 04:02" in text) == bool(window)


def test_tab_and_heading() -> None:
    paused = replace(STATE, following=False)
    news = replace(paused, answer=Answer(news=1234))
    assert [(tab(state), heading(state)) for state in (STATE, paused, news)] == [
        ("", ""), ("paused", "paused"), ("+1,234", "paused +1,234 lines"),
    ]  # fmt: skip
    assert tab(replace(news, problem=PgconsoleError("x"))) == "✗"


def test_notice() -> None:
    def said(**changes: object) -> str:
        parts = notice(replace(STATE, **changes))  # type: ignore[arg-type]
        return "".join(part if isinstance(part, str) else str(part[0]) for part in parts)

    assert said() == ""
    assert said(answer=None) == "Reading the logs …"
    assert said(answer=Answer(unread=5)) == ""
    assert said(answer=Answer()).startswith("Nothing has been logged yet.")
    assert said(answer=Answer(), query=Query(job=JOB)).startswith("This job has no log")
    assert said(answer=Answer(total=9), query=ERRORS).startswith("None of 9 lines is shown.")
    broken = Answer(count=1, unreadable=("The log [a] can't be read: \x1b[31m",))
    assert said(answer=broken) == "! The log [a] can't be read: \N{REPLACEMENT CHARACTER}[31m\n"
    problem = PgconsoleError("The logs can't be read", cause="[red]", fix="look")
    assert said(problem=problem) == "✗ The logs can't be read\nCause: [red]\nNext: look"


def test_times_are_of_the_zone_and_have_a_day_if_it_is_another() -> None:
    day = timedelta(days=1)
    assert window_text(Window(NOW, NOW + day), NOW, BERLIN) == "05:02..02-26 05:02"
    assert window_text(Window(None, NOW - day), NOW, BERLIN) == "until 02-24 05:02"
    assert window_text(Window(), NOW, BERLIN) == ""
    assert job_text(JOB, BERLIN, NOW) == "Backup of 03:00:01"
    assert job_text(JOB, BERLIN, NOW + day) == "Backup of 02-25 03:00:01"
    assert job_text("no [id]\x1b", BERLIN, NOW) == "no [id]\N{REPLACEMENT CHARACTER}"
