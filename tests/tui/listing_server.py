"""A store that answers ListObjectsV2 for any number of objects: rclone takes a second a page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_FIRST = datetime(2015, 1, 1, tzinfo=UTC)
_PAGE = 1000


def key(number: int) -> str:
    """The key of an object: one backup every half hour."""
    when = _FIRST + number * timedelta(minutes=30)
    return f"backups/daily/thinktank_daily_{when:%Y%m%d_%H%M%S}.sql.gz"


class ListingServer(ThreadingHTTPServer):
    """Pages of a bucket with `count` daily backups. `gate` lets one page through a `set`."""

    daemon_threads = True

    def __init__(self, count: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.count = count
        self.pages = 0
        self.held_at: int | None = None
        self.go_on = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each page waits 40 ms for a packet's acknowledgement
    server: ListingServer

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        first = int(query.get("continuation-token", ["0"])[0])
        count = self.server.count if query["prefix"] == ["backups/daily/"] else 0
        if first == self.server.held_at:
            self.server.go_on.wait(60)
        last = min(first + _PAGE, count)
        self.server.pages += 1
        body = _page(first, last, count).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _page(first: int, last: int, count: int) -> str:
    entries = "".join(
        f"<Contents><Key>{key(number)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f'<ETag>"0"</ETag><Size>{1000 + number}</Size><StorageClass>STANDARD</StorageClass>'
        "</Contents>"
        for number in range(first, last)
    )
    more = f"<NextContinuationToken>{last}</NextContinuationToken>" if last < count else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>bucket</Name><KeyCount>{last - first}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
        f"<IsTruncated>{str(last < count).lower()}</IsTruncated>{more}{entries}"
        "</ListBucketResult>"
    )


@contextmanager
def listing_server(count: int) -> Iterator[ListingServer]:
    """Serve until the block ends."""
    server = ListingServer(count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
