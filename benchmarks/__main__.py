"""`make bench`: builds the database, runs the rounds, prints Markdown on stdout."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import click

from benchmarks import guide
from benchmarks.database import DATABASE, build
from benchmarks.report import to_markdown
from benchmarks.rows import BUCKET, Bench
from pgconsole.demo.servers import PostgresServer, S3Server

_OPTIONS = (
    "wal_level=minimal", "max_wal_senders=0",  # a new table's rows bypass the WAL
    "shared_buffers=512MB",
    "autovacuum=off",  # it would take a core in some rounds and not in others
)  # fmt: skip


@click.command()
@click.option("--size-gb", default=1.5, show_default=True, help="Plain dump, in 10^9 bytes.")
@click.option("--rounds", default=5, show_default=True, help="How often each is run.")
@click.option("--s3/--no-s3", "with_s3", default=True, show_default=True, help="The S3 rows.")
def main(size_gb: float, rounds: int, with_s3: bool) -> None:
    """Measure pgconsole against the guide's shell pipeline, side by side."""
    with tempfile.TemporaryDirectory(prefix="pgconsole-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o711)  # as root, PostgreSQL runs as somebody else
        with PostgresServer(scratch / "postgres", options=_OPTIONS) as server:
            start = time.monotonic()
            build(server, int(size_gb * 1e9))
            _say(f"database built in {time.monotonic() - start:.0f} s")
            raw_bytes = _raw_bytes(server)
            with S3Server(scratch / "s3") as s3:
                s3.make_bucket(BUCKET)
                results = Bench(server, s3 if with_s3 else None, scratch, _say).run(rounds)
            version = _version(server)
    click.echo(to_markdown(results, raw_bytes=raw_bytes, postgres_version=version))


def _say(line: str) -> None:
    click.echo(line, err=True)


def _raw_bytes(server: PostgresServer) -> int:
    """The size of the plain dump; counting it also fills the server's cache."""
    count = subprocess.run(
        guide.shell(f"{guide.DUMP} | wc -c"), check=True, stdout=subprocess.PIPE,
        env=os.environ | server.environment | {"PGDATABASE": DATABASE},
    )  # fmt: skip
    return int(count.stdout)


def _version(server: PostgresServer) -> str:
    with server.connect() as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    return str(row[0])


if __name__ == "__main__":
    main()
