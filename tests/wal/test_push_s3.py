"""A segment in S3: the same promises, over HTTP."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from tests.conftest import MakeSettings
from tests.proxy import Proxy
from tests.wal.conftest import NAME, Archiver, Segments

from pgconsole.demo.servers import S3Server
from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.wal.push_s3 import push_s3

KEY = f"backups/wal/{NAME}"
LEVELS = {"plain": False, "gzip": True}


class Bucket:
    """What a bucket really holds."""

    def __init__(self, s3: S3Server, name: str) -> None:
        self._client = boto3.client(
            "s3", endpoint_url=s3.endpoint, aws_access_key_id=s3.access_key,
            aws_secret_access_key=s3.secret_key, region_name="us-east-1",
        )  # fmt: skip
        self._name = name

    @property
    def objects(self) -> dict[str, bytes]:
        """All objects."""
        found = self._client.list_objects_v2(Bucket=self._name).get("Contents", [])
        return {
            entry["Key"]: self._client.get_object(Bucket=self._name, Key=entry["Key"])[
                "Body"
            ].read()
            for entry in found
        }

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        self._client.put_object(Bucket=self._name, Key=key, Body=data)


@pytest.fixture
def bucket(s3: S3Server, s3_bucket: str) -> Bucket:
    return Bucket(s3, s3_bucket)


@pytest.fixture
def settings(s3: S3Server, s3_bucket: str, make_settings: MakeSettings) -> Settings:
    return make_settings(**s3.environment(s3_bucket))


class TestPush:
    def test_archives(
        self, archiver: Archiver, segments: Segments, s3: S3Server, s3_bucket: str, bucket: Bucket
    ) -> None:
        content = segments.write().read_bytes()
        variables = s3.environment(s3_bucket) | {"PGPORT": "none", "BACKUP_DIR": ""}
        assert archiver.run("--s3", f"pg_wal/{NAME}", **variables) == (0, "")
        assert bucket.objects == {KEY: content}
        assert list(archiver.directory.iterdir()) == []
        variables["S3_BACKUP_PREFIX"] = "/"
        assert archiver.run("--s3", "--gzip", f"pg_wal/{NAME}", **variables) == (0, "")
        assert gzip.decompress(bucket.objects[f"wal/{NAME}.gz"]) == content

    @pytest.mark.parametrize("first", LEVELS)
    @pytest.mark.parametrize("second", LEVELS)
    def test_again(
        self, settings: Settings, segments: Segments, bucket: Bucket, first: str, second: str
    ) -> None:
        path = segments.write()
        push_s3(path, settings, compress=LEVELS[first])
        before = bucket.objects
        assert len(before) == 1
        push_s3(path, settings, compress=LEVELS[second])
        assert bucket.objects == before
        segments.write()
        with pytest.raises(StorageError, match="with another content, and is never overwritten"):
            push_s3(path, settings, compress=LEVELS[second])
        assert bucket.objects == before

    def test_a_damaged_one_is_different(
        self, settings: Settings, segments: Segments, bucket: Bucket
    ) -> None:
        path = segments.write()
        for key, data in ((f"{KEY}.gz", b""), (f"{KEY}.gz", gzip.compress(b"x")[:-3]), (KEY, b"")):
            bucket.put(key, data)
            with pytest.raises(StorageError, match="with another content"):
                push_s3(path, settings)


class TestFaults:
    def test_store_that_can_not_be_reached(
        self, archiver: Archiver, segments: Segments, s3: S3Server, s3_bucket: str
    ) -> None:
        segments.write()
        with Proxy(s3.port) as proxy:
            variables = s3.environment(s3_bucket) | {"S3_ENDPOINT_URL": proxy.endpoint}
        code, errors = archiver.run("--s3", f"pg_wal/{NAME}", **variables)
        assert code == 1
        assert "connection refused" in errors

    def test_connection_cut_half_way(
        self, settings: Settings, segments: Segments, s3: S3Server, bucket: Bucket
    ) -> None:
        path = segments.write()
        with Proxy(s3.port) as proxy:
            proxy.cut_once(to_server=300_000)
            push_s3(path, settings.model_copy(update={"s3_endpoint_url": proxy.endpoint}))
            assert proxy.cuts == 1
        assert bucket.objects == {KEY: path.read_bytes()}

    def test_answer_lost(
        self, settings: Settings, segments: Segments, s3: S3Server, bucket: Bucket
    ) -> None:
        path = segments.write()
        with Proxy(s3.port) as proxy:
            proxy.cut_answer_to(b"PUT /", then_refuse=True)
            with pytest.raises(StorageError, match="can't be uploaded"):
                push_s3(path, settings.model_copy(update={"s3_endpoint_url": proxy.endpoint}))
        push_s3(path, settings)  # the server asks again
        assert bucket.objects == {KEY: path.read_bytes()}


class Gate(ThreadingHTTPServer):
    """Stands before the store and answers a conditional PUT itself.

    Args:
        target_port: The real server's port.
        answer: HTTP status and S3 code of that answer.
    """

    def __init__(self, target_port: int, answer: tuple[int, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Through)
        self.target_port = target_port
        self.answer = answer
        self.conditional = 0
        self.before_answering = lambda: None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Through(BaseHTTPRequestHandler):
    server: Gate
    protocol_version = "HTTP/1.1"  # it answers `Expect: 100-continue`

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["If-None-Match"] is None:
            self._forward(body)
            return
        assert self.headers["If-None-Match"] == "*"
        self.server.conditional += 1
        self.server.before_answering()
        status, code = self.server.answer
        self._answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())

    def do_GET(self) -> None:
        self._forward(b"")

    do_HEAD = do_GET

    def _forward(self, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target_port)
        headers = {name: value for name, value in self.headers.items() if name != "Expect"}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        self._answer(answer.status, dict(answer.headers), answer.read())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gate(request: pytest.FixtureRequest, s3: S3Server) -> Iterator[Gate]:
    with Gate(s3.port, request.param) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestConditions:
    @pytest.mark.parametrize("gate", [(501, "NotImplemented"), (400, "InvalidArgument")],
                             indirect=True)  # fmt: skip
    def test_store_without_conditions(
        self, gate: Gate, settings: Settings, segments: Segments, bucket: Bucket
    ) -> None:
        path = segments.write()
        through = settings.model_copy(update={"s3_endpoint_url": gate.endpoint})
        push_s3(path, through)
        assert gate.conditional >= 1
        assert bucket.objects == {KEY: path.read_bytes()}
        segments.write()
        with pytest.raises(StorageError, match="with another content"):
            push_s3(path, through)

    @pytest.mark.parametrize("gate", [(412, "PreconditionFailed")], indirect=True)
    @pytest.mark.parametrize("same", [True, False])
    def test_somebody_else_was_faster(
        self, gate: Gate, settings: Settings, segments: Segments, bucket: Bucket, same: bool
    ) -> None:
        path = segments.write()
        theirs = path.read_bytes() if same else Path(segments.write()).read_bytes()[::-1]
        gate.before_answering = lambda: bucket.put(KEY, theirs)
        through = settings.model_copy(update={"s3_endpoint_url": gate.endpoint})
        if same:
            push_s3(path, through)
        else:
            with pytest.raises(StorageError, match="with another content"):
                push_s3(path, through)
        assert gate.conditional == 1
        assert bucket.objects == {KEY: theirs}
