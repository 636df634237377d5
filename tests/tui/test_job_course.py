"""A job's phases, throughput and commands, from its journal alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.tui.job_scenes import COMMAND

from pgconsole.jobs import JournalEntry
from pgconsole.jobs.journal import END
from pgconsole.report import Level
from pgconsole.widgets.job_course import Course, CourseReader
from pgconsole.widgets.throughput import Throughput, ThroughputMeter

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MIB = 1 << 20


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def said(
    second: float, phase: str, done: int | None = None, message: str = "", level: Level = Level.INFO
) -> JournalEntry:
    return JournalEntry(1, at(second), phase, message, level, done)


def course(*entries: JournalEntry) -> Course:
    reader = CourseReader()
    for entry in entries:
        reader.feed(entry)
    return reader.course


def test_phases_follow_each_other() -> None:
    found = course(said(0, "lock"), said(2, "dump"), said(9, "publish"), said(10, END))
    assert [(phase.name, phase.began_at) for phase in found.phases] == [
        ("lock", at(0)), ("dump", at(2)), ("publish", at(9)),
    ]  # fmt: skip
    spent = [found.spent(phase, at(12)).total_seconds() for phase in found.phases]
    assert spent == [2, 7, 3]  # what comes after the operation is none of its phases


def test_two_phases_that_take_turns_are_two() -> None:
    """An upload that fails while the dump goes on."""
    trouble = said(3, "upload", message="no copy in S3", level=Level.WARNING)
    found = course(said(0, "dump", 0), said(2, "dump", 20), trouble, said(4, "dump", 30))
    dump, upload = found.phases
    assert (found.spent(dump, at(10)), found.spent(upload, at(10))) == (
        timedelta(seconds=9), timedelta(seconds=1),
    )  # fmt: skip
    assert (dump.level, upload.level) == (Level.INFO, Level.WARNING)
    assert dump.bytes == 30
    assert dump.rate == 10  # of the bytes of which it is known when they passed


def test_what_is_known_at_once_has_no_rate() -> None:
    """After a dump that was read back meanwhile, verifying takes no time of its own."""
    found = course(said(0, "dump", 0), said(10, "dump", 500), said(10.1, "verify", 500))
    verify = found.phases[1]
    assert (verify.bytes, verify.rate) == (500, None)
    assert sum(found.throughput.spans) == 500


def test_a_clock_that_was_set_back_is_no_negative_time() -> None:
    found = course(said(0, "lock"), said(5, "dump", 0), said(2, "dump", 9), said(1, "publish"))
    spent = [found.spent(phase, at(0)) for phase in found.phases]
    assert spent == [timedelta(seconds=5), timedelta(), timedelta()]


def test_commands_are_told_from_other_messages() -> None:
    found = course(said(0, "dump", message="locked"), said(1, "dump", message=COMMAND))
    assert [(command.time, command.text) for command in found.commands] == [(at(1), COMMAND)]


def test_what_was_handed_over_does_not_change() -> None:
    reader = CourseReader()
    reader.feed(said(0, "dump", 0))
    before = reader.course
    reader.feed(said(5, "dump", 50))
    reader.feed(said(6, "publish"))
    assert [phase.bytes for phase in before.phases] == [0]
    assert before.throughput.spans == ()


def test_bytes_lie_where_they_passed() -> None:
    meter = ThroughputMeter()
    meter.add(at(0), at(2.5), 250)
    meter.add(at(4), at(4.5), 80)
    assert meter.throughput.spans == pytest.approx((100, 100, 50, 0, 80))
    assert sum(meter.throughput.until(at(7)).spans) == 330
    assert len(meter.throughput.until(at(7)).spans) == 7


@pytest.mark.parametrize("hours", [0.01, 1, 30])
def test_however_long_a_job_takes(hours: float) -> None:
    meter = ThroughputMeter()
    seconds = round(hours * 3600)
    for second in range(seconds):
        meter.add(at(second), at(second + 1), MIB)
    found = meter.throughput
    assert len(found.spans) <= 256
    assert sum(found.spans) == pytest.approx(seconds * MIB)
    for width in (58, 78, 158):
        text = found.text(width)
        assert len(text) <= width
        assert "peak 1.0 MiB/s" in text
        assert set(text.partition(" ")[0]) == {"█"}  # an even rate looks even


def test_seconds_without_a_byte_can_be_seen() -> None:
    meter = ThroughputMeter()
    meter.add(at(0), at(1), 800)
    meter.add(at(1), at(2), 100)
    meter.add(at(4), at(5), 400)
    assert meter.throughput.text(78) == "█▂··▅ peak 800 B/s, a bar is 1 s"
    assert meter.throughput.until(at(7)).text(78).startswith("█▂··▅·· peak")


def test_the_bar_that_has_only_begun_is_no_lower() -> None:
    meter = ThroughputMeter()
    meter.add(at(0), at(2), 200)
    meter.add(at(2), at(2.4), 40)
    assert meter.throughput.text(78) == "███ peak 100 B/s, a bar is 1 s"


def test_without_bytes_or_room_there_is_no_line() -> None:
    meter = ThroughputMeter()
    assert Throughput().text(78) == ""
    meter.add(at(0), at(20), 0)
    assert meter.throughput.text(78) == ""
    meter.add(at(20), at(30), 10)
    assert meter.throughput.text(20) == ""
