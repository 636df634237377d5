"""Where a file of our own state should be, lies something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.faults import bait, hostile
from tests.faults.readers import JOB, read_everything
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.settings import Settings

_JOB = f"jobs/{JOB}"
PLACES = (
    f"{_JOB}/spec.json", f"{_JOB}/state.json", f"{_JOB}/events.jsonl", f"{_JOB}/lock",
    f"{_JOB}/cancel.json", f"{_JOB}/output.log", _JOB, "jobs", "evidence.jsonl", "pins.json",
    "pins.lock", "schedule/heartbeat.json", "schedule/pause.json", "schedule/slots.jsonl",
    "schedule/service.jsonl", "schedule/lock", "schedule", "locks/app.lock", "locks",
    "uploads/one.json", "uploads", "audit.log",
)  # fmt: skip
COMMANDS = (
    *hostile.COMMANDS,
    ("jobs", JOB),
    ("cancel", JOB),
    ("pin", "app_daily_20260225_020000.sql.gz"),
    ("pause", "--reason", "hostile"),
    ("resume",),
    ("backup",),
)
IN_PLACE = Fault(
    Group.HOSTILE,
    "a FIFO, socket, directory, device, link, hard link, garbage or a terabyte of zeros in the "
    "place of each state file",
    "whoever reads it goes on or says why; nothing is waited for, followed out or changed",
)
TYPED = Fault(
    Group.HOSTILE,
    "the same, and every command",
    "it ends within 40 s and 600 MB, with an exit code of ours and no traceback",
)


def scene(make_settings: MakeSettings, root: Path, what: str, where: str) -> Settings:
    """A directory of its own with a good backup, and something in the place of a state file."""
    make_settings.backup_dir = root / "backups"
    make_settings.backup_dir.mkdir(parents=True, mode=0o700)
    bait.lay_good(make_settings.backup_dir / "daily")
    settings = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    path = settings.state_dir / where
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    if what == bait.DEVICE and not bait.can_make_devices(root):
        pytest.skip(bait.NO_DEVICES)
    bait.THINGS[what](path)
    return settings


def outside(settings: Settings) -> dict[str, hostile.Entry]:
    """What lies beside BACKUP_DIR."""
    return hostile.contents(settings.backup_dir.parent, but=("backups", "out"))


@pytest.mark.parametrize("what", bait.THINGS)
def test_nobody_is_held_up_or_led_out(
    what: str, make_settings: MakeSettings, faults: Faults, tmp_path: Path
) -> None:
    for number, where in enumerate(PLACES):
        with faults.trial(IN_PLACE) as trial:
            settings = scene(make_settings, tmp_path / str(number), what, where)
            before, beside = hostile.contents(settings.backup_dir), outside(settings)
            raised = read_everything(settings)
            assert hostile.contents(settings.backup_dir) == before
            assert outside(settings) == beside
            assert not any(bait.SECRET.decode() in text for text in raised.values())
            assert raised["backups"] == raised["status"] == ""  # the state hides no backup
            trial.happened("read past, or refused with its path and the cause")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("half", [0, 1][: Faults.from_environment().times(1, 2)])
def test_every_command_ends(
    half: int, make_settings: MakeSettings, faults: Faults, tmp_path: Path
) -> None:
    scenes = [(what, where) for what in bait.THINGS for where in PLACES][half::2]
    chosen = faults.random("state", half).sample(scenes, faults.times(1, 30))
    for number, (what, where) in enumerate(chosen):
        with faults.trial(TYPED) as trial:
            settings = scene(make_settings, tmp_path / str(number), what, where)
            beside = outside(settings)
            said = hostile.run(settings, COMMANDS, settings.backup_dir.parent / "out")
            assert "Traceback" not in hostile.journals(settings)
            assert outside(settings) == beside, (what, where)
            listed = next(one for one in said if one.argv == ("list",))
            assert "app_daily_20260225_020000.sql.gz" in listed.out, (what, where, listed)
            trial.happened("ended, and the good backup was listed")
