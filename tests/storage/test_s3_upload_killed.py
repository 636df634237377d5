"""Uploads whose process is killed: the next job cleans up, and takes nothing that is good."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.storage.conftest import NAME, Contents, MakeS3Settings

from pgconsole.demo.servers import S3Server
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import StorageError
from pgconsole.storage.s3 import S3Storage

KEY = f"backups/{NAME.relative_path}"
KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from pgconsole.settings import load_settings
    from pgconsole.storage.s3 import S3Storage
    key, path, moment = sys.argv[1:]
    storage = S3Storage(load_settings())
    if moment == "begun":  # the store has begun it, our record does not know its name yet
        from pgconsole.storage.s3_records import RecordFile
        RecordFile.name_upload = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    upload = storage.begin_upload(key, Path(path), expected_bytes=1)
    size = Path(path).stat().st_size
    if moment == "sending":
        upload.advance(size)
    if moment in ("finished", "manifest"):
        upload.finish(size)
    if moment == "manifest":
        storage.put_small(key + ".manifest.json", b"{}")
    print("ready", flush=True)
    signal.pause()
    """
)


@pytest.fixture
def killed(s3_settings: MakeS3Settings, dump: Path, request: pytest.FixtureRequest) -> None:
    """A process that was killed with -9 at the given moment of an upload."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, KEY, str(dump), request.param],
        env=os.environ | s3_settings().environment(), stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()


class TestKilled:
    @pytest.mark.parametrize("killed", ["begun", "sending", "finished", "manifest"], indirect=True)
    @pytest.mark.usefixtures("killed")
    def test_the_next_job_cleans_up(
        self, storage: S3Storage, contents: Contents, dump: Path,
        records: Callable[[], list[Path]],
    ) -> None:  # fmt: skip
        assert contents.keys <= {KEY + MANIFEST_SUFFIX}
        assert contents.unfinished == {KEY}
        assert len(records()) == 1
        other = contents.begin_of_somebody_else("backups/daily/other.sql.gz")

        assert storage.abort_leftovers("app2") == []
        assert storage.abort_leftovers("app_daily") == []
        assert contents.unfinished == {KEY, other}
        assert storage.abort_leftovers("app") == [KEY]

        assert contents.unfinished == {other}
        assert contents.keys == set()
        assert records() == []
        upload = storage.begin_upload(KEY, dump, expected_bytes=1)  # the next backup works
        upload.finish(dump.stat().st_size)
        upload.complete()
        assert contents.get(KEY) == dump.read_bytes()

    @pytest.fixture
    def another(self, s3: S3Server, s3_settings: MakeS3Settings) -> S3Storage:
        s3.make_bucket("another-bucket")
        return S3Storage(s3_settings(S3_BACKUP_BUCKET="another-bucket"))

    def test_records_of_another_bucket_stay(
        self, storage: S3Storage, another: S3Storage, contents: Contents, dump: Path,
        records: Callable[[], list[Path]],
    ) -> None:  # fmt: skip
        upload = another.begin_upload(KEY, dump)
        mine = storage.begin_upload(KEY, dump)
        with pytest.raises(StorageError, match="'another-bucket'") as caught:
            storage.abort_leftovers("app")
        (kept,) = records()
        assert str(kept) in caught.value.cause
        assert contents.unfinished == set()
        upload.abort()
        assert records() == []
        mine.abort()

    def test_half_a_record_goes(self, storage: S3Storage, s3_settings: MakeS3Settings) -> None:
        """Killed while it was written: nothing was begun by it, and nobody can read it."""
        directory = s3_settings().state_dir / "uploads"
        directory.mkdir(parents=True)
        halves = [directory / f"{name}.{'0' * 32}.json.partial" for name in ("app", "app.2")]
        for half in halves:
            half.write_bytes(b'{"bucket')
        assert storage.abort_leftovers("app") == []
        assert [half.exists() for half in halves] == [False, True]

    def test_an_upload_that_was_completed_stays(
        self, storage: S3Storage, contents: Contents, dump: Path,
        records: Callable[[], list[Path]],
    ) -> None:  # fmt: skip
        """Killed between completing and forgetting the record."""
        upload = storage.begin_upload(KEY, dump, expected_bytes=1)
        (record,) = records()
        text = record.read_bytes()
        upload.finish(dump.stat().st_size)
        storage.put_small(KEY + MANIFEST_SUFFIX, b"{}")
        upload.complete()
        record.write_bytes(text)
        assert storage.abort_leftovers("app") == [KEY]
        assert contents.keys == {KEY, KEY + MANIFEST_SUFFIX}
        assert records() == []
