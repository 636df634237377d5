"""The benchmark at a tiny size, and what it counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.measure import Usage, measure
from benchmarks.report import rows
from benchmarks.rows import Results

pytestmark = pytest.mark.slow  # see `make test-slow`

_ROOT = Path(__file__).parents[2]


def test_counts_processes_that_outlive_the_command(tmp_path: Path) -> None:
    detached = "import time; x = bytearray(50_000_000); time.sleep(0.5); sum(range(3_000_000))"
    command = f"setsid {sys.executable} -c '{detached}' & exit 0"
    usage = measure(["bash", "-c", command], dict(os.environ), tmp_path)
    assert usage.seconds > 0.5
    assert usage.cpu_seconds > 0.02
    assert 50_000_000 < usage.job_peak_bytes <= usage.peak_bytes < 150_000_000


def test_a_failed_command_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3:\nno space"):
        measure(["bash", "-c", "echo no space >&2; exit 3"], dict(os.environ), tmp_path)


def _results(*, ours: float, memory: int) -> Results:
    results = Results()
    for name, seconds in (
        ("guide dump", 50.0), ("guide integrity", 7.0), ("guide content", 8.0), ("floor", 7.0),
        ("pgconsole", ours), ("guide table", 9.0), ("table", 0.2), ("verify", 2.0),
    ):  # fmt: skip
        results.usage[name] = [Usage(seconds, seconds, memory, 0)] * 3
    results.sizes |= {"guide": [100] * 3, "pgconsole": [105] * 3}
    return results


def test_says_met_and_missed() -> None:
    good = rows(_results(ours=8.0, memory=60_000_000))
    assert [row.met for row in good] == [True] * 6
    assert good[0].measured.startswith("8.1 (8.1 to 8.1) times as fast")
    bad = rows(_results(ours=9.5, memory=160_000_000))
    assert [row.met for row in bad] == [False, False, True, True, True, False]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_whole_at_a_tiny_size(open_directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--size-gb", "0.01", "--rounds", "1"],
        cwd=_ROOT, env=os.environ | {"TMPDIR": str(open_directory)}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for work in (
        "backup with verification, local", "S3 upload", "size of", "verify", "one table", "memory",
        "headless", "first paint, warm", "console with 20,000 backups, key to paint",
    ):  # fmt: skip
        assert f"| {work}" in done.stdout or f" {work}" in done.stdout
    assert list(open_directory.iterdir()) == []
