"""The schedule pane's words: what is due, who sees to it, what became of the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.conftest import MakeSettings
from tests.tui.scenes import BEAT, NOW, PAUSE, SLOTS, settings

from pgconsole import jobs
from pgconsole.errors import ConfigurationError
from pgconsole.schedule import next_runs
from pgconsole.schedule.state import Heartbeat, write_heartbeat
from pgconsole.schedule.state import pause as pause_schedule
from pgconsole.screens.moments import end_of
from pgconsole.screens.timetable import read_timetable
from pgconsole.widgets.line import Line
from pgconsole.widgets.schedule_text import Timetable, due_text, schedule_text

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
RUNS = tuple(next_runs("0 2 * * *", UTC_ZONE, NOW, 5))
TABLE = Timetable("0 2 * * *", UTC_ZONE, "At 02:00", RUNS)


def said(width: int = 200, **changes: object) -> str:
    line = Line()
    table = replace(TABLE, **changes)  # type: ignore[arg-type]
    line.show(*schedule_text(table, settings(), NOW, width))
    assert line._shown is not None
    return line._shown.plain


def test_scheduler_states() -> None:
    assert "? never seen" in said()
    alive = said(heartbeat=BEAT)
    assert "✓ alive   on backup-1, process 7, running for 3 d" in alive
    gone = replace(BEAT, at=NOW - timedelta(hours=3))
    assert "✗ not seen for 3 h   on backup-1" in said(heartbeat=gone)
    assert "! stopped 3 h ago" in said(heartbeat=replace(gone, stopped=True))


def test_next_runs_in_both_times_with_countdown() -> None:
    assert "Thu 2026-02-26 02:00 UTC  = Thu 03:00 CET here  in 21 h" in said()


def test_paused_says_who_why_and_until_when() -> None:
    text = said(pause=PAUSE, heartbeat=BEAT)
    assert "! paused: “moving to [new] server”, by ana 1 h ago, until" in text
    assert text.count("  skipped") == 1  # the end comes before the second run
    assert "until somebody resumes" in said(pause=replace(PAUSE, until=None))


def test_past_slots_say_what_happened_and_why() -> None:
    text = said(slots=SLOTS)
    assert "Wed 2026-02-25 02:00  ✓ done" in text
    assert "Tue 2026-02-24 02:00  ✗ failed   /backups is full" in text
    assert "Mon 2026-02-23 02:00  – skipped  a backup by ana was running" in text
    assert "Sun 2026-02-22 02:00  ! missed   the scheduler was down" in text


def test_long_reasons_go_on_under_their_beginning() -> None:
    text = said(76, slots=SLOTS)
    lines = text.splitlines()
    row = next(row for row, line in enumerate(lines) if "/backups is full" in line)
    begins = lines[row].index("/backups is full")
    assert lines[row + 1].strip()
    assert len(lines[row + 1]) - len(lines[row + 1].lstrip()) == begins
    assert all(len(line) <= 76 for line in text.splitlines())


def test_another_schedule_than_this_consoles_is_said() -> None:
    text = said(expression="0 3 * * *", zone=BERLIN)
    assert "! The scheduler follows 0 3 * * * in Europe/Berlin; this console is set" in text
    assert "0 2 * * * in UTC" in text
    assert "follows" not in said()


def test_what_to_expect_next() -> None:
    assert due_text(TABLE, NOW) == ("next due in 21 h", False)
    assert due_text(replace(TABLE, heartbeat=BEAT), NOW) == ("next due in 21 h", False)
    gone = replace(BEAT, at=NOW - timedelta(hours=3))
    assert due_text(replace(TABLE, heartbeat=gone), NOW) == ("scheduler silent 3 h", True)
    assert due_text(replace(TABLE, heartbeat=BEAT, pause=PAUSE), NOW)[1]


def test_the_living_schedulers_schedule_is_shown(make_settings: MakeSettings) -> None:
    ours = make_settings()
    now = datetime.now(UTC)
    assert read_timetable(ours, now).heartbeat is None
    beat = Heartbeat(now, now, "host", 1, "30 4 * * *", "Europe/Berlin")
    write_heartbeat(ours, beat)
    table = read_timetable(ours, now)
    assert (table.expression, table.zone) == ("30 4 * * *", BERLIN)
    assert table.runs[0].astimezone(BERLIN).strftime("%H:%M") == "04:30"
    # One that is gone decides nothing any more.
    write_heartbeat(ours, replace(beat, at=now - timedelta(hours=3)))
    assert read_timetable(ours, now).expression == "0 2 * * *"
    pause_schedule(ours, "moving", None, "ana")
    paused = read_timetable(ours, datetime.now(UTC)).pause
    assert paused is not None
    assert (paused.reason, paused.by) == ("moving", "ana")
    assert jobs.list_jobs(ours) == []


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", None),
        (" 2h ", NOW + timedelta(hours=2)),
        ("1d12h", NOW + timedelta(hours=36)),
        ("2026-03-01 06:00", datetime(2026, 3, 1, 5, 0, tzinfo=UTC)),
    ],
)
def test_ends(text: str, end: datetime | None) -> None:
    assert end_of(text, NOW, BERLIN) == end


@pytest.mark.parametrize(
    "text", ["soon", "2", "25:00", "0 h", "-1 h", "2026-02-25 04:00", "2026-13-01"]
)
def test_no_ends(text: str) -> None:
    with pytest.raises(ConfigurationError):
        end_of(text, NOW, BERLIN)
