"""`pgconsole demo`: ready, complete, and gone without a trace."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM
from tests.e2e.terminal import is_alive, open_terminal
from tests.support import wait_until

from pgconsole.demo.history import past_slots
from pgconsole.demo.home import kept_home
from pgconsole.demo.run import run_demo
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.dumps.naming import SUNDAY
from pgconsole.errors import BusyError, ConfigurationError

# In a process of its own, as `pgconsole demo` runs. A smaller database saves time.
_RUN = """
import sys
from pathlib import Path
from pgconsole.demo import run, thinktank
thinktank.PUBLICATIONS = int(sys.argv[1])
sys.exit(run.run_demo(Path(sys.argv[2]) if sys.argv[2:] else None, console={console}))
"""
_SMALL = "400"


def _argv(*arguments: str, console: bool = False) -> list[str]:
    return [sys.executable, "-c", _RUN.format(console=console), *arguments]


def _environment(temporary: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(temporary), "TMPDIR": str(temporary),
        "TERM": "xterm-256color", "LANG": "C.UTF-8",
        # What must not reach the demo:
        "PGHOST": "192.0.2.1", "PGSERVICE": "nobody", "S3_BACKUP_PREFIX": "mine/",
        "AWS_PROFILE": "mine", "RETENTION_DAILY": "1", "http_proxy": "http://192.0.2.1:9",
    }  # fmt: skip


def _processes_below(directory: Path) -> list[str]:
    """Command lines of the living processes that have to do with the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(directory) in command and is_alive(int(process.name)):
            found.append(command)
    return found


@pytest.fixture
def temporary(open_directory: Path) -> Path:
    """An empty TMPDIR that PostgreSQL can reach."""
    directory = open_directory / "tmp"
    directory.mkdir(mode=0o711)
    return directory


@dataclass
class _Kept:
    """A demo of full size that was kept."""

    directory: Path
    output: str
    files: list[Path] = field(default_factory=list)


