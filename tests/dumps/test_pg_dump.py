"""Dumps that pg_dump 16 and 18 really write, with whatever trips up a scanner in them."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from tests.conftest import create_database, drop_database
from tests.dumps.helpers import manifest_of

from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import SectionKind
from pgconsole.dumps.reader import DumpReader
from pgconsole.dumps.writer import WrittenDump, write_dump
from pgconsole.storage.local import LocalStorage

OPTIONS = ("--no-owner", "--no-acl", "--clean", "--if-exists")
NASTY = r'''
CREATE SCHEMA "Mixed; -- Case";
CREATE TABLE plain (id int, note text);
INSERT INTO plain SELECT i, E'tab\tline\nback\\slash \\. \\N ''quote'' ' || i
    FROM generate_series(1, 4000) i;
INSERT INTO plain VALUES (NULL, NULL), (0, E'\\.'), (0, E'\n\\.\n'), (0, '');
CREATE TABLE empty (id int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE "Mixed; -- Case"."new
line ""COPY x FROM stdin;""" ("a,b" int, "c)" text, "d""(" int DEFAULT 1);
INSERT INTO "Mixed; -- Case"."new
line ""COPY x FROM stdin;""" VALUES (1, '$$'), (2, '\.');
CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (a * 2) STORED,
    c text DEFAULT E'\\.\nCOPY x FROM stdin;\n' CHECK (c <> $q$;'"$q$));
INSERT INTO generated (a) VALUES (1), (2);
CREATE TABLE parted (id int, k int) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted VALUES (1, 1), (2, 2), (3, 2);
CREATE MATERIALIZED VIEW mat AS SELECT count(*) FROM plain;
COMMENT ON TABLE empty IS E'COPY x FROM stdin;\n1\n\\.\n-- PostgreSQL database dump complete\n';
CREATE FUNCTION looks_like_data() RETURNS text LANGUAGE sql AS $f$
SELECT $$
COPY x FROM stdin;
1
\.
$$
$f$;
CREATE FUNCTION body(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC
    SELECT 1;
    SELECT CASE WHEN n > 1 THEN 2 ELSE 3 END;
END;
CREATE RULE two AS ON DELETE TO empty DO INSTEAD (DELETE FROM plain; DELETE FROM generated);
CREATE TABLE wide (id int, doc text);
INSERT INTO wide SELECT 1, repeat('0123456789abcdef', 300000);
SELECT lo_from_bytea(0, 'COPY x FROM stdin;'::bytea);
'''
ROWS = {
    ("public", "plain"): 4004,
    ("public", "empty"): 0,
    ("public", "no_columns"): 2,
    ("Mixed; -- Case", 'new\nline "COPY x FROM stdin;"'): 2,
    ("public", "generated"): 2,
    ("public", "parted_1"): 1,
    ("public", "parted_2"): 2,
    ("public", "wide"): 1,
}


@pytest.fixture
def nasty(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A database `nasty` on each PostgreSQL in turn."""
    create_database(postgres, "nasty", NASTY)
    yield postgres
    drop_database(postgres, "nasty")


def pg_dump(server: PostgresServer, *options: str) -> list[str]:
    return [str(server.bin_dir / "pg_dump"), *OPTIONS, *options, "nasty"]


