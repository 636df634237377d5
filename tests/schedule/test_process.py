"""`pgconsole schedule` as a container runs it: a process, signals, and who else is there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM, environment, run
from tests.conftest import MakeSettings
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import StorageError
from pgconsole.locks import is_held
from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.schedule.state import (
    read_heartbeat,
    read_pause,
    read_slots,
    schedule_directory,
)
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e

STARTED, DONE = SlotOutcome.STARTED, SlotOutcome.DONE
FAILED, SKIPPED = SlotOutcome.FAILED, SlotOutcome.SKIPPED

# The scheduler whose clock shows a second before the full minute when it starts.
JUST_BEFORE_A_SLOT = """
import sys
from datetime import UTC, datetime, timedelta
from pgconsole.schedule.service import run_scheduler
from pgconsole.settings import load_settings
start = datetime.now(UTC)
ahead = timedelta(seconds=(58 - start.second) % 60)
write = lambda line: print(line, file=sys.stderr, flush=True)
sys.exit(run_scheduler(load_settings(), write, lambda: datetime.now(UTC) + ahead))
"""


class Service:
    """A running scheduler and its log."""

    def __init__(self, settings: Settings, command: list[str], log: Path, **more: str) -> None:
        self.settings = settings
        self._log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, env=environment(settings, **more), stdin=subprocess.DEVNULL,
                stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text()

    def slots(self) -> list[Slot]:
        """All slots, the oldest first."""
        return read_slots(self.settings, 99)[::-1]

    def when(self, condition: Callable[[list[Slot]], object]) -> list[Slot]:
        """The slots as soon as they are as wanted."""
        return wait_until(lambda: (slots := self.slots()) and condition(slots) and slots)

    def said(self, text: str) -> None:
        """Wait until the log has it."""
        wait_until(lambda: text in self.log)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database)


@pytest.fixture
def serve(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts schedulers, and ends those that the test leaves running."""
    services: list[Service] = []

    def start(script: str = "", **more: str) -> Service:
        command = [sys.executable, "-c", script] if script else [PROGRAM, "schedule"]
        log = tmp_path / f"log-{len(services)}"
        services.append(Service(settings, command, log, **more))
        return services[-1]

    yield start
    for service in services:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


def test_an_initial_backup_signs_of_life_and_an_orderly_end(serve, settings):
    before = datetime.now(UTC)
    service = serve()
    [slot] = service.when(lambda slots: slots[-1].outcome is DONE)
    assert before < slot.due < datetime.now(UTC)
    assert slot.why == "at start-up"
    service.said("next backup: ")
    done, upcoming = service.log.splitlines()[-2:]  # what `docker logs --tail=5` is asked for
    assert f"schedule: backup of {slot.due:%Y-%m-%d %H:%M:%S} UTC done: " in done
    assert upcoming.endswith(" 02:00 UTC")
    [path] = (settings.backup_dir / "daily").glob("*.sql.gz")
    assert path.name in done
    heartbeat = read_heartbeat(settings)
    assert heartbeat is not None
    assert (heartbeat.pid, heartbeat.stopped) == (service.process.pid, False)
    assert service.end() == 0
    heartbeat = read_heartbeat(settings)
    assert heartbeat is not None
    assert heartbeat.stopped
    assert service.log.endswith("schedule: stopped\n")
    assert not is_held(schedule_directory(settings) / "lock")


def test_it_wakes_up_for_a_slot(serve, settings):
    service = serve(JUST_BEFORE_A_SLOT, BACKUP_SCHEDULE="* * * * *")
    slots = service.when(
        lambda slots: len(slots) == 2 and slots[1].outcome is not SlotOutcome.STARTED
    )
    assert slots[1].due.second == 0
    # It is skipped if the initial backup took more than the two seconds that it had.
    assert slots[1].outcome in (DONE, SKIPPED)
    assert service.end(signal.SIGINT) == 0


