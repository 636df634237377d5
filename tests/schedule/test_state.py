"""The scheduler's files: replaced at once, appended durably, read whatever they hold."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import MakeSettings

from pgconsole.errors import ConfigurationError, StorageError
from pgconsole.schedule import state
from pgconsole.schedule.history import SLOTS, Slot, SlotOutcome, append_slots
from pgconsole.schedule.state import (
    Heartbeat,
    pause,
    read_heartbeat,
    read_pause,
    read_slots,
    resume,
    schedule_directory,
    write_heartbeat,
)
from pgconsole.settings import Settings

TWO = datetime(2026, 11, 22, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEAT = Heartbeat(TWO, TWO - HOUR, "host", 42, "0 2 * * *", "Europe/Berlin")


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(PGPASSWORD="s3cret-word")


@pytest.fixture
def book(settings: Settings) -> Path:
    return schedule_directory(settings)


def slot(number: int, outcome: SlotOutcome = SlotOutcome.SKIPPED, job: str = "") -> Slot:
    return Slot(TWO + number * HOUR, outcome, "because", job, TWO)


def test_nothing_is_known_before_the_first_start(settings):
    assert read_heartbeat(settings) is None
    assert read_pause(settings, TWO) is None
    assert read_slots(settings, 10) == []
    assert not settings.state_dir.exists()


def test_a_sign_of_life(settings, book):
    write_heartbeat(settings, BEAT)
    assert read_heartbeat(settings) == BEAT
    assert (book / "heartbeat.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in book.iterdir()] == ["heartbeat.json"]


ENDLESS = (
    b'{"at": "2026-11-22T02:00:00Z", "started_at": "2026-11-22T02:00:00Z", "host": "h", '
    b'"pid": Infinity}'
)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"null", b'{"at":', b'{"at": 5}', b"\xff\xfe", ENDLESS]
)
def test_damaged_files_say_so(settings, book, content):
    book.mkdir(parents=True)
    for name in ("heartbeat.json", "pause.json"):
        (book / name).write_bytes(content)
    with pytest.raises(StorageError, match=r"heartbeat\.json can't be read"):
        read_heartbeat(settings)
    with pytest.raises(StorageError, match=r"pause\.json can't be read"):
        read_pause(settings, TWO)
    resume(settings, "alice")  # ends what nobody can read
    assert read_pause(settings, TWO) is None


def test_the_last_word_about_a_slot_counts(settings, book):
    append_slots(book, [slot(1, SlotOutcome.STARTED)])
    append_slots(book, [slot(1, SlotOutcome.STARTED, "job-1")])
    append_slots(book, [slot(2), slot(3)])
    append_slots(book, [slot(1, SlotOutcome.DONE, "job-1")])
    assert read_slots(settings, 10) == [slot(3), slot(2), slot(1, SlotOutcome.DONE, "job-1")]
    assert read_slots(settings, 2) == [slot(3), slot(2)]
    assert read_slots(settings, 1) == [slot(3)]
    assert (book / SLOTS).stat().st_mode & 0o777 == 0o600


def test_half_lines_and_lines_of_others_are_passed_over(settings, book):
    append_slots(book, [slot(1)])
    path = book / SLOTS
    with path.open("ab") as file:
        file.write(b'[]\n7\n{"due": "yesterday"}\n\xff\xfe\n\n')
        file.write(json.dumps({"due": "2026-11-22T02:00:00", "outcome": "done"}).encode() + b"\n")
        file.write(b"x" * 300_000 + b"\n")
        file.write(path.read_bytes()[:40])  # its writer was killed
    assert read_slots(settings, 10) == [slot(1)]
    append_slots(book, [slot(2)])
    assert read_slots(settings, 10) == [slot(2), slot(1)]


def test_a_look_at_the_last_slots_does_not_read_ten_years(settings, book):
    append_slots(book, [slot(number) for number in range(90_000)])
    assert (book / SLOTS).stat().st_size > 10_000_000
    before = _bytes_read()
    found = read_slots(settings, 50)
    assert _bytes_read() - before < 500_000
    assert found == [slot(number) for number in range(89_999, 89_949, -1)]


def test_slots_that_can_not_be_read(settings, book):
    (book / SLOTS).mkdir(parents=True)
    with pytest.raises(StorageError, match=r"slots\.jsonl can't be read: it is not a regular file"):
        read_slots(settings, 5)


def test_pause_and_resume_are_seen_and_audited(settings):
    before = datetime.now(UTC)
    made = pause(settings, " moving\nthe s3cret-word \x1b[31mserver ", None, "alice")
    assert (made.by, made.reason, made.until) == ("alice", "moving the *** server", None)
    assert made.since >= before
    assert read_pause(settings, made.since + 9999 * HOUR) == made
    resume(settings, "bob")
    assert read_pause(settings, made.since) is None
    first, second = map(json.loads, (settings.state_dir / "audit.log").read_text().splitlines())
    assert (first["actor"], first["action"]) == ("alice", "pause schedule")
    assert first["result"] == "paused by alice: moving the *** server"
    assert (second["actor"], second["action"]) == ("bob", "resume schedule")
    assert second["result"] == "was paused by alice: moving the *** server"


def test_a_pause_ends_by_itself(settings):
    end = datetime.now(UTC) + HOUR
    made = pause(settings, "moving", end, "alice")
    assert read_pause(settings, end - timedelta(seconds=1)) == made
    assert read_pause(settings, end) is None
    assert state.last_pause(settings) == made
    longer = pause(settings, "it takes longer", end + HOUR, "alice")
    assert read_pause(settings, end) == longer


def test_what_makes_no_pause(settings):
    with pytest.raises(ConfigurationError, match="needs a reason"):
        pause(settings, " \n\t", None, "alice")
    with pytest.raises(ConfigurationError, match="would have ended"):
        pause(settings, "moving", datetime.now(UTC) - HOUR, "alice")
    with pytest.raises(ConfigurationError, match="not paused"):
        resume(settings, "alice")
    assert not settings.state_dir.exists()


def test_a_pause_that_can_not_be_written(settings, book):
    settings.state_dir.mkdir()
    book.write_text("a file where the directory should be")
    with pytest.raises(StorageError, match="can't be paused"):
        pause(settings, "moving", None, "alice")


def _bytes_read() -> int:
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counters["rchar"])