def write(server: PostgresServer, path: Path, *options: str) -> WrittenDump:
    """Dump the database through the writer."""
    with subprocess.Popen(
        pg_dump(server, *options), env=server.environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        written = write_dump(
            process.stdout.fileno(), path, on_progress=lambda *_: None, on_written=lambda _: None
        )
    assert process.returncode == 0
    return written


def without_keys(dump: bytes) -> list[bytes]:
    """The lines of a dump but for the random keys of `\\restrict`."""
    return [line for line in dump.splitlines() if not line.startswith((b"\\restr", b"\\unrestr"))]


def test_every_table_is_found_with_its_rows(nasty: PostgresServer, tmp_path: Path) -> None:
    written = write(nasty, tmp_path / "dump.sql.gz")

    tables = [s for s in written.sections if s.kind is SectionKind.DATA]
    assert {(s.schema_name, s.table): s.rows for s in tables} == ROWS
    columns = {s.table: s.columns for s in tables}
    assert columns["generated"] == ("a", "c")
    assert columns["no_columns"] == ()
    assert columns['new\nline "COPY x FROM stdin;"'] == ("a,b", "c)", 'd"(')
    assert written.server_version.startswith(("16.", "18."))
    assert written.warnings == ()


def test_the_file_holds_what_pg_dump_writes(nasty: PostgresServer, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    write(nasty, path)
    plain = subprocess.run(
        pg_dump(nasty), env=nasty.environment, capture_output=True, check=True
    ).stdout

    assert without_keys(gzip.decompress(path.read_bytes())) == without_keys(plain)


def test_its_rows_can_be_loaded_by_themselves(nasty: PostgresServer, tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    written = write(nasty, path)
    reader = DumpReader(LocalStorage(tmp_path).open(str(path)), manifest_of(written))

    create_database(nasty, "copy")
    try:
        with nasty.connect("copy") as copy:
            copy.execute("CREATE TABLE plain (id int, note text)")
            section = reader.find_table("public", "plain")
            assert section is not None
            assert section.copy_statement is not None
            with copy.cursor().copy(section.copy_statement.encode()) as load:
                for piece in reader.rows(section, 1000):
                    load.write(piece)
            loaded = copy.execute("SELECT id, note FROM plain ORDER BY 1, 2").fetchall()
        with nasty.connect("nasty") as original:
            query = "SELECT id, note FROM plain WHERE coalesce(id, 0) NOT BETWEEN 1 AND 1000"
            assert loaded == original.execute(query + " ORDER BY 1, 2").fetchall()
    finally:
        drop_database(nasty, "copy")


def test_old_files_of_the_shell_scripts_are_proven(nasty: PostgresServer, tmp_path: Path) -> None:
    path = tmp_path / "old.sql.gz"
    with (
        path.open("wb") as file,
        subprocess.Popen(pg_dump(nasty), env=nasty.environment, stdout=subprocess.PIPE) as process,
    ):
        subprocess.run(["gzip", "-9"], stdin=process.stdout, stdout=file, check=True)
    checked = check_dump(LocalStorage(tmp_path).open(str(path)), None, lambda _: None)

    found = {(s.schema_name, s.table): s.rows for s in checked.sections if s.table}
    assert found == ROWS


def test_a_dump_of_the_schema_alone_is_one_section(nasty: PostgresServer, tmp_path: Path) -> None:
    written = write(nasty, tmp_path / "dump.sql.gz", "--schema-only")
    assert [section.kind for section in written.sections] == [SectionKind.BEFORE]


def test_plain_strings_with_backslashes(postgres16: PostgresServer, tmp_path: Path) -> None:
    """`standard_conforming_strings` off changes what pg_dump writes, and how psql reads it."""
    create_database(postgres16, "nasty", NASTY)
    try:
        with postgres16.connect() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET standard_conforming_strings = off").format(
                    sql.Identifier("nasty")
                )
            )
        path = tmp_path / "dump.sql.gz"
        written = write(postgres16, path)
        assert b"SET standard_conforming_strings = off;" in gzip.decompress(path.read_bytes())
        assert {(s.schema_name, s.table): s.rows for s in written.sections if s.table} == ROWS
    finally:
        drop_database(postgres16, "nasty")


def test_a_name_that_psql_misreads_is_a_warning(postgres16: PostgresServer, tmp_path: Path) -> None:
    script = "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE t ()"
    create_database(postgres16, "nasty", script)
    try:
        written = write(postgres16, tmp_path / "dump.sql.gz")
    finally:
        drop_database(postgres16, "nasty")
    assert [s.table for s in written.sections if s.table] == ["t"]
    assert "begin" in written.warnings[0]
