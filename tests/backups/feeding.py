"""What tests of psql's side of a restore share."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

from tests.backups.helpers import Recorder, plain_dump, without_keys
from tests.dumps.helpers import BytesSource

from pgconsole.backups.dump_gate import choose_psql, refuse_unsafe
from pgconsole.backups.psql_restore import RestoredContent, feed_psql
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.integrity import CheckedDump, check_dump
from pgconsole.dumps.manifest import Section
from pgconsole.postgres.server import probe
from pgconsole.report import Report
from pgconsole.settings import Settings

EVERYTHING = Path(__file__).with_name("everything.sql")


def check(dump: bytes) -> tuple[BytesSource, CheckedDump]:
    """A dump as an old file without a manifest, and what is known of it."""
    source = BytesSource(gzip.compress(dump, 1))
    return source, check_dump(source, None, lambda _: None)


def feed(
    settings: Settings,
    dump: bytes,
    report: Report | None = None,
    sections: Sequence[Section] | None = None,
) -> RestoredContent:
    """Feed a dump to psql; the gate is not asked."""
    source = BytesSource(gzip.compress(dump, 1))
    if sections is None:
        sections = check(dump)[1].sections
    psql = choose_psql(probe(settings).major)
    return feed_psql(settings, psql, source, sections, report or Recorder())


def gate(settings: Settings, dump: bytes) -> None:
    """Ask the gate about a dump."""
    major = probe(settings).major
    refuse_unsafe(check(dump)[1], choose_psql(major), major)


def state(server: PostgresServer, database: str) -> bytes:
    """The whole content of a database, to compare."""
    return without_keys(plain_dump(server, database))
