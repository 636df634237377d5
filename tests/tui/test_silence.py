"""A running job without a byte says so, and why, in the strip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.tui.scenes import NOW, RUNNING
from textual.app import App, ComposeResult

from pgconsole.jobs import JournalEntry
from pgconsole.report import Level
from pgconsole.widgets.progress import Progress, ProgressMeter
from pgconsole.widgets.strips import JobStrip

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
BLOCKED = "pg_dump waits for a lock on users, blocked by process 42 (psql of bob[red], idle)"


def _entry(second: int, done: int | None, message: str = "") -> JournalEntry:
    return JournalEntry(
        1, START + timedelta(seconds=second), "dump", message, Level.INFO, done, 500
    )


def _progress(*entries: JournalEntry) -> Progress:
    meter = ProgressMeter()
    for entry in entries:
        meter.feed(entry)
    return meter.progress


def test_silence_is_counted_from_the_last_byte() -> None:
    told = _entry(15, None, f"no byte for 12 s: {BLOCKED}")
    progress = _progress(_entry(0, 5), _entry(3, 9), _entry(9, 9), told, _entry(16, 9))
    assert progress.silence(START + timedelta(seconds=12.9)) == 0
    assert progress.silence(START + timedelta(seconds=33)) == 30
    assert progress.reason == BLOCKED


def test_bytes_end_it() -> None:
    told = _entry(15, None, f"no byte for 12 s: {BLOCKED}")
    progress = _progress(_entry(3, 9), told, _entry(16, 10))
    assert (progress.reason, progress.silence(START + timedelta(seconds=20))) == ("", 0)


def test_what_has_all_its_bytes_waits_for_none() -> None:
    assert _progress(_entry(0, 500)).silence(START + timedelta(hours=1)) == 0


@pytest.mark.parametrize(("reason", "text"), [(BLOCKED, BLOCKED), ("", "why is not known yet")])
async def test_the_strip_says_it(reason: str, text: str) -> None:
    class Strip(App[None]):
        CSS = ".strip { height: auto } .strip-sign { width: 2 } .strip-text { width: 1fr }"

        def compose(self) -> ComposeResult:
            yield JobStrip()

    progress = Progress("dump", done=0, still_since=NOW - timedelta(seconds=34), reason=reason)
    app = Strip()
    async with app.run_test(size=(120, 24)) as pilot:
        strip = app.query_one(JobStrip)
        strip.show_job(RUNNING, progress, NOW, running=1, told="")
        await pilot.pause()
        shown = "\n".join(
            "".join(segment.text for segment in line)
            for line in app.screen._compositor.render_strips()
        )
    assert f"! no byte for 34 s: {text}" in shown
