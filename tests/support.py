"""What several tests need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from pgconsole.demo.servers import PostgresServer

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float = 20.0) -> T:
    """Poll until the condition is true, and return what it returned; fail after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {condition}")
        time.sleep(0.02)


@contextmanager
def blocked_dump(server: PostgresServer, database: str) -> Iterator[psycopg.Connection]:
    """A transaction that holds a lock which pg_dump waits for, until the block ends."""
    with server.connect(database) as connection:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        yield connection


def wait_for_dump(server: PostgresServer, database: str) -> None:
    """Wait until a pg_dump of this database waits for the lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with server.connect() as connection:
        wait_until(lambda: (connection.execute(query, [database]).fetchone() or (0,))[0] > 0)
