"""Among the backups lie links, pipes, devices, directories, and names that are a trap."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.faults import bait, hostile
from tests.faults.readers import bounded_memory, read_everything
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.backups.catalog import local_backups
from pgconsole.backups.evidence import Evidence, Proof, copy_id, record
from pgconsole.dumps.naming import MANIFEST_SUFFIX, PARTIAL_SUFFIX
from pgconsole.settings import Settings

pytestmark = pytest.mark.slow  # see `make test-slow`

AMONG = Fault(
    Group.HOSTILE,
    "a FIFO, socket, directory, device, link, hard link, garbage or a terabyte of zeros under the "
    "name of a backup, of its manifest, of a partial file, of a class",
    "listed as what it is; no command waits, reads or writes outside, or deletes any of it",
)
NAMES = Fault(
    Group.HOSTILE,
    "file names with control codes, no UTF-8, 255 bytes, impossible dates, options, shell code",
    "a backup only if the name says so and is printable; else shown as foreign, escaped, kept",
)
TIMES = Fault(
    Group.HOSTILE,
    "files that were written before 1970 or after the year 9999",
    "listed; nothing is computed with such a time",
)
GOOD = ("app_daily_20260225_020000.sql.gz", "app_daily_20260226_020000.sql.gz")
OLD = "app_daily_202001{:02}_020000.sql.gz"  # retention would delete it


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Two good backups, both verified, of which retention keeps one; no server."""
    made = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1", RETENTION_DAILY="1")
    for name in GOOD:
        bait.lay_good(made.backup_dir / "daily", name)
    now = datetime.now(UTC)
    for one in local_backups(made).backups:
        proof = Evidence(copy_id(made, one), Proof.COMPLETE, now, "a", 1, one.size, one.modified)
        record(made, proof)
    return made


def commands(path: Path) -> list[tuple[str, ...]]:
    """What an operator might do with it, by name and by path."""
    name = path.name
    return [
        ("show", name), ("rows", name, "users"), ("sql", name), ("verify", name),
        ("verify", str(path)), ("restore", name, "--yes"), ("restore", str(path), "--yes"),
        ("upload", name), ("pin", name), ("unpin", name),
    ]  # fmt: skip


@pytest.mark.timeout(900)
def test_things_among_the_backups(settings: Settings, faults: Faults, tmp_path: Path) -> None:
    daily = settings.backup_dir / "daily"
    laid = {}
    for day, (what, make) in enumerate(bait.THINGS.items(), start=1):
        if what == bait.DEVICE and not bait.can_make_devices(tmp_path):
            continue
        path = daily / OLD.format(day)
        make(path)
        laid[what] = path
        bait.lay_good(daily, OLD.format(day).replace("app", "other"))
        beside = daily / (OLD.format(day).replace("app", "other") + MANIFEST_SUFFIX)
        beside.unlink()
        make(beside)
        make(daily / (GOOD[0].replace("app", f"app{day}") + PARTIAL_SUFFIX))
    (settings.backup_dir / "weekly").symlink_to(tmp_path)
    (settings.backup_dir / "monthly").symlink_to("monthly")
    for name in ("safety", "restored", "wal"):
        (settings.backup_dir / name).symlink_to("/dev/zero")
    before = hostile.contents(settings.backup_dir, but=[".pgconsole"])
    outside = hostile.contents(tmp_path, but=["backups", "out"])
    chosen = faults.random("things").sample(sorted(laid), faults.times(1, len(laid)))
    typed = [command for what in chosen for command in commands(laid[what])]

    with faults.trial(AMONG) as trial:
        read_everything(settings)
        (settings.backup_dir / "monthly").unlink()  # it keeps every list from being made, rightly
        said = hostile.run(
            settings, [*hostile.COMMANDS, *typed, ("prune", "--yes")], tmp_path / "out"
        )
        assert "Traceback" not in hostile.journals(settings)
        listed = {one["name"] for one in json.loads(said[2].out)}
        files = {one.name for one in daily.iterdir() if one.is_file() and not one.is_symlink()}
        assert set(GOOD) <= listed <= files | {GOOD[0]}  # which was deleted at the end
        trial.happened("listed as what it is; every command ended")
    with faults.trial(AMONG) as trial:
        after = hostile.contents(settings.backup_dir, but=[".pgconsole"])
        gone = before.keys() - after.keys() - {"monthly"}
        assert {f"daily/{GOOD[0]}", f"daily/{GOOD[0]}{MANIFEST_SUFFIX}"} <= gone
        # By its name a backup, not empty, and of nobody knows what: retention's rule takes those.
        known = {f"daily/{laid[what].name}" for what in laid if "hard link" in what}
        assert gone - {f"daily/{GOOD[0]}", f"daily/{GOOD[0]}{MANIFEST_SUFFIX}"} <= known
        # Verifying gives a dump a new manifest in the place of a file that is none.
        described = {
            one
            for one, (kind, _) in before.items()
            if one.endswith(MANIFEST_SUFFIX) and kind == "file"
        }
        changed = {name for name in after if name in before and after[name] != before[name]}
        assert changed <= described
        assert hostile.contents(tmp_path, but=["backups", "out"]) == outside
        trial.happened("nothing of it deleted or changed, nothing outside touched")


