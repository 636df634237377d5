"""An encrypted backup that is killed or cut short leaves nothing that looks like one."""

from __future__ import annotations

import gzip
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backups.helpers import files_in
from tests.conftest import MakeSettings, create_database, drop_database
from tests.dumps.aging import Key
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.backups.catalog import s3_backups
from pgconsole.demo.servers import PostgresServer
from pgconsole.jobs import JobStatus
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage

pytestmark = pytest.mark.slow  # see `make test-slow`

KEY = Key()
# About 60 MB of plain dump, so that it can be hit in the middle.
SCRIPT = """
CREATE TABLE big AS
  SELECT i AS id, repeat(md5(i::text), 4) AS text FROM generate_series(1, 400000) i;
"""


@pytest.fixture(scope="module")
def big(postgres16: PostgresServer) -> Iterator[str]:
    create_database(postgres16, "killed_encrypted", SCRIPT)
    yield "killed_encrypted"
    drop_database(postgres16, "killed_encrypted")


@pytest.fixture
def settings(
    postgres16: PostgresServer, big: str, make_settings: MakeSettings, s3_variables: dict[str, str]
) -> Settings:
    return make_settings(postgres16, big, **s3_variables, BACKUP_AGE_RECIPIENTS=KEY.recipient)


def written(settings: Settings) -> int:
    return sum(path.stat().st_size for path in settings.backup_dir.glob("daily/*.age.partial"))


@pytest.mark.parametrize("enough", [1, 1 << 20, 4 << 20], ids=["header", "1 MiB", "4 MiB"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_hit_in_the_middle(settings: Settings, how: signal.Signals, enough: int) -> None:
    job_id = jobs.start(settings, "backup", {}, "test")

    def over() -> bool:
        return jobs.read_job(settings, job_id).finished_at is not None

    wait_until(lambda: written(settings) >= enough or over())
    pid = jobs.read_job(settings, job_id).pid
    assert pid
    os.kill(pid, how)
    ended = jobs.wait(settings, job_id)
    assert ended.status is (JobStatus.INTERRUPTED if how is signal.SIGKILL else JobStatus.CANCELLED)
    assert LocalStorage(settings.backup_dir).listing().backups == ()
    assert s3_backups(settings).backups == ()
    assert (how is signal.SIGKILL) == any("partial" in name for name in files_in(settings))

    job_id = jobs.start(settings, "backup", {}, "test")
    assert jobs.wait(settings, job_id).status is JobStatus.DONE
    assert not any("partial" in name for name in files_in(settings))
    [path] = settings.backup_dir.glob("daily/*.age")
    sql = gzip.decompress(KEY.decrypt(Path(path).read_bytes()))
    assert b"PostgreSQL database dump complete" in sql[-300:]
    [there] = s3_backups(settings).backups
    assert there.size == path.stat().st_size
