"""A dump of 20 GB of plain SQL that exists nowhere: pg_dump's place is taken by a generator."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.dumps.helpers import HEADER, TRAILER
from tests.faults.gauges import MIB, Gauge, gauge, most
from tests.faults.recorder import Fault, Faults, Group
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.jobs import JobStatus

pytestmark = pytest.mark.slow  # see `make test-slow`

DUMP = Fault(
    Group.LOAD,
    "a backup of a generated stream of plain SQL, 20 GB in the long form: written, read back, "
    "published",
    "every byte and row counted; less than 200 MB, and as much after the first tenth as at the "
    "end; no descriptor, thread or process is left",
)
_LIMIT = 200 * MIB  # of a job, as in test_memory.py
_MANY = 32  # descriptors or threads; a backup has about half of that

# It says the version of the real one, then as many blocks of rows as are wanted, in four tables.
_PROGRAM = """#!{python} -SE
import os, sys

if "--version" in sys.argv:
    os.execv({real!r}, [{real!r}, "--version"])
out = sys.stdout.buffer
rows = b"".join(b"%08d\\tuser %d\\tuser%d@example.com\\t2026-02-25 02:00:00+00\\t{{}}\\n"
                % (n, n, n) for n in range({rows}))
out.write({header!r})
for table in range(4):
    out.write(b"COPY public.t%d (id, name, mail, at, more) FROM stdin;\\n" % table)
    for _ in range({blocks}):
        out.write(rows)
    out.write(b"\\\\.\\n\\n")
out.write({trailer!r})
"""
_ROWS = 16_000  # about a MB


def generator(path: Path, real: Path, raw_bytes: int) -> tuple[int, int]:
    """Write the program; rows and about how many bytes it gives."""
    block = sum(len(b"%08d\tuser %d\tuser%d@example.com\t2026-02-25 02:00:00+00\t{}\n" % (n, n, n))
                for n in range(_ROWS))  # fmt: skip
    blocks = raw_bytes // 4 // block + 1
    path.write_text(
        _PROGRAM.format(
            python=sys.executable, real=str(real), rows=_ROWS, blocks=blocks, header=HEADER,
            trailer=TRAILER,
        )
    )  # fmt: skip
    path.chmod(0o755)
    return 4 * blocks * _ROWS, 4 * blocks * block


@pytest.mark.timeout(3600)
def test_a_generated_dump(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    faults: Faults,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    servers = postgres16.environment["PATH"]
    real = next(
        Path(one) / "pg_dump" for one in servers.split(":") if (Path(one) / "pg_dump").exists()
    )
    rows, raw_bytes = generator(directory / "pg_dump", real, faults.times(200, 20_000) * 10**6)
    monkeypatch.setenv("PATH", f"{directory}:{servers}")
    settings = make_settings(postgres16, database)
    with faults.trial(DUMP) as trial:
        gc.collect()  # what earlier tests left open is no yardstick
        before = gauge_here()
        began = time.monotonic()
        job_id = jobs.start(settings, "backup", {}, "test")
        pid = wait_until(lambda: jobs.read_job(settings, job_id).pid)
        early, all_of_it = watch(pid, settings.backup_dir)
        job = jobs.read_job(settings, job_id)
        took = time.monotonic() - began
        assert job.status is JobStatus.DONE, job
        assert job.result
        assert job.result["raw_bytes"] > raw_bytes  # type: ignore[operator]
        assert rows_of(settings.backup_dir) == rows
        assert 0 < all_of_it.peak < _LIMIT
        assert all_of_it.memory < early.memory * 1.1 + 8 * MIB, (str(early), str(all_of_it))
        assert max(all_of_it.descriptors, all_of_it.threads) < _MANY
        wait_until(lambda: gauge_here().children == before.children)
        assert gauge_here().descriptors <= before.descriptors
        trial.happened(
            f"{raw_bytes / 1e9:.1f} GB in {took:.0f} s ({raw_bytes / 1e6 / took:.0f} MB/s): at "
            f"first {early}; at most {all_of_it}; "
            f"{sum(one.stat().st_size for one in settings.backup_dir.glob('daily/*.gz')) / 1e6:.0f}"
            " MB in the file"
        )


def gauge_here() -> Gauge:
    """This process."""
    found = gauge(os.getpid())
    assert found
    return found


def watch(pid: int, backup_dir: Path) -> tuple[Gauge, Gauge]:
    """Watch a runner to its end: the most it had in the first seconds of the dump, and at all."""
    first: list[Gauge] = []
    every: list[Gauge] = []
    while (found := gauge(pid)) is not None:
        size = sum(one.stat().st_size for one in backup_dir.glob("*/*.partial"))
        every.append(found)
        if size and len(first) < 100:
            first.append(found)
        time.sleep(0.02)  # sampling
    return most(first), most(every)


def rows_of(backup_dir: Path) -> int:
    """Rows as the manifest counts them."""
    (path,) = backup_dir.glob("daily/*.manifest.json")
    return sum(one.rows for one in parse_manifest(path.read_bytes(), "x").tables)