def test_told_to_end_it_waits_for_the_backup(serve, settings, postgres16, database):
    with blocked_dump(postgres16, database):
        service = serve()
        wait_for_dump(postgres16, database)
        service.process.send_signal(signal.SIGTERM)
        service.said("told to end: waiting for the backup")
        assert service.process.poll() is None
    assert service.process.wait(20) == 0
    assert [slot.outcome for slot in service.slots()] == [DONE]


@pytest.mark.parametrize("on_stop", ["cancel", "wait"])
def test_told_to_end_it_cancels_the_backup(on_stop, serve, settings, postgres16, database):
    """At once if so configured, else when it is told twice."""
    with blocked_dump(postgres16, database):
        service = serve(PGCONSOLE_ON_STOP=on_stop)
        wait_for_dump(postgres16, database)
        if on_stop == "wait":
            service.process.send_signal(signal.SIGTERM)
            service.said("told to end: waiting")
        assert service.end() == 0
    [slot] = service.slots()
    assert slot.outcome is FAILED
    assert "cancelled" in slot.why
    assert "scheduler asked for it" in slot.why
    [job] = jobs.list_jobs(settings)
    assert job.status is jobs.JobStatus.CANCELLED
    assert not list(settings.backup_dir.glob("daily/*"))


def test_a_second_scheduler_learns_who_is_there(serve, settings):
    service = serve()
    service.when(lambda slots: slots[-1].outcome is DONE)
    second = run(settings, "schedule")
    assert second.returncode == 3
    assert f"Another scheduler runs on {settings.backup_dir}" in second.stderr
    assert f"process {service.process.pid} on " in second.stderr
    assert len(service.slots()) == 1
    assert service.end() == 0


def test_killed_and_started_again(serve, settings, postgres16, database):
    with blocked_dump(postgres16, database):
        first = serve()
        wait_for_dump(postgres16, database)
        first.process.kill()
        first.process.wait()
        second = serve()
        second.when(lambda slots: len(slots) == 2)
        assert [slot.outcome for slot in second.slots()] == [STARTED, SKIPPED]
    slots = second.when(lambda slots: slots[0].outcome is DONE)
    assert "is still running" in slots[1].why
    assert len(jobs.list_jobs(settings)) == 1
    assert second.end() == 0


def test_paused_from_the_command_line(serve, settings):
    end = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
    paused = run(settings, "pause", "--reason", "moving house", "--until", end.isoformat())
    assert paused.returncode == 0, paused.stderr
    assert "The schedule is paused by " in paused.stderr
    assert "moving house" in paused.stderr
    found = read_pause(settings, datetime.now(UTC))
    assert found is not None
    assert (found.reason, found.until) == ("moving house", end)
    service = serve()
    [slot] = service.when(lambda slots: slots)
    assert (slot.outcome, "moving house" in slot.why) == (SKIPPED, True)
    assert service.end() == 0
    assert run(settings, "resume").returncode == 0
    assert read_pause(settings, datetime.now(UTC)) is None
    again = run(settings, "resume")
    assert again.returncode == 2
    assert "not paused" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pause"], "--reason"),
        (["pause", "--reason", " "], "needs a reason"),
        (["pause", "--reason", "x", "--until", "soon"], "'soon' is no end for a pause"),
        (["pause", "--reason", "x", "--until", "2020-01-01"], "would have ended"),
    ],
)
def test_what_makes_no_pause(arguments, says, settings):
    refused = run(settings, *arguments)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert read_pause(settings, datetime.now(UTC)) is None


def test_a_schedule_that_is_none(settings):
    refused = run(settings, "schedule", BACKUP_SCHEDULE="0 2 * * 1#1")
    assert refused.returncode == 2
    assert "field 5 (day of the week) is '1#1'" in refused.stderr


def test_a_directory_that_can_not_be_written(settings):
    settings.state_dir.write_text("a file where the directory should be")
    refused = run(settings, "schedule")
    assert refused.returncode == StorageError.exit_code
    assert "can't be used" in refused.stderr
