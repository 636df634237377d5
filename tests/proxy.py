"""A TCP proxy that misbehaves on request, to put between pgconsole and a real server."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards 127.0.0.1:`port` to a server on 127.0.0.1, and can cut, hang or refuse.

    Faults can be set at any time, from any thread; they hold for open connections too.

    Args:
        target_port: The real server's port.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._cut_at: int | None = None
        self._cut_at_client: int | None = None
        self._once = False
        self._unanswered: bytes | None = None
        self._then_refuse = False
        self._alter_at: dict[str, int] = {}  # direction: byte whose lowest bit is flipped
        self._repeat_at: dict[str, int] = {}  # direction: byte after which a piece comes again
        self._delay = 0.0
        self._rate = 0.0
        self._hanging = threading.Event()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.bytes_to_server = 0
        """Bytes forwarded to the server so far, over all connections."""
        self.bytes_to_client = 0
        """Bytes forwarded to the clients so far, over all connections."""
        self.altered = 0
        """Bits flipped, and pieces sent twice, by `alter_once` and `repeat_once`."""
        self.cuts = 0
        """Connections reset by `cut_after` or `cut_once` so far."""
        self.connections = 0
        """Connections accepted so far."""
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def endpoint(self) -> str:
        """The URL for S3_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.port}"

    def cut_after(self, to_server: int | None = None, to_client: int | None = None) -> None:
        """Reset every connection as soon as so many more bytes have gone that way."""
        with self._lock:
            if to_server is not None:
                self._cut_at = self.bytes_to_server + to_server
            if to_client is not None:
                self._cut_at_client = self.bytes_to_client + to_client

    def cut_once(self, to_server: int | None = None, to_client: int | None = None) -> None:
        """Like `cut_after`, but for one connection only."""
        self._once = True
        self.cut_after(to_server, to_client)

    def cut_answer_to(self, request: bytes, *, then_refuse: bool = False) -> None:
        """Reset one connection when the server answers a request that begins so.

        The server has done what was asked, the client does not hear of it.

        Args:
            request: How the request begins, e.g. `b"POST /"`.
            then_refuse: From then on, refuse everything.
        """
        with self._lock:
            self._unanswered = request
            self._then_refuse = then_refuse

    def alter_once(self, to_server: int | None = None, to_client: int | None = None) -> None:
        """Flip a bit of the byte that comes after so many more, once."""
        self._set(self._alter_at, to_server, to_client)

    def repeat_once(self, to_server: int | None = None, to_client: int | None = None) -> None:
        """Send a piece a second time, after so many more bytes."""
        self._set(self._repeat_at, to_server, to_client)

    def slow_down(self, *, delay: float = 0.0, rate: float = 0.0) -> None:
        """From now on each piece takes longer.

        Args:
            delay: Seconds.
            rate: Bytes a second that each connection lets through; 0: no limit.
        """
        self._delay, self._rate = delay, rate

    def hang(self) -> None:
        """Accept connections and forward nothing, in either direction."""
        self._hanging.set()

    def refuse(self) -> None:
        """Stop listening and reset all connections: new ones are refused."""
        self._closed.set()
        # Only shutdown wakes the thread in accept; close alone would keep the port open.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self._reset_all()

    def heal(self) -> None:
        """Forward everything again (not after `refuse`)."""
        with self._lock:
            self._cut_at = self._cut_at_client = None
            self._alter_at.clear()
            self._repeat_at.clear()
        self._delay = self._rate = 0.0
        self._hanging.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.refuse()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
            except OSError:
                _reset(client)
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        end = socket.socket.close
        marked = False  # the connection carries the request that is not to be answered
        with contextlib.suppress(OSError, ValueError):
            while not self._closed.is_set():
                ready = _readable(client, server)
                if self._hanging.is_set():
                    self._closed.wait(0.01)
                    continue
                if marked and server in ready:
                    end = self._swallow(server)
                    break
                data = {side: side.recv(self._piece()) for side in ready}
                if not all(data.values()):
                    break
                marked = marked or self._is_marked(data.get(client, b""))
                if self._pass(data.get(client, b""), server, data.get(server, b""), client):
                    end = _reset
                    break
        with self._lock:
            self._pairs.discard((client, server))
        end(client)
        end(server)
        if marked and self._then_refuse:
            self.refuse()

    def _pass(
        self, request: bytes, server: socket.socket, answer: bytes, client: socket.socket
    ) -> bool:
        """Forward in both directions. True when the connection is to be cut."""
        if self._delay or self._rate:
            length = len(request) + len(answer)
            self._closed.wait(self._delay + (length / self._rate if self._rate else 0))
        server.sendall(self._altered("server", request, self.bytes_to_server))
        client.sendall(self._altered("client", answer, self.bytes_to_client))
        with self._lock:
            self.bytes_to_server += len(request)
            self.bytes_to_client += len(answer)
            cut = (self._cut_at is not None and self.bytes_to_server >= self._cut_at) or (
                self._cut_at_client is not None and self.bytes_to_client >= self._cut_at_client
            )
            self.cuts += cut
            if cut and self._once:
                self._cut_at = self._cut_at_client = None
                self._once = False
        return cut

    def _piece(self) -> int:
        """How many bytes are read at a time: few of a slow connection."""
        return max(1, min(65536, int(self._rate / 20))) if self._rate else 65536

    def _set(self, at: dict[str, int], to_server: int | None, to_client: int | None) -> None:
        with self._lock:
            if to_server is not None:
                at["server"] = self.bytes_to_server + to_server
            if to_client is not None:
                at["client"] = self.bytes_to_client + to_client

    def _altered(self, direction: str, data: bytes, sent: int) -> bytes:
        with self._lock:
            at = self._alter_at.get(direction)
            if at is not None and sent <= at < sent + len(data):
                del self._alter_at[direction]
                self.altered += 1
                place = at - sent
                data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            again = self._repeat_at.get(direction)
            if again is not None and data and sent + len(data) > again:
                del self._repeat_at[direction]
                self.altered += 1
                data += data
        return data

    def _is_marked(self, request: bytes) -> bool:
        with self._lock:
            if self._unanswered is None or not request.startswith(self._unanswered):
                return False
            self._unanswered = None
        return True

    def _swallow(self, server: socket.socket) -> Callable[[socket.socket], None]:
        server.recv(65536)
        self.cuts += 1
        return _reset

    def _reset_all(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for side in pair:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)


def _reset(side: socket.socket) -> None:
    """Close with a reset, as a router does that drops a connection."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    side.close()


def _readable(*ends: socket.socket) -> list[socket.socket]:
    """Those that have something to read, within a moment; select would end at 1,024 files."""
    poll = select.poll()
    by_number = {end.fileno(): end for end in ends}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(50)]
