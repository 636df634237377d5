"""An upload that trails a growing file: whole or not there at all, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.http_proxy import (
    Fault,
    HttpProxy,
    Rule,
    altered_request,
    cut_after,
    twice,
)
from tests.proxy import Proxy
from tests.storage.conftest import NAME, PART, Contents, MakeS3Settings
from tests.support import wait_until

from pgconsole.demo.servers import S3Server
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import Cancelled, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.s3 import S3Storage, Upload

KEY = f"backups/{NAME.relative_path}"


def upload_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("upload-")]


class TestUpload:
    def test_trails_a_growing_file(
        self, storage: S3Storage, contents: Contents, tmp_path: Path,
        records: Callable[[], list[Path]],
    ) -> None:  # fmt: skip
        path, final = tmp_path / "dump.partial", tmp_path / "dump"
        upload = storage.begin_upload(KEY, path)
        upload.part_size = PART  # begin_upload plans for 20 GiB without an estimate
        assert contents.unfinished == {KEY}
        (record,) = records()
        assert record.stat().st_mode & 0o777 == 0o600
        assert json.loads(record.read_bytes())["database"] == "app"
        data = os.urandom(2 * PART + 777)
        with path.open("wb") as file:
            file.write(data[:100])
            file.flush()
            upload.advance(100)
            assert upload.sent == 0
            file.write(data[100 : PART + 5])
            file.flush()
            upload.advance(PART + 5)
            wait_until(lambda: upload.sent == PART)
            assert contents.keys == set()
            file.write(data[PART + 5 :])
        path.rename(final)  # it is published while the rest is still being sent
        upload.finish(len(data))
        assert upload.sent == len(data)
        assert contents.keys == set()
        assert storage.listing().backups == ()
        upload.complete()
        assert contents.get(KEY) == data
        assert contents.unfinished == set()
        assert records() == []
        upload.abort()  # as a finally does
        assert contents.keys == {KEY}
        assert upload_threads() == []

    @pytest.mark.parametrize("size", [1, PART, 2 * PART])
    def test_sizes(self, storage: S3Storage, contents: Contents, tmp_path: Path, size: int) -> None:
        path = tmp_path / "dump.partial"
        path.write_bytes(os.urandom(size))
        upload = storage.begin_upload(KEY, path, expected_bytes=size)
        upload.finish(size)
        upload.complete()
        assert contents.get(KEY) == path.read_bytes()

    def test_nothing_to_upload(
        self, storage: S3Storage, contents: Contents, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").touch()
        upload = storage.begin_upload(KEY, tmp_path / "empty")
        with pytest.raises(StorageError, match="0 of 0 parts"):
            upload.finish(0)
        upload.abort()
        assert contents.unfinished == set()

    def test_never_overwrites(self, storage: S3Storage, contents: Contents, dump: Path) -> None:
        contents.put(KEY, b"old")
        with pytest.raises(StorageError, match="has an object of this name"):
            storage.begin_upload(KEY, dump)
        assert contents.get(KEY) == b"old"
        assert contents.unfinished == set()

    def test_never_overwrites_what_came_meanwhile(
        self, storage: S3Storage, contents: Contents, dump: Path
    ) -> None:
        upload = storage.begin_upload(KEY, dump)
        contents.put(KEY, b"precious")
        with pytest.raises(StorageError, match="has an object of this name"):
            upload.finish(dump.stat().st_size)
        upload.abort()
        assert contents.get(KEY) == b"precious"
        assert contents.unfinished == set()

    def test_abort(
        self, storage: S3Storage, contents: Contents, dump: Path,
        records: Callable[[], list[Path]],
    ) -> None:  # fmt: skip
        upload = storage.begin_upload(KEY, dump, expected_bytes=1)
        upload.advance(dump.stat().st_size)
        storage.put_small(KEY + MANIFEST_SUFFIX, b"{}")
        upload.abort()
        upload.abort()
        upload.advance(dump.stat().st_size)
        assert contents.unfinished == set()
        assert contents.keys == set()
        assert records() == []
        assert upload_threads() == []
        with pytest.raises(StorageError):
            upload.finish(dump.stat().st_size)

    def test_cancelled_while_it_waits(
        self, s3: S3Server, s3_settings: MakeS3Settings, contents: Contents, dump: Path
    ) -> None:
        """A signal's exception ends the wait, and abort leaves no thread behind."""

        def cancel(*_: object) -> None:
            raise Cancelled

        previous = signal.signal(signal.SIGUSR1, cancel)
        try:
            with Proxy(s3.port) as proxy:
                storage = S3Storage(s3_settings(S3_ENDPOINT_URL=proxy.endpoint), timeout=2)
                upload = storage.begin_upload(KEY, dump, expected_bytes=1)
                proxy.hang()
                main = threading.main_thread().ident
                assert main is not None
                threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGUSR1)).start()
                with pytest.raises(Cancelled):
                    upload.finish(dump.stat().st_size)
                proxy.heal()
                upload.abort()
        finally:
            signal.signal(signal.SIGUSR1, previous)
        assert upload_threads() == []
        assert contents.unfinished == set()
        assert contents.keys == set()

    def test_a_file_that_shrank(
        self, storage: S3Storage, contents: Contents, tmp_path: Path
    ) -> None:
        path = tmp_path / "dump.partial"
        path.write_bytes(b"x" * 1000)
        upload = storage.begin_upload(KEY, path, expected_bytes=1)
        with pytest.raises(StorageError, match="shorter than it was"):
            upload.finish(2000)
        upload.abort()
        assert contents.unfinished == set()

    def test_a_file_that_is_missing(self, storage: S3Storage, tmp_path: Path) -> None:
        upload = storage.begin_upload(KEY, tmp_path / "missing")
        with pytest.raises(StorageError, match="does not exist"):
            upload.finish(2000)
        upload.abort()

    def test_other_parts_than_ours(
        self, storage: S3Storage, contents: Contents, dump: Path, client, s3_bucket: str
    ) -> None:  # type: ignore[no-untyped-def]
        """The store's own list of parts is compared before anything becomes visible."""
        size = dump.stat().st_size
        upload = storage.begin_upload(KEY, dump, expected_bytes=1)
        upload.finish(size)
        (found,) = client.list_multipart_uploads(Bucket=s3_bucket)["Uploads"]
        client.upload_part(
            Bucket=s3_bucket, Key=KEY, UploadId=found["UploadId"], PartNumber=5, Body=b"more"
        )
        with pytest.raises(StorageError, match=f"instead of {size}"):
            upload.complete()
        upload.abort()
        assert contents.keys == set()

    def test_memory_stays_flat(
        self, s3_settings: MakeS3Settings, s3: S3Server, s3_bucket: str, tmp_path: Path
    ) -> None:
        """Peak memory of a process that uploads 250 MB in parts of 100 MB."""
        path = tmp_path / "dump.partial"
        with path.open("wb") as file:
            file.truncate(250_000_000)  # sparse: zeros are as heavy in memory as other bytes
        script = textwrap.dedent(
            """
            import re, sys
            from pathlib import Path
            from pgconsole.settings import load_settings
            from pgconsole.storage.s3 import S3Storage
            key, path = sys.argv[1:]
            def peak():  # ru_maxrss would begin with the size of the process that started this one
                status = Path("/proc/self/status").read_text()
                return int(re.search("VmHWM:[^0-9]+([0-9]+) kB", status)[1])
            storage = S3Storage(load_settings())
            storage.check()
            before = peak()
            upload = storage.begin_upload(key, Path(path), expected_bytes=45 << 30)
            upload.finish(250_000_000)
            upload.complete()
            print(peak() - before)
            """
        )
        environment = os.environ | s3_settings().environment()
        grown = subprocess.run(
            [sys.executable, "-c", script, KEY, str(path)],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        assert int(grown.stdout) < 30_000  # KiB


class TestFaults:
    """Faults of the network, from a proxy between us and the real server."""

    @pytest.fixture
    def proxy(self, s3: S3Server):  # type: ignore[no-untyped-def]
        with Proxy(s3.port) as proxy:
            yield proxy

    @pytest.fixture
    def faulty(self, proxy: Proxy, s3_settings: MakeS3Settings) -> Settings:
        return s3_settings(S3_ENDPOINT_URL=proxy.endpoint)

    @pytest.fixture
    def upload(self, faulty: Settings, dump: Path) -> Upload:
        return S3Storage(faulty, timeout=1).begin_upload(KEY, dump, expected_bytes=1)

    def test_cut_once_is_tried_again(
        self, proxy: Proxy, upload: Upload, dump: Path, contents: Contents
    ) -> None:
        proxy.cut_once(to_server=PART // 2)
        upload.finish(dump.stat().st_size)
        upload.complete()
        assert proxy.cuts == 1
        assert contents.get(KEY) == dump.read_bytes()

    def test_cut_for_good(
        self, proxy: Proxy, upload: Upload, dump: Path, faulty: Settings, contents: Contents
    ) -> None:
        before = proxy.connections
        proxy.cut_after(to_server=PART // 2)
        upload.advance(3 * PART)
        wait_until(lambda: upload.error)
        assert "was cut" in str(upload.error)
        with pytest.raises(StorageError, match="was cut"):
            upload.finish(dump.stat().st_size)
        # Each thread tried one part four times; the third part was not tried.
        assert proxy.connections - before <= 8
        proxy.hang()
        with pytest.raises(StorageError, match="can't be aborted"):
            upload.abort()
        assert upload_threads() == []
        assert contents.keys == set()
        assert contents.unfinished == {KEY}
        # The record is kept for the next backup; its endpoint is the proxy's.
        proxy.heal()
        again = S3Storage(faulty)
        assert again.abort_leftovers("app") == [KEY]
        assert contents.unfinished == set()
        assert again.abort_leftovers("app") == []

    @pytest.mark.parametrize("lost", [twice, cut_after])
    def test_begun_twice(
        self, lost: Fault, s3: S3Server, s3_settings: MakeS3Settings, dump: Path, contents: Contents
    ) -> None:
        """Of an upload whose name got lost nobody would ever hear again."""
        with HttpProxy(s3.port) as proxy:
            proxy.rules = [Rule("CreateMultipartUpload", lost)]
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=proxy.endpoint))
            upload = storage.begin_upload(KEY, dump, expected_bytes=1)
            upload.finish(dump.stat().st_size)
            upload.complete()
        assert contents.get(KEY) == dump.read_bytes()
        assert contents.unfinished == set()

    def test_altered_on_its_way(
        self, s3: S3Server, s3_settings: MakeS3Settings, dump: Path, contents: Contents
    ) -> None:
        """A store that does not check the signed content has to check Content-MD5."""
        with HttpProxy(s3.port) as altering:
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=altering.endpoint))
            altering.rules = [Rule("UploadPart", altered_request(0.5), first=2)]
            upload = storage.begin_upload(KEY, dump, expected_bytes=1)
            with pytest.raises(StorageError, match="damaged on its way"):
                upload.finish(dump.stat().st_size)
            upload.abort()
            altering.rules = [Rule("PutObject", altered_request(0.5))]
            with pytest.raises(StorageError, match="damaged on its way"):
                storage.put_small(KEY, b"a manifest")
        assert contents.keys == set()

    def test_refused(self, proxy: Proxy, upload: Upload, dump: Path, contents: Contents) -> None:
        proxy.refuse()
        with pytest.raises(StorageError, match="nothing listens"):
            upload.finish(dump.stat().st_size)
        with pytest.raises(StorageError, match="nothing listens"):
            upload.abort()
        assert contents.keys == set()

    def test_hangs(self, proxy: Proxy, upload: Upload, dump: Path, contents: Contents) -> None:
        proxy.hang()
        with pytest.raises(StorageError, match="did not answer in time"):
            upload.finish(dump.stat().st_size)
        with pytest.raises(StorageError, match="did not answer in time"):
            upload.abort()
        assert contents.keys == set()

    def test_the_answer_to_the_last_step_is_lost(
        self, proxy: Proxy, upload: Upload, dump: Path, contents: Contents
    ) -> None:
        """The store completes it, we do not hear of it: the object itself tells."""
        upload.finish(dump.stat().st_size)
        proxy.cut_answer_to(b"POST /")
        upload.complete()
        assert proxy.cuts == 1
        assert contents.get(KEY) == dump.read_bytes()

    def test_unknown_whether_it_was_completed(
        self, proxy: Proxy, upload: Upload, dump: Path, contents: Contents
    ) -> None:
        upload.finish(dump.stat().st_size)
        proxy.cut_answer_to(b"POST /", then_refuse=True)
        with pytest.raises(StorageError, match="is in S3 is unknown"):
            upload.complete()
        assert contents.get(KEY) == dump.read_bytes()
