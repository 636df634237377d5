"""What is done with which slot: each rule by itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pgconsole.schedule.course import (
    Course,
    Situation,
    accounted_ahead,
    decide,
    decide_at_start,
    is_fresh,
    may_wait,
    missed_slots,
)
from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.schedule.state import Heartbeat, Pause

UTC_ZONE = ZoneInfo("UTC")
HOUR = timedelta(hours=1)
TWO = datetime(2026, 11, 22, 2, tzinfo=UTC)
FREE = Situation()
STARTED, SKIPPED, MISSED = SlotOutcome.STARTED, SlotOutcome.SKIPPED, SlotOutcome.MISSED


def daily(now, ran=()):
    return Course("0 2 * * *", UTC_ZONE, now, ran)


def told(slots):
    return [(slot.due, slot.outcome) for slot in slots]


def test_a_slot_comes_once_and_in_time():
    course = daily(TWO - HOUR)
    assert course.next == TWO
    assert course.due(TWO - timedelta(seconds=1)) == []
    assert course.due(TWO) == [TWO]
    assert course.due(TWO + HOUR) == []
    assert course.next == TWO + 24 * HOUR
    [slot] = decide([TWO], TWO + timedelta(seconds=1), FREE)
    assert (slot.outcome, slot.why) == (STARTED, "")


def test_a_slot_while_somebody_is_at_work_is_skipped():
    [slot] = decide([TWO], TWO, Situation("a restore by alice"))
    assert (slot.outcome, slot.why, slot.at) == (SKIPPED, "a restore by alice", TWO)


def test_a_pause_is_the_reason_until_it_ends():
    pause = Pause("alice", "moving", TWO - HOUR, TWO + HOUR)
    [slot] = decide([TWO], TWO, Situation("somebody", pause))
    assert slot.outcome is SKIPPED
    assert slot.why == "paused by alice, until 2026-11-22 03:00:00 UTC: moving"
    [slot] = decide([TWO + HOUR], TWO + HOUR, Situation(pause=pause))
    assert slot.outcome is STARTED
    # A clock that is set back does not end it.
    assert pause.ended(TWO - 9 * HOUR) is False
    [slot] = decide([TWO - 9 * HOUR], TWO - 9 * HOUR, Situation(pause=pause))
    assert slot.outcome is SKIPPED


def test_of_the_slots_that_a_sleeping_host_missed_one_is_made_up():
    due = [TWO, TWO + 24 * HOUR, TWO + 48 * HOUR]
    slots = decide(due, due[-1] + 3 * HOUR, FREE)
    assert told(slots) == [(due[0], MISSED), (due[1], MISSED), (due[2], STARTED)]
    assert slots[-1].why == "made up after 3 hours"
    assert "nobody was there" in slots[0].why
    assert "the backup of 2026-11-24 02:00:00 UTC makes up for it" in slots[0].why


def test_a_pause_that_ended_while_the_host_slept():
    """Slots in it were skipped, not missed; and what lies in it is not made up."""
    pause = Pause("alice", "moving", TWO - HOUR, TWO + 25 * HOUR)
    due = [TWO, TWO + 24 * HOUR]
    assert told(decide(due, TWO + 30 * HOUR, Situation(pause=pause))) == [
        (due[0], SKIPPED), (due[1], SKIPPED),
    ]  # fmt: skip
    due.append(TWO + 48 * HOUR)
    assert told(decide(due, TWO + 50 * HOUR, Situation(pause=pause)))[2] == (due[2], STARTED)


def test_the_backup_at_start_up_makes_up_for_all():
    now = TWO + 30 * HOUR
    missed = [TWO, TWO + 24 * HOUR]
    slots = decide_at_start(missed, now, FREE)
    assert told(slots) == [(missed[0], MISSED), (missed[1], MISSED), (now, STARTED)]
    assert slots[-1].why == "at start-up"
    assert slots[0].why == (
        "the scheduler was not running; the backup of 2026-11-23 08:00:00 UTC makes up for it"
    )


def test_at_start_up_in_a_pause_or_while_somebody_is_at_work():
    pause = Pause("alice", "moving", TWO + HOUR, None)
    now = TWO + 30 * HOUR
    due = [TWO, TWO + 24 * HOUR]
    slots = decide_at_start(due, now, Situation(pause=pause))
    assert told(slots) == [(due[0], MISSED), (due[1], SKIPPED), (now, SKIPPED)]
    assert slots[0].why == "the scheduler was not running"
    slots = decide_at_start(due, now, Situation("a restore"))
    assert told(slots) == [(due[0], MISSED), (due[1], MISSED), (now, SKIPPED)]


def test_the_backup_at_start_up_is_left_out_where_a_good_one_is_newer_than_the_last_slot():
    now = TWO + HOUR
    [slot] = decide_at_start([], now, FREE, TWO + HOUR / 2)
    assert (slot.due, slot.outcome) == (now, SKIPPED)
    assert slot.why == "the good backup of 2026-11-22 02:30:00 UTC was taken since the last slot"
    [slot] = decide_at_start([], now, Situation("a restore by alice"), TWO + HOUR / 2)
    assert slot.why == "a restore by alice"


def test_what_is_newer_than_the_last_slot():
    def fresh(taken, now):
        return is_fresh(taken, now, "0 2 * * *", UTC_ZONE)

    assert fresh(TWO + timedelta(seconds=1), TWO + 23 * HOUR)
    assert not fresh(TWO, TWO + HOUR)  # the one of the slot itself
    assert not fresh(TWO - HOUR, TWO + HOUR)
    assert not fresh(TWO + HOUR, TWO + 24 * HOUR)
    assert not fresh(TWO + 2 * HOUR, TWO + HOUR)  # its clock was wrong


def test_waiting_ends_after_five_minutes_whatever_the_clock_does():
    minute = timedelta(minutes=1)
    assert may_wait(TWO, TWO)
    assert may_wait(TWO, TWO + 5 * minute)
    assert not may_wait(TWO, TWO + 6 * minute)
    assert not may_wait(TWO, TWO - 6 * minute)


def test_a_clock_set_back_a_little_repeats_nothing():
    course = daily(TWO - HOUR)
    assert course.due(TWO) == [TWO]
    assert not course.is_ahead_of(TWO - 2 * HOUR)
    assert course.due(TWO - HOUR) == course.due(TWO) == []
    # Also if the scheduler is started anew meanwhile, whatever became of the slot.
    for outcome in SlotOutcome:
        past = [Slot(TWO, outcome, "", "", TWO)]
        course = daily(TWO - HOUR, accounted_ahead(past, TWO - HOUR))
        assert course.due(TWO) == []
        assert course.next == TWO + 24 * HOUR


def test_a_clock_that_was_wrong_for_years_stops_nothing():
    """The slots up to 2030 were missed by a wrong clock; only what ran does not run again."""
    course = daily(TWO - HOUR)
    wrong = TWO + timedelta(days=300)
    due = course.due(wrong)
    assert len(due) == 301
    past = decide(due, wrong, FREE)
    assert course.is_ahead_of(TWO)
    right_again = daily(TWO + HOUR, accounted_ahead(past, TWO + HOUR))
    assert right_again.due(TWO + 24 * HOUR) == [TWO + 24 * HOUR]
    assert right_again.due(wrong)[-1] == wrong - timedelta(days=1)


def test_a_clock_that_starts_in_1970():
    """It writes down a year of missed slots, not 56."""
    course = daily(datetime(1970, 1, 1, tzinfo=UTC))
    due = course.due(TWO)
    assert len(due) == 366
    assert due[-1] == TWO
    assert course.next == TWO + 24 * HOUR


def test_what_was_missed_is_what_the_schedule_of_then_wanted():
    past = [Slot(TWO, SlotOutcome.DONE, "", "", TWO)]
    now = TWO + 49 * HOUR
    beat = Heartbeat(TWO + HOUR, TWO, "host", 1, "0 2 * * *", "Europe/Berlin")
    new = ("*/5 * * * *", UTC_ZONE)
    assert missed_slots(past, beat, now, *new) == [
        datetime(2026, 11, 23, 1, tzinfo=UTC), datetime(2026, 11, 24, 1, tzinfo=UTC),
    ]  # fmt: skip
    unknown = Heartbeat(TWO + HOUR, TWO, "host", 1, "@fortnightly", "Mars/Olympus")
    for last_life in (None, unknown):
        assert len(missed_slots(past, last_life, now, *new)) == 49 * 12 - 1


def test_what_was_missed_before_the_clock_was_set_back():
    ahead = Slot(TWO + 24 * HOUR, SlotOutcome.DONE, "", "", TWO)
    past = [ahead, Slot(TWO - 48 * HOUR, SlotOutcome.DONE, "", "", TWO)]
    found = missed_slots(past, None, TWO + HOUR, "0 2 * * *", UTC_ZONE)
    assert found == [TWO - 24 * HOUR, TWO]


def test_nothing_was_missed_before_the_first_start():
    assert missed_slots([], None, TWO, "* * * * *", UTC_ZONE) == []


def test_a_lost_book_begins_with_the_last_sign_of_life():
    beat = Heartbeat(TWO - 25 * HOUR, TWO, "host", 1, "0 2 * * *", "UTC")
    assert missed_slots([], beat, TWO + HOUR, "0 2 * * *", UTC_ZONE) == [TWO - 24 * HOUR, TWO]


def test_a_start_on_the_very_second_of_a_slot_is_one_backup():
    past = [Slot(TWO - 24 * HOUR, SlotOutcome.DONE, "", "", TWO)]
    assert missed_slots(past, None, TWO, "0 2 * * *", UTC_ZONE) == []
    assert daily(TWO).due(TWO + HOUR) == []
