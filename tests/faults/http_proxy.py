"""An HTTP proxy before a real S3 server, which misbehaves at the n-th request of a kind."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'
_HOP = {"expect", "connection", "transfer-encoding"}


@dataclass(slots=True)
class Request:
    """A request as it came.

    Attributes:
        method: `GET`, ...
        target: Path and query.
        headers: As they came.
        body: All of it.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def operation(self) -> str:
        """What S3 calls it."""
        parts = urlsplit(self.target)
        query = parse_qs(parts.query, keep_blank_values=True)
        on_object = "/" in parts.path.strip("/")
        names = {
            ("POST", "uploads"): "CreateMultipartUpload",
            ("POST", "uploadId"): "CompleteMultipartUpload",
            ("PUT", "uploadId"): "UploadPart",
            ("DELETE", "uploadId"): "AbortMultipartUpload",
            ("GET", "uploadId"): "ListParts",
            ("GET", "uploads"): "ListMultipartUploads",
        }
        for (method, key), name in names.items():
            if method == self.method and key in query:
                return name
        if self.method == "PUT" and any(
            name.lower() == "x-amz-copy-source" for name, _ in self.headers
        ):
            return "CopyObject"
        kind = "Object" if on_object else "Bucket"
        if self.method == "GET" and not on_object:
            return "ListObjects"
        return {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete"}.get(
            self.method, self.method
        ) + kind


@dataclass(slots=True)
class Answer:
    """What the client gets; `cut` bytes of the body are left out and the connection is reset."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cut: int = 0


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], Answer | None]
"""Answers a request, with the help of the real server or without; None resets the connection."""


@dataclass
class Rule:
    """Which requests meet a fault.

    Attributes:
        operation: What S3 calls it; `*` for all.
        fault: What happens.
        first: The first one that meets it, from 1.
        times: How many meet it.
        met: How many have met it so far.
    """

    operation: str
    fault: Fault
    first: int = 1
    times: int = 1
    met: int = 0
    _seen: int = field(default=0)

    def takes(self, operation: str) -> bool:
        """Whether this request is one of them."""
        if self.operation not in (operation, "*"):
            return False
        self._seen += 1
        if self.first <= self._seen < self.first + self.times:
            self.met += 1
            return True
        return False


def error(status: int, code: str, **headers: str) -> Fault:
    """The store answers with an error."""

    def fault(request: Request, _forward: Forward) -> Answer:
        body = _XML.format(code, f"made up: {code}").encode() if request.method != "HEAD" else b""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return Answer(status, [("Content-Type", "application/xml"), *named], body)

    return fault


def cut_before(_request: Request, _forward: Forward) -> None:
    """The connection is reset before the server hears of it."""
    return


def cut_after(request: Request, forward: Forward) -> None:
    """The server has done it, and the client does not hear of it."""
    forward(request)


def cut_within(request: Request, forward: Forward) -> Answer:
    """The answer breaks off half-way."""
    answer = forward(request)
    answer.cut = len(answer.body) // 2 + 1
    return answer


def twice(request: Request, forward: Forward) -> Answer:
    """Somebody on the way sends the request twice; the client hears the second answer."""
    forward(request)
    return forward(request)


def slow(seconds: float) -> Fault:
    """The answer takes long."""

    def fault(request: Request, forward: Forward) -> Answer:
        time.sleep(seconds)
        return forward(request)

    return fault


def altered_answer(position: float) -> Fault:
    """A bit of the answer's body is another one."""

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        answer.body = _flipped(answer.body, position)
        return answer

    return fault


def altered_request(position: float) -> Fault:
    """A bit of the request's body is another one."""

    def fault(request: Request, forward: Forward) -> Answer:
        request.body = _flipped(request.body, position)
        return forward(request)

    return fault


def after(event: Callable[[], object]) -> Fault:
    """Something happens just before the request reaches the server."""

    def fault(request: Request, forward: Forward) -> Answer:
        event()
        return forward(request)

    return fault


class HttpProxy:
    """Listens on 127.0.0.1:`port`, forwards to an S3 server on 127.0.0.1.

    Args:
        target_port: The real server's port.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.rules: list[Rule] = []
        self.operations: list[str] = []
        """What was asked for so far."""
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """The URL for S3_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.port}"

    def rule_for(self, request: Request) -> Rule | None:
        """The first rule that takes this request."""
        with self.lock:
            self.operations.append(request.operation)
            return next((rule for rule in self.rules if rule.takes(request.operation)), None)

    def forward(self, request: Request) -> Answer:
        """Ask the real server."""
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=30)
        connection.putrequest(
            request.method, request.target, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers:
            if name.lower() not in _HOP:
                connection.putheader(name, value)
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read()
        headers = [
            (name, value)
            for name, value in response.getheaders()
            if name.lower() not in (*_HOP, "content-length") or request.method == "HEAD"
        ]
        connection.close()
        return Answer(response.status, headers, body)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: HttpProxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        request = Request(self.command, self.path, list(self.headers.items()), body)
        proxy = self.server.proxy
        rule = proxy.rule_for(request)
        try:
            answer = rule.fault(request, proxy.forward) if rule else proxy.forward(request)
        except OSError:
            answer = None
        if answer is None:
            self.close_connection = True
            return
        self.wfile.write(f"HTTP/1.1 {answer.status} {answer.status}\r\n".encode())
        for name, value in answer.headers:
            self.wfile.write(f"{name}: {value}\r\n".encode())
        if request.method != "HEAD":
            self.wfile.write(f"Content-Length: {len(answer.body)}\r\n".encode())
        self.wfile.write(b"\r\n" + answer.body[: len(answer.body) - answer.cut])
        self.close_connection = bool(answer.cut)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _flipped(data: bytes, position: float) -> bytes:
    if not data:
        return data
    at = int(len(data) * position)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
