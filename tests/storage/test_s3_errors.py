"""What is wrong with a store, said quickly and in words that lead to the fix."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest
from tests.proxy import Proxy
from tests.storage.conftest import NAME, MakeS3Settings

from pgconsole.demo.servers import S3Server, free_port
from pgconsole.errors import StorageError
from pgconsole.storage.s3 import S3Storage

KEY = f"backups/{NAME.relative_path}"

OPERATIONS: list[Callable[[S3Storage], object]] = [
    lambda storage: storage.check(),
    lambda storage: storage.listing(),
    lambda storage: list(storage.pages()),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=["check", "listing", "pages"])
@pytest.mark.parametrize(
    ("variables", "cause", "fix"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "wrong"},
            "the store does not know the access key (InvalidAccessKeyId, HTTP 403",
            "AWS_ACCESS_KEY_ID",
        ),
        (
            {"AWS_SECRET_ACCESS_KEY": "wr@ng/secret"},
            "the secret key does not belong to the access key (SignatureDoesNotMatch",
            "AWS_SECRET_ACCESS_KEY",
        ),
        ({"S3_BACKUP_BUCKET": "missing"}, "there is no such bucket", "S3_BACKUP_BUCKET"),
        ({"S3_BACKUP_BUCKET": "No Bucket!"}, "S3 can't take these names", "S3_BACKUP_BUCKET"),
        (
            {"S3_ENDPOINT_URL": "http://no-such-host.invalid"},
            "the host name of http://no-such-host.invalid can't be resolved",
            "S3_ENDPOINT_URL",
        ),
        ({"S3_ENDPOINT_URL": "http://"}, "is no usable URL", "S3_ENDPOINT_URL"),
    ],
)
def test_settings(
    s3_settings: MakeS3Settings, variables: dict[str, str], cause: str, fix: str,
    operation: Callable[[S3Storage], object],
) -> None:  # fmt: skip
    start = time.monotonic()
    with pytest.raises(StorageError) as caught:
        operation(S3Storage(s3_settings(**variables)))
    assert cause in caught.value.cause
    assert fix in caught.value.fix
    assert "wr@ng" not in str(caught.value)
    assert time.monotonic() - start < 10  # seconds, on a busy host


def test_no_credentials(s3_settings: MakeS3Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    for variables in (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
    ):
        with pytest.raises(StorageError, match="no credentials are set, or only one"):
            S3Storage(s3_settings(**variables)).check()


def refusal(status: int, code: bytes) -> bytes:
    """An error as S3 sends it, for those that the real server here can't be brought to send."""
    body = b"<Error><Code>%s</Code><Message>words</Message></Error>" % code
    return b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class TestNetwork:
    def test_refused(self, s3_settings: MakeS3Settings) -> None:
        endpoint = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(StorageError, match=r"nothing listens at http://127\.0\.0\.1"):
            S3Storage(s3_settings(S3_ENDPOINT_URL=endpoint)).listing()

    def test_hangs(self, s3: S3Server, s3_settings: MakeS3Settings) -> None:
        with Proxy(s3.port) as proxy:
            proxy.hang()
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=proxy.endpoint), timeout=1)
            start = time.monotonic()
            with pytest.raises(StorageError, match="did not answer in time"):
                storage.check()
            assert time.monotonic() - start < 10
            proxy.heal()
            storage.check()

    def test_cut(self, s3: S3Server, s3_settings: MakeS3Settings) -> None:
        with Proxy(s3.port) as proxy:
            proxy.cut_after(to_server=10)
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=proxy.endpoint), timeout=1)
            with pytest.raises(StorageError, match="was cut"):
                storage.listing()

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            (refusal(403, b"RequestTimeTooSkewed"), "this host's clock and the store's differ"),
            (refusal(403, b"AccessDenied"), "the store refuses this access key"),
            (
                refusal(400, b"AccessDenied").replace(
                    b"\r\n", b"\r\nDate: Sun, 01 Jan 2040 00:00:00 GMT\r\n", 1
                ),
                "clock and the store's differ: there it is 2040-01-01 00:00 UTC",
            ),
            (refusal(503, b"SlowDown"), "asks to slow down"),
            (refusal(400, b"Strange"), "the store answered: words"),
            (
                b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
                "has a fault or is overloaded",
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "can't be used"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "was cut"),
        ],
    )
    def test_something_else_answers(
        self, s3_settings: MakeS3Settings, answer: bytes, cause: str
    ) -> None:
        with Answering(answer) as endpoint:
            storage = S3Storage(s3_settings(S3_ENDPOINT_URL=endpoint), timeout=2)
            with pytest.raises(StorageError, match=cause) as caught:
                storage.check()
        assert endpoint in caught.value.cause
        assert caught.value.fix

    def test_no_tls(self, s3: S3Server, s3_settings: MakeS3Settings) -> None:
        endpoint = s3.endpoint.replace("http:", "https:")
        with pytest.raises(StorageError, match="TLS"):
            S3Storage(s3_settings(S3_ENDPOINT_URL=endpoint)).check()


class Answering:
    """A server that gives everybody the same answer."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)
