"""The SQL before a dump's first rows, of real dumps."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backups.helpers import plain_dump
from tests.conftest import create_database, drop_database
from tests.dumps.helpers import BytesSource

from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.created import Created
from pgconsole.dumps.head import read_head
from pgconsole.errors import DamagedError

EVERYTHING = Path(__file__).parents[1] / "backups" / "everything.sql"
ODD = 'Od;d\n"na--me" \\. $$'


@pytest.fixture
def dump(postgres: PostgresServer) -> Iterator[bytes]:
    create_database(postgres, "head", EVERYTHING.read_text())
    yield plain_dump(postgres, "head")
    drop_database(postgres, "head")


def test_all_that_pg_dump_drops_and_makes(dump: bytes) -> None:
    head = read_head(BytesSource(gzip.compress(dump)))
    text = dump.decode()
    assert head.server_version.startswith(("16", "18"))
    assert head.pg_dump_version == head.server_version
    assert (head.foreigners, head.extensions) == ((), ())
    assert all(command.from_pg_dump for command in head.commands)
    # Each statement counted in another way: pg_dump writes a DROP at the beginning of a line.
    for kind, statement in {
        "table": "TABLE", "view": "VIEW", "materialized view": "MATERIALIZED VIEW",
        "sequence": "SEQUENCE", "schema": "SCHEMA", "foreign table": "FOREIGN TABLE",
    }.items():  # fmt: skip
        dropped = {one for one in head.dropped if one.kind == kind}
        assert len(dropped) == len(set(re.findall(rf"(?m)^DROP {statement} .*", text))), kind
    tables = {one for one in head.made if one.kind == "table"}
    assert tables == {one for one in head.dropped if one.kind == "table"}
    constraints = re.findall(r"(?m)^ALTER TABLE IF EXISTS .* DROP CONSTRAINT .*;$", text)
    assert len(head.constraints) == len(constraints)
    assert ("public", "orders", "orders_user_id_fkey") in head.constraints
    assert Created("table", "public", "events") in head.made & head.dropped
    assert Created("table", 'Mixed "Case"; --', ODD) in head.made & head.dropped
    assert Created("type", "public", "mood") in head.dropped
    assert Created("type", "public", "positive") in head.dropped
    assert Created("function", "public", "touch") in head.dropped
    assert Created("function", "public", "nothing") in head.dropped


def test_little_more_than_the_sql_is_read(dump: bytes) -> None:
    source = Counting(gzip.compress(dump) + gzip.compress(b"x" * 50_000_000, 0))
    assert read_head(source).made
    assert source.read < 2 << 20


class Counting(BytesSource):
    read = 0

    def read_at(self, offset: int, length: int) -> bytes:
        data = super().read_at(offset, length)
        self.read += len(data)
        return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"CREATE TABLE x ();\n", "no dump of pg_dump"),
        (b"", "no dump of pg_dump"),
        (b"\0" * 1000, "byte of zero"),
        (
            b"--\n-- PostgreSQL database dump\n--\n" + (b"-- " + b"x" * 1_000_000 + b"\n") * 40,
            "more SQL than",
        ),
    ],
    ids=["other SQL", "nothing", "zeros", "endless"],
)
def test_what_is_no_dump(data: bytes, words: str) -> None:
    with pytest.raises(DamagedError, match=words):
        read_head(BytesSource(gzip.compress(data, 1)))


def test_a_file_that_is_damaged() -> None:
    with pytest.raises(DamagedError):
        read_head(BytesSource(b"no gzip"))
