"""An S3 store that answers as no store should: what it says can be set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

KEY = "backups/daily/app_daily_20260225_020000.sql.gz"
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def entry(
    key: str = KEY,
    size: str | None = "100",
    modified: str | None = "2026-02-25T02:00:00.000Z",
    etag: str | None = '"e"',
) -> str:
    """One object of a list; what is None is left out."""
    fields = {"Key": key, "LastModified": modified, "ETag": etag, "Size": size}
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items() if text is not None)
    return f"<Contents>{inner}<StorageClass>STANDARD</StorageClass></Contents>"


def listing(*entries: str, more: str = "", truncated: str = "false") -> bytes:
    """The answer to ListObjectsV2."""
    return (
        f"{_XML}<ListBucketResult {_NAMESPACE}><Name>bucket</Name><EncodingType>url</EncodingType>"
        f"<KeyCount>{len(entries)}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>{truncated}</IsTruncated>{more}{''.join(entries)}</ListBucketResult>"
    ).encode()


def of_key(key: str | bytes) -> bytes:
    """A list with one object of this key, escaped as stores do it."""
    return listing(entry(quote(key)))


@dataclass
class Answer:
    """One answer.

    Attributes:
        body: Its bytes; an endless one ends when nobody listens any more.
        status: HTTP's.
        headers: Instead of those that belong to the body.
    """

    body: bytes | Callable[[], Iterable[bytes]] = b""
    status: int = 200
    headers: dict[str, str] | None = None


def head_of(size: int) -> Answer:
    """The answer to HEAD for an object of so many bytes."""
    modified = "Wed, 25 Feb 2026 02:00:00 GMT"
    return Answer(headers={**of_length(size), "Last-Modified": modified})


def part_of(content: bytes, asked: str, etag: str = '"e"') -> Answer:
    """What a store that knows ranges answers to this Range."""
    first, _, last = asked.removeprefix("bytes=").partition("-")
    part = content[int(first) : int(last) + 1]
    return Answer(part, 206, of_length(len(part), etag))


def of_length(size: int, etag: str = '"e"') -> dict[str, str]:
    """Headers of an object."""
    return {"Content-Length": str(size), "ETag": etag}


Lists = Callable[[dict[str, list[str]]], Answer]


def beginning(*found: str, key: str = KEY) -> Lists:
    """A list of these entries for whoever asks for the class of this key, else an empty one."""
    return lambda query: Answer(listing(*(found if key.startswith(query["prefix"][0]) else ())))


def commands(key: str) -> list[tuple[str, ...]]:
    """What asks the bucket, and what an operator may do with a key that was listed."""
    return [
        ("list", "--s3"), ("list", "--s3", "--json"), ("restore", "--list-s3"), ("status",),
        ("doctor",), ("prune", "--dry-run"), ("show", "--s3", "--", key), ("verify", "--s3", key),
        ("download", "--", key), ("restore", "--from-s3", key, "--yes"), ("pin", "--", key),
    ]  # fmt: skip


@dataclass
class Says:
    """What the store says.

    Attributes:
        lists: To a listing with this prefix.
        head: To HEAD.
        get: To GET of an object.
        asked: How many requests came.
    """

    lists: Lists = lambda _: Answer(listing())
    head: Callable[[str], Answer] = lambda _: Answer(status=404)
    get: Callable[[str, str], Answer] = lambda _key, _range: Answer(status=404)
    asked: int = field(default=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for a packet's acknowledgement
    server: HostileStore

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        self.server.says.asked += 1
        if "list-type" in query:
            self._answer(self.server.says.lists(query))
        elif query:  # lifecycle, uploads, ...
            self._answer(Answer(status=501))
        else:
            self._answer(self.server.says.get(parts.path, self.headers.get("Range", "")))

    def do_HEAD(self) -> None:
        self.server.says.asked += 1
        self._answer(self.server.says.head(urlsplit(self.path).path))

    def _answer(self, answer: Answer) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(answer.status)
            headers = answer.headers
            if headers is None:
                length = len(answer.body) if isinstance(answer.body, bytes) else None
                headers = {"Content-Type": "application/xml"}
                headers |= {} if length is None else {"Content-Length": str(length)}
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Connection", "close")  # which this server then does
            self.end_headers()
            if self.command != "HEAD":
                pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body()
                for piece in pieces:
                    self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class HostileStore(ThreadingHTTPServer):
    """Answers with whatever `says` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.says = Says()

    @property
    def variables(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "S3_BACKUP_BUCKET": "bucket",
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{self.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "hidden-secret",
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tried."""


@contextmanager
def hostile_store() -> Iterator[HostileStore]:
    """Serve until the block ends."""
    store = HostileStore()
    thread = threading.Thread(target=store.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.shutdown()
        store.server_close()
        thread.join()
