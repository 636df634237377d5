"""A database with everything in it, and the plain tools to compare with."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

from pgconsole.demo.servers import PostgresServer
from pgconsole.report import Event, Level
from pgconsole.settings import Settings

RICH_SCHEMA = r'''
CREATE SCHEMA "Mixed Case";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE tickets START 1000;
SELECT nextval('tickets');
CREATE TABLE users (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    feeling mood DEFAULT 'sad',
    profile jsonb,
    shout text GENERATED ALWAYS AS (upper(name)) STORED
);
INSERT INTO users (name, profile)
    SELECT E'tab\tline\nback\\slash ' || i, jsonb_build_object('i', i, 'x', repeat('ü', i % 50))
    FROM generate_series(1, 3000) i;
CREATE TABLE "Mixed Case"."Od;d ""na--me""" (
    "select" positive, "COPY x FROM stdin;" text, parent int REFERENCES users
);
INSERT INTO "Mixed Case"."Od;d ""na--me""" VALUES (1, E'\\.', 1), (2, NULL, 2), (3, '', NULL);
CREATE TABLE empty (id int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO events SELECT '2025-06-01'::date + i, md5(i::text) FROM generate_series(0, 400) i;
CREATE TABLE bytes (b bytea);
INSERT INTO bytes SELECT decode(md5(i::text), 'hex') FROM generate_series(1, 500) i;
CREATE FUNCTION looks_like_copy() RETURNS text LANGUAGE sql AS $body$
/*
COPY public.users (id, name) FROM stdin;
1	x
\.
*/ SELECT $$x$$
$body$;
CREATE VIEW loud AS SELECT shout FROM users;
CREATE MATERIALIZED VIEW counted AS SELECT feeling, count(*) FROM users GROUP BY feeling;
CREATE INDEX ON users ((profile ->> 'x'));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
COMMENT ON TABLE users IS E'it''s; a \\. comment\nCOPY users FROM stdin;';
SELECT lo_from_bytea(4242, '\x00ff5c2e0a');
ANALYZE;
'''
_RESTRICT = re.compile(rb"(?m)^\\(un)?restrict \w+$")


class Recorder:
    """A report that keeps the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def text(self) -> str:
        """All messages, a line each."""
        return "\n".join(event.message for event in self.events if event.message)

    def warnings(self) -> list[str]:
        """The messages of warnings and errors."""
        return [event.message for event in self.events if event.level is not Level.INFO]


def without_keys(dump: bytes) -> bytes:
    """A dump without the random keys of its restrict lines."""
    return _RESTRICT.sub(rb"\\\1restrict KEY", dump)


def plain_dump(server: PostgresServer, database: str) -> bytes:
    """What the plain pg_dump of the server's version writes."""
    return subprocess.run(
        [
            server.bin_dir / "pg_dump", "--no-owner", "--no-acl", "--clean", "--if-exists",
            "--no-password",
        ],
        env=server.environment | {"PGDATABASE": database}, check=True, stdout=subprocess.PIPE,
    ).stdout  # fmt: skip


def zcat(path: str | Path) -> bytes:
    """The dump as the system's own gzip sees it; `gzip -t` first."""
    subprocess.run(["gzip", "-t", path], check=True)
    return subprocess.run(["zcat", path], check=True, stdout=subprocess.PIPE).stdout


def restore(server: PostgresServer, database: str, path: str | Path) -> None:
    """`zcat | psql` with the plain tools of the server's version."""
    subprocess.run(
        ["psql", "-X", "-q", "-o", "/dev/null", "--set", "ON_ERROR_STOP=on"],
        executable=server.bin_dir / "psql", input=zcat(path), check=True,
        env=server.environment | {"PGDATABASE": database}, stderr=subprocess.PIPE,
    )  # fmt: skip


def files_in(settings: Settings) -> list[str]:
    """Every file of the backup directory but locks and jobs, as `class/name`."""
    return sorted(
        str(path.relative_to(settings.backup_dir))
        for path in settings.backup_dir.rglob("*")
        if path.is_file() and ".pgconsole" not in path.parts
    )


def stored_sql(path: str | Path) -> bytes:
    """The dump's SQL, read by Python."""
    return gzip.decompress(Path(path).read_bytes())


def pg_dump_wrapper(directory: Path, real: Path, script: str) -> Path:
    """A `pg_dump` that answers `--version` truly and runs `script` otherwise.

    In the script `$REAL` is the real pg_dump.

    Returns:
        The directory to put on PATH.
    """
    directory.mkdir(exist_ok=True)
    wrapper = directory / "pg_dump"
    wrapper.write_text(
        f"#!/bin/sh\nREAL='{real}'\n"
        f'case "$1" in --version) exec "$REAL" --version;; esac\n{script}\n'
    )
    wrapper.chmod(0o755)
    return directory