# Names, and whether they are a backup's.
TRAPS: dict[bytes, bool] = {
    b"app_daily_00010101_000000.sql.gz": False,
    b"app_daily_09991231_235959.sql.gz": False,
    b"app_daily_99991231_235959.sql.gz": False,
    b"app_daily_20260230_020000.sql.gz": False,
    b"app_daily_20260225_240000.sql.gz": False,
    b"app_daily_20260225_020060.sql.gz": False,
    "app_daily_２０２６０２２５_020000.sql.gz".encode(): False,
    b"app_weekly_20260225_020000.sql.gz": False,  # in another class's directory
    b"app_hourly_20260225_020000.sql.gz": False,
    b"_daily_20260225_020000.sql.gz": False,
    b"app_daily_20260225_020000.sql.gz.sql.gz": False,
    b"app_daily_20260225_020000.SQL.GZ": False,
    b"app\n_daily_20260225_020000.sql.gz": False,
    b"\x1b[2J\x07_daily_20260225_020000.sql.gz": False,
    b"caf\xe9_daily_20260225_020000.sql.gz": False,  # no UTF-8
    "\u202etxt_daily_20260225_020000.sql.gz".encode(): False,
    b"x" * 255: False,
    b"-rf": False,
    b"~": False,
    b"a b_daily_20260225_020000.sql.gz": True,
    b"--all_daily_20260225_020000.sql.gz": True,
    b"$(touch x)_daily_20260225_020000.sql.gz": True,
    b"`id`;[red]_daily_20260225_020000.sql.gz": True,
    b"%s%n{0}_daily_20260225_020000.sql.gz": True,
    b"x" * (255 - 29) + b"_daily_20260225_020000.sql.gz": True,
    "datenbank_ü€_daily_20260225_020000.sql.gz".encode(): True,
    b"app_daily_2_daily_20260225_020000.sql.gz": True,
    b"app_daily_20260225_020000_daily_20260226_020000.sql.gz": True,
}


def test_names_that_are_a_trap(settings: Settings, faults: Faults, tmp_path: Path) -> None:
    daily = settings.backup_dir / "daily"
    for name in TRAPS:
        (daily / os.fsdecode(name)).write_bytes(b"no dump")
    before = hostile.contents(settings.backup_dir, but=[".pgconsole"])
    with faults.trial(NAMES) as trial:
        listing = local_backups(settings)
        found = {os.fsencode(one.name.filename) for one in listing.backups}
        assert found == {name for name, real in TRAPS.items() if real} | set(map(str.encode, GOOD))
        assert {os.fsencode(Path(one.location).name) for one in listing.foreign} == {
            name for name, real in TRAPS.items() if not real
        }
        assert all(Path(one.location).name == one.name.filename for one in listing.backups)
        traps = [os.fsdecode(name) for name, real in TRAPS.items() if real]
        chosen = faults.random("names").sample(traps, faults.times(1, len(traps)))
        forms = (["show"], ["sql"], ["verify"], ["restore", "--yes"])
        typed = [(*form, "--", name) for form in forms for name in chosen]
        hostile.run(settings, [*hostile.COMMANDS, *typed], tmp_path / "out")
        assert "Traceback" not in hostile.journals(settings)
        assert hostile.contents(settings.backup_dir, but=[".pgconsole"]) == before
        assert not (daily / "x").exists()
        trial.happened("told apart, shown escaped, and kept", len(TRAPS))


def test_files_of_impossible_times(make_settings: MakeSettings, faults: Faults) -> None:
    memory = Path("/dev/shm")  # other file systems can't say such times
    with faults.trial(TIMES) as trial:
        if not os.access(memory, os.W_OK):
            pytest.skip("needs a tmpfs")
        make_settings.backup_dir = memory / f"pgconsole-test-{os.getpid()}"
        made = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
        try:
            for day, seconds in enumerate((1 << 40, 1 << 62, -(1 << 40), -1, 0, 253402300800)):
                path = bait.lay_good(made.backup_dir / "daily", OLD.format(day + 1))
                os.utime(path, (0, seconds))
            with bounded_memory():
                raised = read_everything(made)
            assert raised["backups"] == raised["status"] == raised["console's backups"] == ""
            assert len(local_backups(made).backups) == 6
        finally:
            for path in sorted(made.backup_dir.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            made.backup_dir.rmdir()
        trial.happened("listed, as written at the nearest time that can be", 6)
