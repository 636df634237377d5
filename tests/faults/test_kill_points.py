"""Whatever dies, and whenever: nothing half-made under a final name, and the next backup works."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from tests.conftest import MakeSettings, create_database, drop_database
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.jobs import Job, JobStatus
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage

DATABASE = "kill_points"
# About 60 MB of plain dump, so that a backup lasts long enough to be hit in the middle.
SCRIPT = """
CREATE TABLE first AS
  SELECT i AS id, repeat(md5(i::text), 4) AS text FROM generate_series(1, 200000) i;
CREATE TABLE second AS
  SELECT i AS id, repeat(md5(i::text), 4) AS text FROM generate_series(1, 200000) i;
"""


@pytest.fixture(scope="module", autouse=True)
def _database(postgres16: PostgresServer):
    create_database(postgres16, DATABASE, SCRIPT)
    yield
    drop_database(postgres16, DATABASE)


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    s3: S3Server,
    s3_bucket: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """A database of some size, and S3."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, DATABASE, **s3.environment(s3_bucket))


Moment = Callable[[Settings, str], bool]


def bytes_passed(count: int) -> Moment:
    """The moment at which so many raw bytes have gone through."""
    return lambda settings, job_id: any(
        (entry.bytes_done or 0) >= count for entry in _entries(settings, job_id)
    )


def phase(name: str) -> Moment:
    """The moment at which a phase begins."""
    return lambda settings, job_id: any(e.phase == name for e in _entries(settings, job_id))


def partial_exists(settings: Settings, _job_id: str) -> bool:
    """The moment at which the dump's first bytes are on the disk."""
    return any(path.stat().st_size for path in settings.backup_dir.glob("*/*.partial"))


def lock_taken(settings: Settings, _job_id: str) -> bool:
    """The moment at which the database's lock is there."""
    return (settings.state_dir / "locks").exists()


MOMENTS = {
    "at once": lambda _settings, _job_id: True,
    "lock": lock_taken,
    "preflight": phase("preflight"),
    "dump": phase("dump"),
    "first bytes": partial_exists,
    "10 MB": bytes_passed(10_000_000),
    "40 MB": bytes_passed(40_000_000),
    "publish": phase("publish"),
    "upload": phase("upload"),
}


def _entries(settings: Settings, job_id: str) -> list[jobs.JournalEntry]:
    return jobs.Tail(jobs.read_job(settings, job_id).directory).read()


def _ended(settings: Settings, job_id: str) -> bool:
    return jobs.read_job(settings, job_id).finished_at is not None


def _start_and_hit(settings: Settings, moment: Moment, hit: Callable[[Job], None]) -> Job:
    """Start a backup, hit it at the moment, and return how it ended."""
    job_id = jobs.start(settings, "backup", {}, "test")
    wait_until(lambda: moment(settings, job_id) or _ended(settings, job_id))
    wait_until(lambda: jobs.read_job(settings, job_id).pid or _ended(settings, job_id))
    hit(jobs.read_job(settings, job_id))
    return jobs.wait(settings, job_id)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def kill_runner(job: Job) -> None:
    """What the out-of-memory killer does."""
    assert job.pid
    _kill(job.pid)


def kill_pg_dump(job: Job) -> None:
    """The runner's child dies under it."""
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children")
    for pid in children.read_text().split() if children.exists() else []:
        _kill(int(pid))


def cancel(job: Job) -> None:
    """SIGTERM, as `pgconsole cancel` sends it."""
    assert job.pid
    try:
        os.kill(job.pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def check_invariants(settings: Settings) -> None:
    """What is under a final name is whole, here and in S3, and S3 has it only with a manifest."""
    dumps = list(settings.backup_dir.glob("*/*.sql.gz"))
    for dump in dumps:
        manifest_path = dump.with_name(dump.name + ".manifest.json")
        manifest = parse_manifest(manifest_path.read_bytes(), str(manifest_path))
        with closing(LocalStorage(settings.backup_dir).open(str(dump))) as source:
            check_dump(source, manifest, lambda *_: None)
    sizes = {dump.name: dump.stat().st_size for dump in dumps}
    client = _client(settings)
    for entry in client.list_objects_v2(Bucket=settings.s3_bucket).get("Contents", []):
        name = entry["Key"].rsplit("/", 1)[-1]
        if name.endswith(".sql.gz"):
            assert entry["Size"] == sizes[name], name


def _client(settings: Settings):
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("hit", [kill_runner, kill_pg_dump, cancel])
def test_killed_at_any_moment(settings: Settings, hit: Callable[[Job], None], moment: str):
    ended = _start_and_hit(settings, MOMENTS[moment], hit)
    check_invariants(settings)
    before = {path.name for path in settings.backup_dir.glob("*/*.sql.gz")}
    if ended.status is not JobStatus.DONE:
        assert ended.status in _EXPECTED[hit], ended
        if ended.status is not JobStatus.INTERRUPTED:  # whoever could clean up did
            assert not list(settings.backup_dir.glob("*/*.partial"))
        if ended.status is JobStatus.FAILED:
            assert ended.problem
            assert "pg_dump" in f"{ended.problem} {ended.cause}"

    after = jobs.wait(settings, jobs.start(settings, "backup", {}, "test"))
    assert after.status is JobStatus.DONE, after
    check_invariants(settings)
    assert not list(settings.backup_dir.glob("*/*.partial"))
    new = {path.name for path in settings.backup_dir.glob("*/*.sql.gz")} - before
    assert len({name.split("_")[-2] for name in new}) == 1
    uploads = _client(settings).list_multipart_uploads(Bucket=settings.s3_bucket)
    assert not uploads.get("Uploads")


_EXPECTED = {
    kill_runner: {JobStatus.INTERRUPTED},
    # pg_dump may have ended by itself before it was hit; then the backup is simply done.
    kill_pg_dump: {JobStatus.FAILED},
    cancel: {JobStatus.CANCELLED},
}
