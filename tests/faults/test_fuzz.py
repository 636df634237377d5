"""Random input for everything that reads what somebody else may have written."""

from __future__ import annotations

import gzip
import io
import json
import logging
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import dotenv
import pytest
from hypothesis import strategies as st
from tests.dumps import strategies
from tests.dumps.aging import Key, encrypt, identities
from tests.dumps.helpers import (
    HEADER,
    TRAILER,
    BytesSource,
    assembled,
    copy_block,
    manifest_of,
    scanned,
    write,
)
from tests.faults.fuzzing import changed, fuzz
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.backups.evidence import Evidence, Proof, line_of, parse_lines
from pgconsole.dumps.age_file import AgeFile
from pgconsole.dumps.age_header import read_header
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.layout import layout
from pgconsole.dumps.manifest import Manifest, parse_manifest
from pgconsole.dumps.naming import BackupClass, parse_name
from pgconsole.dumps.reader import DumpReader
from pgconsole.dumps.scanner import Boundary
from pgconsole.env_file import read_env_file
from pgconsole.errors import ConfigurationError, DamagedError, SealedError, StorageError
from pgconsole.jobs.journal import EVENTS, Journal, parse_line
from pgconsole.jobs.tail import Tail
from pgconsole.redact import Redactor
from pgconsole.report import Event, Level

pytestmark = pytest.mark.slow  # see `make test-slow`


def _fault(what: str, promise: str) -> Fault:
    return Fault(Group.FUZZING, what, promise)


SCANNER = _fault("the SQL scanner", "the same sections in one piece as in any pieces, or refused")
MANIFEST = _fault(
    "manifests", "refused in words, or read as they will be written again; members tile the file"
)
FILES = _fault(
    "gzip files without a manifest",
    "refused, or what was read is what Python's gzip reads in it",
)
INDEX = _fault(
    "gzip files and their manifests, as an index",
    "refused, or every section read through it is what it was",
)
NAMES = _fault("names of backups", "foreign, or exactly the name that would be given")
JOURNAL = _fault("journals", "the same entries however it grows; a good line is never lost")
EVIDENCE = _fault("evidence", "lines that are none are passed over; a good line is never lost")
AGE = _fault("age files", "refused; never other content than was encrypted")
ENV = _fault(".env files", "refused with the line, or the values that python-dotenv reads")

_SQL_TOKENS = [
    b"COPY t FROM stdin;\n", b"\n\\.\n", b"\n\\.\r\n", b"\\.", b"\\", b"$$", b"$a$", b"--", b"/*",
    b"*/", b"'", b'"', b";", b"(", b")", b"BEGIN ATOMIC", b"END", b"E'", b"\\;", b"\n", b"\r",
    b"\0", b"\xff", b"U&'", b"$1$", TRAILER, HEADER, b"\n-- Dumped from database version ",
    b"SET standard_conforming_strings = off;", b"SET client_encoding = 'SJIS';",
    b"COPY (SELECT 1) TO stdout;\n", b"copy a.b (c) from stdin with (format csv);\n",
]  # fmt: skip
_DUMP = assembled(
    b"CREATE TABLE t (a int, b text DEFAULT 'x;''y');\nCREATE FUNCTION f() RETURNS int LANGUAGE "
    b"sql\n BEGIN ATOMIC\n SELECT CASE WHEN true THEN 1 END;\nEND;\n/* a /* b */ c */\n"
    b"DO $a$ BEGIN PERFORM 1; END $a$;\n",
    copy_block(b"public.t", b"1\ta\n2\t\\N\n3\t\\\\.\n"),
    copy_block(b'"Mixed"."a""b"', b"", b""),
)[0]


def _boundaries(dump: bytes, sizes: list[int] | None) -> list[Boundary] | str:
    try:
        return scanned(dump, sizes)[1]
    except DamagedError:
        return "refused"


def test_scanner(faults: Faults) -> None:
    def check(made: tuple[bytes, list[int]]) -> None:
        dump, sizes = made
        whole = _boundaries(dump, None)
        assert _boundaries(dump, sizes) == whole
        if isinstance(whole, list):
            ends = [one.offset for one in whole]
            assert ends == sorted(ends)
            assert ends[-1] == len(dump)

    random = st.lists(st.sampled_from(_SQL_TOKENS) | st.binary(max_size=4)).map(b"".join)
    dumps = (
        changed(_DUMP, _SQL_TOKENS)
        | random.map(lambda text: HEADER + text + TRAILER)
        | strategies.dumps.map(lambda made: made[0])
    )
    inputs = st.tuples(dumps, st.lists(st.integers(1, 60), min_size=1, max_size=4))
    fuzz(faults, SCANNER, "scanner", inputs, check, short=250)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Manifest]:
    """A good dump of several members, and its manifest."""
    path = tmp_path_factory.mktemp("fuzz") / "dump"
    written = write(_DUMP, path)
    return path.read_bytes(), manifest_of(written)


