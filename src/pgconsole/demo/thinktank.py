"""The demo's database: made by the server itself, so that it is there within seconds."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from pgconsole.demo.servers import PostgresServer

DATABASE = "thinktank"
PUBLICATIONS = 40_000
"""So many publications make a plain dump of about 300 MB."""

_DIRECTORY = Path(__file__).parent


def create(server: PostgresServer) -> None:
    """Create the database with all objects and the data that does not grow."""
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with server.connect(DATABASE) as connection:
        connection.execute(_script("thinktank.sql"))


def grow(server: PostgresServer, publications: int) -> None:
    """Add data until there are so many publications.

    Args:
        server: Has the database.
        publications: A multiple of 4, more than there are now.
    """
    with server.connect(DATABASE) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM publications").fetchone()
        assert row is not None
        # The client binds the parameters: only so can a script of many statements have some.
        cursor = psycopg.ClientCursor(connection)
        with connection.transaction():
            cursor.execute(_script("growth.sql"), {"first": row[0] + 1, "last": publications})


def _script(name: str) -> bytes:
    return (_DIRECTORY / name).read_bytes()
