"""`pgconsole status` and `pgconsole doctor` as monitoring runs them: real program, real servers."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import run, spawn
from tests.proxy import Proxy
from tests.status.conftest import DATABASE, Site
from tests.support import wait_until

from pgconsole.demo.servers import free_port
from pgconsole.storage.s3_probe import PROBE, S3Probe

pytestmark = pytest.mark.e2e

# The keys of docs/monitoring.md.
KEYS = {
    "": {
        "at", "database", "state", "exit_code", "text", "lost_since", "classes", "last_verify",
        "last_failure", "s3", "disk", "scheduler", "warnings",
    },
    "last_verify": {"at", "age_seconds", "copy", "proof", "by", "seconds", "problem"},
    "s3": {
        "set_up", "asked", "reachable", "problem", "newest", "newest_file", "has_newest_local",
    },
    "disk": {"free_bytes", "needed_bytes", "problem"},
    "scheduler": {"state", "seen_at", "schedule", "timezone", "next_run", "paused"},
}  # fmt: skip


def status_json(site: Site, *arguments: str, **variables: str) -> dict[str, Any]:
    done = run(site.settings(**variables), "status", "--json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == found["exit_code"], done.stderr
    return found


def test_fresh(site: Site) -> None:
    done = run(site.settings(), "status")
    assert done.returncode == 0, done.stderr
    first, *topics = done.stdout.splitlines()
    assert first.startswith("fresh: last good backup ")
    assert "(complete, local + S3 listed only). If the database died now" in first
    words = [line.split()[0] for line in topics]
    assert words[:3] == ["daily", "weekly", "monthly"]
    assert words[3:] == ["verified", "failed", "S3", "disk", "scheduler", "next"]


def test_json(site: Site) -> None:
    found = status_json(site)
    for name, keys in KEYS.items():
        assert set(found[name] if name else found) == keys
    daily = found["classes"]["daily"]
    assert set(daily) == {"last_good", "age_seconds", "file", "bytes", "due", "overdue"}
    here = Path(site.variables["BACKUP_DIR"]) / "daily" / daily["file"]
    assert daily["bytes"] == here.stat().st_size
    assert (found["state"], found["database"]) == ("fresh", DATABASE)
    assert found["s3"]["has_newest_local"] is True
    assert found["s3"]["newest_file"] == daily["file"]
    assert found["last_verify"]["proof"] == "complete"
    assert found["scheduler"]["state"] == "alive"


def test_damage_is_a_failure(site: Site) -> None:
    (dump,) = Path(site.variables["BACKUP_DIR"]).glob("daily/*.sql.gz")
    dump.write_bytes(dump.read_bytes()[:-9])
    found = status_json(site)
    assert found["exit_code"] == 2  # nobody has looked at what lies there now
    run(site.settings(), "verify", str(dump))
    found = status_json(site)
    assert (found["state"], found["exit_code"]) == ("failed", 1)
    assert "is damaged" in found["text"]


def test_no_backup(site: Site, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run(site.settings(BACKUP_DIR=str(tmp_path / "empty"), S3_BACKUP_BUCKET=""), "status")
    assert done.returncode == 1
    assert done.stdout.startswith("stale: no backup yet: nothing could be restored. ")


def test_unreadable(site: Site) -> None:
    found = status_json(site, BACKUP_DIR="/nonexistent")
    assert (found["state"], found["exit_code"], found["classes"]) == ("unknown", 2, {})
    assert found["disk"]["problem"]


def test_store_that_hangs_is_unknown_and_nobody_waits_for_it(site: Site) -> None:
    with Proxy(site.s3.port) as proxy:
        proxy.hang()
        found = status_json(site, S3_ENDPOINT_URL=proxy.endpoint)
        assert (found["state"], found["s3"]["reachable"]) == ("unknown", False)
        assert "did not answer in time" in found["s3"]["problem"]
        asked = proxy.connections
        found = status_json(site, "--local", S3_ENDPOINT_URL=proxy.endpoint)
        assert (found["state"], found["s3"]["asked"]) == ("fresh", False)
        assert proxy.connections == asked


def test_wrong_settings_are_unknown(site: Site) -> None:
    done = run(site.settings(), "status", BACKUP_SCHEDULE="61 * * * *")
    assert done.returncode == 2
    assert "BACKUP_SCHEDULE" in done.stderr


def test_doctor(site: Site) -> None:
    done = run(site.settings(), "doctor")
    assert done.returncode == 0, done.stdout
    assert "ok       S3 writing" in done.stdout
    done = run(site.settings(PGPORT=str(free_port())), "doctor", "--json")
    assert done.returncode == 1
    results = {found["name"]: found for found in json.loads(done.stdout)}
    assert set(results["server"]) == {"name", "state", "found", "cause", "fix"}
    assert results["server"]["state"] == "failed"
    done = run(site.settings(S3_RETENTION="false"), "doctor")
    assert done.returncode == 2
    assert "unknown  S3 retention" in done.stdout


def test_doctor_finds_a_bad_schedule(site: Site) -> None:
    done = run(site.settings(), "doctor", BACKUP_SCHEDULE="0 25 * * *")
    assert done.returncode == 1
    assert "FAILED   settings" in done.stdout
    assert "BACKUP_SCHEDULE is '0 25 * * *'" in done.stdout


@pytest.fixture
def slow_store(site: Site) -> Iterator[Proxy]:
    """The store behind a proxy."""
    with Proxy(site.s3.port) as proxy:
        yield proxy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_doctor_that_is_stopped_leaves_no_probe(
    site: Site, slow_store: Proxy, number: signal.Signals
) -> None:
    slow_store.hang()
    doctor = spawn(site.settings(S3_ENDPOINT_URL=slow_store.endpoint), "doctor")
    wait_until(lambda: slow_store.connections)
    doctor.send_signal(number)
    slow_store.heal()
    doctor.communicate(timeout=60)
    assert doctor.returncode not in (0, 2)
    assert not any(PROBE in key for key in S3Probe(site.settings()).contact().left_probes)
