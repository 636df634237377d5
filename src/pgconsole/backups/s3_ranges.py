"""An object of S3 from one byte to its end, by several ranged requests at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from pgconsole.dumps.source import RangedSource

_PIECE = 4 << 20  # bytes; a cut costs at most the pieces that are on their way
_AT_ONCE = 4  # the connections that a client keeps


@contextmanager
def ranges(source: RangedSource, begin: int) -> Iterator[Iterator[bytes]]:
    """The bytes in their order, some pieces ahead of whoever uses them.

    Args:
        source: The object.
        begin: The offset of the first byte.
    """
    executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="download")
    try:
        yield _in_order(executor, source, begin)
    finally:
        executor.shutdown(cancel_futures=True)


def _in_order(executor: ThreadPoolExecutor, source: RangedSource, begin: int) -> Iterator[bytes]:
    waiting: deque[Future[bytes]] = deque()
    offset = begin
    while offset < source.size or waiting:
        while offset < source.size and len(waiting) < _AT_ONCE:
            waiting.append(executor.submit(source.read_at, offset, _PIECE))
            offset += _PIECE
        yield waiting.popleft().result()
