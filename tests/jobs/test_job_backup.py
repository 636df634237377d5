"""The operations that jobs are there for, on real servers."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.support import blocked_dump, wait_for_dump, wait_until

from pgconsole import jobs
from pgconsole.errors import ConfigurationError
from pgconsole.jobs import JobStatus
from pgconsole.jobs.operations import lookup


def test_a_backup_of_a_slot_as_a_job(
    make_settings: MakeSettings, postgres16, database, monkeypatch
):
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database)
    request = {"slot": "2026-11-22T02:00:00+00:00"}  # a Sunday
    job = jobs.wait(settings, jobs.start(settings, "backup", request, "alice"))
    assert (job.status, str(job.problem), job.cause) == (JobStatus.DONE, "", "")
    paths = [Path(path) for path in job.result["paths"]]
    assert [path.name for path in paths] == [
        f"{database}_{each}_20261122_020000.sql.gz" for each in ("daily", "weekly")
    ]
    assert b"user 1000" in gzip.decompress(paths[0].read_bytes())
    phases = [entry.phase for entry in jobs.follow(settings, job.id)]
    assert {"lock", "preflight", "dump", "verify", "publish", "end"} <= set(phases)
    [_, *seqs] = [entry.seq for entry in jobs.Tail(job.directory).read()]
    assert seqs == list(range(2, len(phases) + 1))


def test_a_server_that_vanishes_is_noticed(
    make_settings: MakeSettings, postgres16, database, monkeypatch
):
    """The kernel asks a silent peer of pg_dump every half a minute, not every two hours."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database)
    query = (
        "SELECT client_port FROM pg_stat_activity "
        "WHERE application_name = 'pgconsole pg_dump' AND datname = %s"
    )
    with blocked_dump(postgres16, database):
        job_id = jobs.start(settings, "backup", {}, "alice")
        wait_for_dump(postgres16, database)
        with postgres16.connect() as connection:
            [(port,)] = connection.execute(query, [database]).fetchall()
        left = wait_until(lambda: _keepalive(port, postgres16.port))
    assert int(left, 16) <= 30 * os.sysconf("SC_CLK_TCK")
    assert jobs.wait(settings, job_id).status is JobStatus.DONE


def test_an_unreachable_server_is_said_by_name(make_settings: MakeSettings):
    settings = make_settings(PGHOST="127.0.0.1", PGPORT="1", PGPASSWORD="s3cret-word")
    job = jobs.wait(settings, jobs.start(settings, "backup", {}, "alice"))
    assert (job.status, job.exit_code) == (JobStatus.FAILED, 1)
    assert "127.0.0.1" in job.problem + job.cause


def test_a_database_whose_name_no_file_can_have_is_a_wrong_setting(make_settings: MakeSettings):
    settings = make_settings(PGDATABASE="a/b")
    job = jobs.wait(settings, jobs.start(settings, "backup", {}, "alice"))
    assert (job.status, job.exit_code) == (JobStatus.FAILED, 2)
    assert "'/'" in job.cause


def test_what_there_is_to_do():
    assert callable(lookup("backup"))
    assert callable(lookup("upload"))
    with pytest.raises(ConfigurationError, match="'restore_all'"):
        lookup("restore_all")


def _keepalive(port: int, server: int) -> str:
    """What is left of a connection's keepalive timer, in ticks, hexadecimal; empty without one.

    The port may also be that of a connection to another server, or of one that is over.
    """
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    ends = f":{port:04X}", f":{server:04X}"
    timers = [line[5] for line in lines if line[1].endswith(ends[0]) and line[2].endswith(ends[1])]
    # proc_net_tcp.txt
    return next((one.removeprefix("02:") for one in timers if one.startswith("02:")), "")