_JSON_TOKENS = [
    b"null", b"true", b"-1", b"0", b"1e999", b"9" * 400, b"NaN", b"Infinity", b"[", b"]", b"{",
    b"}", b'"', b",", b":", b"\\u0000", b"\\ud800", b"\xff", b"\n", b'"version":2', b'"a":1,',
    b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59Z"', b"[" * 200, b"9223372036854775808",
]  # fmt: skip


def test_manifest(faults: Faults, dump: tuple[bytes, Manifest]) -> None:
    content, manifest = dump

    def check(data: bytes) -> None:
        try:
            read = parse_manifest(data, "x")
        except DamagedError:
            return
        assert parse_manifest(read.to_json(), "x") == read
        for size in (len(content), read.compressed_bytes):
            with suppress(DamagedError):
                placed = layout(read, size)
                extents = [extent for _, some in placed for extent in some]
                assert sum(extent.length for extent in extents) in (0, size)

    fuzz(faults, MANIFEST, "manifest", changed(manifest.to_json(), _JSON_TOKENS), check, short=300)


_GZIP_TOKENS = [
    gzip.compress(b"", mtime=0), gzip.compress(b"x", mtime=0), b"\x1f\x8b", b"\x1f\x8b\x08",
    b"\0" * 8, b"\xff" * 4, b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff", b"\x03\0", gzip.compress(TRAILER),
]  # fmt: skip


def test_gzip_files(faults: Faults, dump: tuple[bytes, Manifest]) -> None:
    def check(data: bytes) -> None:
        try:
            checked = check_dump(BytesSource(data), None, lambda _: None)
        except DamagedError:
            return
        plain = gzip.decompress(data)
        assert checked.raw_bytes == len(plain)
        assert _boundaries(plain, None) != "refused"

    inputs = changed(dump[0], _GZIP_TOKENS) | changed(gzip.compress(_DUMP), _GZIP_TOKENS)
    fuzz(faults, FILES, "gzip", inputs, check, short=250)


def test_index(faults: Faults, dump: tuple[bytes, Manifest]) -> None:
    """Offsets, sizes and bytes: whatever passes the check reads as it was."""
    content, manifest = dump
    good = {one.table: b"".join(DumpReader(BytesSource(content), manifest).raw(one))
            for one in manifest.tables}  # fmt: skip
    numbers = st.tuples(
        st.integers(0, len(manifest.sections) - 1),
        st.integers(0, 2),
        st.integers(-2, len(content) + 2) | st.integers(-(1 << 70), 1 << 70),
    )

    def check(made: tuple[list[tuple[int, int, int]], bytes]) -> None:
        changes, data = made
        described = json.loads(manifest.to_json())
        for section, field, value in changes:
            members = described["sections"][section]["members"]
            if members:
                members[0][field] = value
        with suppress(DamagedError, StorageError):
            lying = parse_manifest(json.dumps(described).encode(), "x")
            source = BytesSource(data)
            reader = DumpReader(source, lying)
            for one in reader.sections:
                with suppress(DamagedError):
                    size = sum(map(len, reader.raw(one)))
                    assert size == one.raw_bytes
                    list(reader.rows(one, 1)) if one in lying.tables else []
            check_dump(source, lying, lambda _: None)
            assert {one.table: b"".join(reader.raw(one)) for one in lying.tables} == good

    inputs = st.tuples(
        st.lists(numbers, max_size=2), st.just(content) | changed(content, _GZIP_TOKENS)
    )
    fuzz(faults, INDEX, "index", inputs, check, short=250)


def test_names(faults: Faults) -> None:
    def check(name: str) -> None:
        found = parse_name(name)
        if found is not None:
            assert found.filename == name
            assert found.relative_path == f"{found.backup_class}/{name}"

    parts = st.sampled_from(
        ["app", "_daily_", "_weekly_", "_monthly_", "20260225", "_020000", "00000000", "_240000",
         "_235960", ".sql.gz", ".age", ".partial", ".manifest.json", "_", ".", "/", "\n", "\0",
         "٢", "２", "\u202e", "\ud800", "99991231"]
    )  # fmt: skip
    digits = st.text("0123456789٠２", min_size=8, max_size=8)
    shaped = st.builds(
        lambda name, cls, day, time, end: f"{name}_{cls}_{day}_{time}.sql.gz{end}",
        st.text(max_size=12), st.sampled_from([*BackupClass]), digits,
        st.text("0123456789", min_size=6, max_size=6), st.sampled_from(["", ".age", "\n"]),
    )  # fmt: skip
    inputs = st.lists(parts).map("".join) | shaped | st.text()
    fuzz(faults, NAMES, "names", inputs, check, short=500)


def test_journal(faults: Faults, tmp_path: Path) -> None:
    with Journal(tmp_path, Redactor([])) as journal:
        journal.append(Event("dump", "dumping ü"))
        journal.append(Event("dump", "", Level.WARNING, 100, 1000, "public.users"))
    path = tmp_path / EVENTS
    good = path.read_bytes()
    last = good.splitlines()[-1]
    number = 0

    def check(made: tuple[bytes, list[int]]) -> None:
        nonlocal number
        content = made[0] + b"\n" + last + b"\n"
        expected = [one for line in content.split(b"\n") if (one := parse_line(line)) is not None]
        assert expected[-1] == parse_line(last)
        number += 1  # a file of its own, as each job's
        directory = tmp_path / str(number)
        directory.mkdir()
        tail, found, at = Tail(directory), [], 0
        with (directory / EVENTS).open("ab", buffering=0) as file:
            for cut in [*sorted(made[1]), len(content)]:
                file.write(content[at:cut])
                at = max(at, cut)
                while entries := tail.read():
                    found += entries
        assert found == expected

    inputs = st.tuples(changed(good, _JSON_TOKENS), st.lists(st.integers(0, 600), max_size=4))
    fuzz(faults, JOURNAL, "journal", inputs, check, short=250)


def test_evidence(faults: Faults) -> None:
    now = datetime(2026, 2, 25, tzinfo=UTC)
    good = Evidence("s3://b/k", Proof.COMPLETE, now, "alice", 1.5, 10, now, "00" * 32)
    line = line_of(good)

    def check(content: bytes) -> None:
        found = parse_lines(content + line)
        assert found[good.copy][-1] == good
        for item in (one for some in found.values() for one in some):
            assert parse_lines(line_of(item)) == {item.copy: [item]}, asdict(item)

    fuzz(faults, EVIDENCE, "evidence", changed(line * 2, _JSON_TOKENS), check, short=300)


def test_age_files(faults: Faults) -> None:
    key, other = Key(), Key()
    content = b"content" * 20
    good = encrypt(content, other, key)

    def check(data: bytes) -> None:
        with suppress(DamagedError, SealedError):
            assert read_header(BytesSource(data)).length <= len(data)
            age = AgeFile(BytesSource(data), identities(key))
            assert age.read_at(0, len(content) + 1) == content

    tokens = [b"\n", b"-> ", b"-> X25519 ", b"---", b"--- ", b"A" * 43, b"A" * 64 + b"\n", b" ",
              b"age-encryption.org/v1\n", b"\r\n", b"=", b"\xff"]  # fmt: skip
    fuzz(faults, AGE, "age", changed(good, tokens), check, short=250)


def test_env_files(
    faults: Faults,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    path = tmp_path / ".env"
    good = (
        b"# settings\nPGHOST=localhost\nexport PGUSER='a b'\nPGPASSWORD=\"x\\ny$\"\n"
        b"BACKUP_DIR=${HOME}/b # where\nA=${B:-c}\nEMPTY=\nNONE\nC='x\ny'\n"
    )

    def check(content: bytes) -> None:
        path.write_bytes(content)
        try:
            found = read_env_file()
        except ConfigurationError:
            return
        theirs = dotenv.dotenv_values(stream=io.StringIO(content.decode()))
        assert found == {name: value for name, value in theirs.items() if value is not None}

    tokens = [b"=", b"'", b'"', b"\\", b"\n", b"\r", b"#", b" #", b"export ", b"${", b"}", b"${A}",
              b":-", b"$", b"\0", b"\xff", "\u2028".encode(), b"\t", b"\\'", b"A=1\n"]  # fmt: skip
    fuzz(faults, ENV, "env", changed(good, tokens), check, short=250)