@pytest.fixture(scope="module")
def kept(open_module_directory: Path) -> _Kept:
    base = open_module_directory
    done = subprocess.run(
        _argv("40000", str(base / "kept")), env=_environment(base), cwd=base, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = sorted((base / "kept" / "backups").glob("*/*.sql.gz"))
    return _Kept(base / "kept", done.stderr, files)


@pytest.mark.xdist_group("demo")
class TestKept:
    def test_says_what_it_does_and_how_long_it_took(self, kept: _Kept) -> None:
        for step in ("starting PostgreSQL 16", "creating database", "growing", "backing it up"):
            assert step in kept.output
        assert "ready in" in kept.output
        assert f"pgconsole demo --keep {kept.directory}" in kept.output

    def test_nothing_runs_afterwards(self, kept: _Kept) -> None:
        assert _processes_below(kept.directory) == []

    def test_backups_of_every_class_are_valid(self, kept: _Kept) -> None:
        assert {file.parent.name for file in kept.files} == {"daily", "weekly", "monthly"}
        assert len([file for file in kept.files if file.parent.name == "daily"]) >= 3
        for file in kept.files:
            subprocess.run(["gzip", "-t", file], check=True)

    def test_backups_are_in_the_bucket_too(self, kept: _Kept) -> None:
        objects = kept.directory / "s3" / "buckets" / "thinktank-backups" / "backups"
        for file in kept.files:
            copy = objects / file.parent.name / file.name
            assert copy.stat().st_size == file.stat().st_size
            assert copy.with_name(file.name + ".manifest.json").exists()

    def test_newest_backup_holds_some_hundred_megabytes_and_every_oddity(self, kept: _Kept) -> None:
        newest = max(kept.files, key=lambda file: file.name.split("_", 2)[2])
        manifest_file = newest.with_name(newest.name + ".manifest.json")
        manifest = parse_manifest(manifest_file.read_bytes(), str(manifest_file))
        assert manifest.raw_bytes > 200_000_000
        rows = {(section.schema_name, section.table): section.rows for section in manifest.tables}
        assert rows["public", "publications"] == 40_000
        assert rows["public", "embargoes"] == 0
        assert rows["public", "Reading List"] == 50
        assert rows["Field Notes", "two\nlines"] == 3
        assert rows["Field Notes", 'say "cheese"; DROP TABLE x; --'] == 2
        assert rows["Field Notes", "escapes"] == 7
        assert sum(rows[table] for table in rows if table[1].startswith("page_views_")) == 400_000
        with gzip.open(newest, "rb") as dump:
            before = dump.read(200_000)
        for statement in (
            b"CREATE FUNCTION public.import_legacy",
            b"\nCOPY public.publications (id, slug, title) FROM stdin;\n1\tnot-a-row",
            b"PARTITION BY RANGE", b"CREATE MATERIALIZED VIEW", b"CREATE SEQUENCE",
            b"GENERATED ALWAYS AS (length(body)) STORED", b"lo_unlink",
        ):  # fmt: skip
            assert statement in before

    def test_starts_again_where_it_was(self, kept: _Kept) -> None:
        again = subprocess.run(
            _argv(_SMALL, str(kept.directory)), env=_environment(kept.directory.parent),
            cwd="/", check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert "ready in" in again.stderr
        assert "growing" not in again.stderr
        assert sorted((kept.directory / "backups").glob("*/*.sql.gz")) == kept.files

    def test_quitting_the_console_cancels_what_runs(self, kept: _Kept) -> None:
        terminal = open_terminal(
            _argv(_SMALL, str(kept.directory), console=True), _environment(kept.directory.parent)
        )
        try:
            terminal.wait_for("Local")
            terminal.send("b")
            terminal.wait_for("yes")
            terminal.send("yes", "Enter")
            jobs = kept.directory / "backups" / ".pgconsole" / "jobs"
            count = len(past_slots(datetime.now(UTC)))
            wait_until(lambda: len(list(jobs.glob("[0-9]*"))) > count)
            wait_until(lambda: list(kept.directory.glob("backups/daily/*.partial")))
            terminal.send("C-q")
            terminal.wait_gone(30)
            assert "is cancelled" in terminal.screen()
        finally:
            terminal.close()
        assert sorted((kept.directory / "backups").glob("*/*.sql.gz*")) == sorted(
            [*kept.files, *(file.with_name(file.name + ".manifest.json") for file in kept.files)]
        )
        wait_until(lambda: _processes_below(kept.directory) == [])  # tmux itself is ending


@pytest.mark.slow
class TestGone:
    def test_everything_after_the_end(self, temporary: Path) -> None:
        done = subprocess.run(
            _argv(_SMALL), env=_environment(temporary), cwd=temporary, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        assert "everything is removed" in done.stderr
        assert list(temporary.iterdir()) == []
        assert _processes_below(temporary) == []

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("number", "step"),
        [
            (signal.SIGINT, "growing"),
            (signal.SIGTERM, "backing it up"),
            (signal.SIGHUP, "backing it up"),
        ],
    )
    def test_everything_after_a_signal(
        self, temporary: Path, number: signal.Signals, step: str
    ) -> None:
        with subprocess.Popen(
            _argv("40000"), env=_environment(temporary), cwd=temporary,
            stderr=subprocess.PIPE, text=True, bufsize=0,
        ) as process:  # fmt: skip
            assert process.stderr is not None
            said = ""
            while step not in said:
                character = process.stderr.read(1)
                assert character, said
                said += character
            process.send_signal(number)
            said += process.stderr.read()
            assert process.wait(30) == 128 + number, said
        assert list(temporary.iterdir()) == []
        wait_until(lambda: _processes_below(temporary) == [])

    def test_everything_after_the_terminal_was_closed(self, temporary: Path) -> None:
        terminal = open_terminal(_argv(_SMALL, console=True), _environment(temporary))
        try:
            terminal.wait_for("Local", 40)
            assert _processes_below(temporary) != []
        finally:
            terminal.close()
        wait_until(lambda: list(temporary.iterdir()) == [], 30)
        wait_until(lambda: _processes_below(temporary) == [])

    def test_an_unfinished_demo_is_not_kept(self, temporary: Path) -> None:
        directory = temporary / "kept"
        with subprocess.Popen(
            _argv(_SMALL, str(directory)), env=_environment(temporary), cwd=temporary,
            stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            wait_until(lambda: list(directory.glob("backups/.pgconsole/jobs/*")))
            process.terminate()
        assert not directory.exists()


class TestRefused:
    def test_a_directory_with_other_things_in_it(self, temporary: Path) -> None:
        (temporary / "thesis.txt").write_text("irreplaceable")
        with pytest.raises(ConfigurationError, match="neither empty nor a demo"):
            run_demo(temporary, console=False)
        assert [entry.name for entry in temporary.iterdir()] == ["thesis.txt"]

    def test_a_directory_in_which_a_demo_runs(self, temporary: Path) -> None:
        with kept_home(temporary / "kept"), pytest.raises(BusyError, match="Another demo runs in"):
            run_demo(temporary / "kept", console=False)

    def test_without_a_terminal(self, temporary: Path) -> None:
        done = subprocess.run(
            [PROGRAM, "demo"], env=_environment(temporary), cwd=temporary, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 2
        assert "needs a terminal" in done.stderr


class TestSlots:
    @pytest.mark.parametrize("day", range(1, 32))
    @pytest.mark.parametrize("hour", [0, 2, 23])
    def test_every_class_and_the_last_three_days(self, day: int, hour: int) -> None:
        now = datetime(2026, 3, day, hour, 0, tzinfo=UTC)
        slots = past_slots(now)
        assert slots == sorted(slots)
        assert 3 <= len(slots) <= 5
        assert slots[-1] <= now
        assert (now - slots[-1]).total_seconds() < 86_400
        assert any(slot.isoweekday() == SUNDAY for slot in slots)
        assert any(slot.day == 1 for slot in slots)
