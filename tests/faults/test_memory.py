"""Memory of a job stays flat, whatever the size of the dump and of its rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import MakeSettings, create_database, drop_database
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.jobs import JobStatus

pytestmark = pytest.mark.slow  # see `make test-slow`

DATABASE = "memory"
LIMIT = 200_000  # kB; DESIGN section 8: a job with S3
# 2 GB of plain dump that takes no time to make: one row of 100 MB, and 1,900 of 1 MB whose columns
# came later and lie in the catalog only, as their defaults.
SCRIPT = """
CREATE TABLE giant AS SELECT repeat('row of a hundred megabytes ', 3883496) AS text;
CREATE TABLE large AS SELECT i AS id FROM generate_series(1, 1900) i;
""" + "".join(
    f"ALTER TABLE large ADD COLUMN c{n} text DEFAULT repeat('column {n} is of 64 kB ', 3000);"
    for n in range(16)
)


@pytest.fixture
def database(postgres16: PostgresServer) -> Iterator[str]:
    """A database of 2 GB."""
    create_database(postgres16, DATABASE, SCRIPT)
    yield DATABASE
    drop_database(postgres16, DATABASE)


def peak(pid: int) -> int:
    """The highest resident size so far, kB; 0 once the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line), 0)


def test_two_gigabytes_with_a_row_of_a_hundred_megabytes(
    database: str,
    postgres16: PostgresServer,
    s3: S3Server,
    s3_bucket: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database, **s3.environment(s3_bucket))
    job_id = jobs.start(settings, "backup", {}, "test")
    pid = wait_until(lambda: jobs.read_job(settings, job_id).pid)
    highest = 0
    while now := peak(pid):
        highest = max(highest, now)
        time.sleep(0.02)  # sampling: VmHWM never falls
    job = jobs.read_job(settings, job_id)
    assert job.status is JobStatus.DONE, job
    assert job.result
    raw_bytes = job.result["raw_bytes"]
    assert isinstance(raw_bytes, int)
    assert raw_bytes > 2_000_000_000
    assert 0 < highest < LIMIT
