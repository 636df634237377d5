"""Runs an iterator in a thread of its own, some items ahead of whoever uses them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


@contextmanager
def prefetched(items: Iterator[T], depth: int) -> Iterator[Iterator[T]]:
    """The same items, made by a thread that has ended when the context ends.

    Args:
        items: An iterator that nobody else uses; what it raises is raised again here.
        depth: How many items may wait.
    """
    ahead = _Ahead(items, depth)
    try:
        ahead.thread.start()
        yield ahead.taken()
    finally:
        ahead.stop()


class _Ahead(Generic[T]):
    def __init__(self, items: Iterator[T], depth: int) -> None:
        self.thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._items = items
        self._ready: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
        self._room: SimpleQueue[bool] = SimpleQueue()  # False: it is over
        for _ in range(depth):
            self._room.put(True)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._room.get():
                    return
                self._ready.put((item,))
            self._ready.put(None)
        except BaseException as error:
            self._ready.put(error)

    def taken(self) -> Iterator[T]:
        while (item := self._ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            self._room.put(True)
            yield item[0]

    def stop(self) -> None:
        self._room.put(False)  # it ends when the room there is has been used up
        if self.thread.ident is not None:
            self.thread.join()
